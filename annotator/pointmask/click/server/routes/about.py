"""The address that says what this session is."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from pointmask.click.server.edits import MOST_AT_ONCE
from pointmask.click.server.routes.looking import IN_ONE_PIECE, desk_of, in_thread
from pointmask.click.server.wire.answers import json_answer
from pointmask.click.server.wire.fields import MOST_BODY, of_query
from pointmask.click.session.limits import LEVELS, LONGEST_LABEL, MOST_TARGETS, RINGS
from pointmask.theta import STYLE_BOUNDS
from pointmask.version import __version__


async def session(request: Request) -> Response:
    """Answer with the facts of this session."""
    of_query(request).done()
    return json_answer(await in_thread(facts, request))


def facts(request: Request) -> dict[str, Any]:
    """Return what the page needs to know before it shows anything."""
    desk = desk_of(request)
    running, listing = desk.session, desk.listing
    setup = running.setup
    return {
        "version": __version__,
        "annotator": setup.annotator,
        "theta": setup.theta.digest,
        "level": setup.theta.level,
        "style": setup.theta.style,
        "polarity": setup.polarity,
        "labels": setup.labels,
        "shard": setup.shard,
        "read_only": setup.read_only,
        "warm": request.app.state.warm.is_set(),
        "images": {
            "root": setup.images,
            "count": listing.count,
            "complete": listing.complete,
            "error": listing.error,
        },
        "out": str(setup.out),
        "seq": running.seq,
        "durable": running.durable,
        "limits": {
            "targets": MOST_TARGETS,
            "levels": LEVELS,
            "styles": STYLE_BOUNDS,
            "rings": RINGS,
            "label": LONGEST_LABEL,
            "edits": MOST_AT_ONCE,
            "body": MOST_BODY,
            "samples": IN_ONE_PIECE,
        },
    }

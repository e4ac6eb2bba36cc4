"""Addresses of long work: start a job, ask how far it is, end it."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from pointmask.click.server.desk import Desk
from pointmask.click.server.jobs import Jobs, Work
from pointmask.click.server.routes.looking import desk_of
from pointmask.click.server.routes.marking import check_writable
from pointmask.click.server.wire.answers import json_answer
from pointmask.click.server.wire.fields import Fields, of_body, of_query


async def start(request: Request) -> Response:
    """Queue a job."""
    desk, fields = desk_of(request), await of_body(request)
    kind = fields.one_of("kind", _KINDS)
    check_writable(desk)
    work = _KINDS[kind](desk, fields)
    fields.done()
    return json_answer(_jobs(request).start(kind, work).shape())


async def state(request: Request) -> Response:
    """Answer with how far a job is."""
    of_query(request).done()
    return json_answer(_jobs(request).get(request.path_params["job"]).shape())


async def cancel(request: Request) -> Response:
    """Ask a job to end."""
    of_query(request).done()
    job = _jobs(request).get(request.path_params["job"])
    job.cancel.set()
    return json_answer(job.shape())


def _jobs(request: Request) -> Jobs:
    jobs: Jobs = request.app.state.jobs
    return jobs


def _publish(desk: Desk, fields: Fields) -> Work:
    def work(report: Any, cancelled: Any) -> dict[str, Any]:  # noqa: ANN401 - as `Work` has them
        published = desk.session.publish(report, cancelled)
        return {"done": published.done, "skipped": published.skipped, "targets": published.targets}

    return work


_KINDS: dict[str, Callable[[Desk, Fields], Work]] = {"publish": _publish}
"""What can be asked for; a function takes its arguments from the body and returns the work."""

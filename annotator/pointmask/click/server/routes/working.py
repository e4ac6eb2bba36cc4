"""Addresses of long work: start a job, ask how far it is, end it."""

from collections.abc import Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from pointmask.click.contract.errors import NotFoundError
from pointmask.click.server.desk import Desk
from pointmask.click.server.edits import LARGEST_NUMBER
from pointmask.click.server.jobs import Jobs, Work
from pointmask.click.server.routes.about import facts
from pointmask.click.server.routes.looking import desk_of, in_thread
from pointmask.click.server.routes.marking import check_writable
from pointmask.click.server.wire.answers import json_answer
from pointmask.click.server.wire.fields import Fields, of_body, of_query, wrong
from pointmask.click.server.works import calibrated, filled, published, remade, tracked
from pointmask.theta import STYLE_BOUNDS


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


async def theta(request: Request) -> Response:
    """Go on with a calibration's theta, or in another style; make anew what nobody has judged."""
    desk, fields = desk_of(request), await of_body(request)
    style = fields.number("style", *STYLE_BOUNDS) if "style" in fields else None
    number = fields.whole("job", 1, LARGEST_NUMBER) if style is None else 0
    fields.done()
    check_writable(desk)
    if style is not None:
        found = desk.session.setup.theta.drawn(style)
    else:
        job = _jobs(request).get(number)
        if job.kind != "calibrate" or job.theta is None:
            raise NotFoundError(f"job {number} is no calibration that was finished; calibrate first")
        found = job.theta
    await in_thread(desk.session.use_theta, found)
    remaking = _jobs(request).start("remake", partial(remade, desk))
    return json_answer({**await in_thread(facts, request), "job": remaking.number})


def _track(desk: Desk, fields: Fields) -> Work:
    image = fields.whole("image", 0, LARGEST_NUMBER)
    frame = fields.whole("frame", 0, LARGEST_NUMBER)
    targets = fields.take("targets", [])
    every = {target.target for target in desk.session.peek(desk.name(image), frame).targets}
    if not isinstance(targets, list) or (targets and set(map(str, targets)) != set(map(str, every))):
        wrong(
            "targets are not all of the frame, but are carried together: a frame with points is complete",
            "track all targets of the frame",
        )
    return partial(tracked, desk, image, frame)


_KINDS: dict[str, Callable[[Desk, Fields], Work]] = {
    "publish": lambda desk, fields: partial(published, desk),
    "fill": lambda desk, fields: partial(filled, desk),
    "track": _track,
    "calibrate": lambda desk, fields: partial(calibrated, desk),
}
"""What can be asked for; a function takes its arguments from the body and returns the work."""

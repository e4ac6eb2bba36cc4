"""Addresses that change something, and the one that tells what others changed."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from pointmask.click.contract.errors import NotFoundError, SessionError
from pointmask.click.contract.targets import Answer
from pointmask.click.server.desk import Desk
from pointmask.click.server.edits import LARGEST_NUMBER, LONGEST_NAME, SIDE, edits_of
from pointmask.click.server.routes.looking import desk_of, in_thread
from pointmask.click.server.shapes import answer_shape, target_shape
from pointmask.click.server.wire.answers import Refusal, json_answer
from pointmask.click.server.wire.fields import of_body, of_query
from pointmask.errors import ImageError

_MOST_STEPS = 100
_MOST_CHANGES = 1000
_R = TypeVar("_R")


class Writer:
    """Does one edit after another, in the order in which they came, beside the event loop."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "edits")

    async def do(self, work: Callable[..., _R], *arguments: Any) -> _R:  # noqa: ANN401 - passed on
        """Wait for one's turn, and for the work."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    def close(self) -> None:
        """Finish what was begun."""
        self._thread.shutdown()


async def edits(request: Request) -> Response:
    """Do edits: all of them, or none."""
    desk, fields = desk_of(request), await of_body(request)
    if desk.proposals is None:  # a click need not pay for a thread (0.13 ms)
        wanted = edits_of(fields, partial(_meant, desk), desk.proposed)
    else:
        wanted = await in_thread(edits_of, fields, partial(_meant, desk), desk.proposed)
    await _warm(request)
    # Decoded beforehand, so that the edits of other frames do not wait for this one's file.
    for image, frame in dict.fromkeys((edit.image, edit.frame) for edit in wanted):
        with suppress(ImageError, SessionError):  # told by the session, if it needs the pixels
            if desk.frames.peek(image, frame) is None:
                await in_thread(desk.load, image, frame)
    return await _written(request, desk, desk.session.edit, wanted)


def _meant(desk: Desk, image: int, name: str | None) -> str:
    """
    Return the name of the image that an edit means.

    Numbers are others when the server is started again after files came or went; an edit that waited for it
    means the image that the person saw.
    """
    if name is None or desk.listing.name(image) == name:
        return desk.name(image)
    if desk.listing.number(name) is not None:
        return name
    if not desk.listing.complete:
        raise Refusal(503, "listing", f"{name} is not listed yet", "wait; the page sends this again")
    raise NotFoundError(f"{name} is not there any more; this edit was not made")


async def undo(request: Request) -> Response:
    """Undo steps."""
    return await _steps(request, desk_of(request).session.undo)


async def redo(request: Request) -> Response:
    """Do again what was undone."""
    return await _steps(request, desk_of(request).session.redo)


async def preview(request: Request) -> Response:
    """Answer with the target that a click would give; nothing is kept."""
    desk, fields = desk_of(request), await of_body(request)
    image = desk.name(fields.whole("image", 0, LARGEST_NUMBER))
    frame = fields.whole("frame", 0, LARGEST_NUMBER, 0)
    row, col = fields.whole("row", -SIDE, SIDE), fields.whole("col", -SIDE, SIDE)
    polarity = fields.one_of("polarity", (None, "bright", "dark", "auto"), None)
    fields.done()
    await _warm(request)

    def look() -> dict[str, Any]:
        pixels = desk.load(image, frame).pixels
        target = desk.session.preview(image, frame, row, col, polarity)
        return target_shape(target, (pixels.shape[0], pixels.shape[1]))

    return json_answer({"target": await in_thread(look)})


async def changes(request: Request) -> Response:
    """Answer with the frames that changed after a line of the journal."""
    desk, fields = desk_of(request), of_query(request)
    since = fields.whole("since", 0, LARGEST_NUMBER)
    fields.done()

    def look() -> dict[str, Any]:
        session = desk.session
        found = session.changes(since, _MOST_CHANGES)
        told = [
            {"image": number, "frame": frame.frame, "revision": frame.revision, "state": frame.state}
            for frame in found or ()
            if (number := desk.listing.number(frame.image)) is not None
        ]
        return {"seq": session.seq, "durable": session.durable, "frames": told, "reload": found is None}

    warm = request.app.state.warm.is_set()
    return json_answer({**await in_thread(look), "warm": warm})


async def _steps(request: Request, work: Callable[[int, str], Answer]) -> Response:
    fields = await of_body(request)
    steps, edit = fields.whole("steps", 1, _MOST_STEPS, 1), fields.text("edit", LONGEST_NAME, "")
    fields.done()
    await _warm(request)
    return await _written(request, desk_of(request), work, steps, edit)


async def _written(request: Request, desk: Desk, work: Callable[..., Answer], *arguments: Any) -> Response:  # noqa: ANN401 - passed on
    check_writable(desk)
    writer: Writer = request.app.state.writer

    def do() -> dict[str, Any]:
        return answer_shape(desk.noted(work(*arguments)), desk.listing.number)

    return json_answer(await writer.do(do))


def check_writable(desk: Desk) -> None:
    """Refuse to change anything where a page was started to look."""
    if desk.session.setup.read_only:
        raise Refusal(
            403, "read_only", "this page was started to look only", "start it again without --read-only"
        )


async def _warm(request: Request) -> None:
    """Refuse what needs the kernels while they are being compiled."""
    warm: threading.Event = request.app.state.warm
    if not warm.is_set() and not await in_thread(warm.wait, 2.0):
        raise Refusal(
            503,
            "warming",
            "the kernels are being compiled, which takes about 20 s at the first start on a machine",
            "wait; the page sends this again",
            headers={"Retry-After": "2"},
        )

"""Addresses that look at what was marked: one target closely, a sequence at a glance, all in numbers."""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response

from pointmask.annotator.single import parts_of
from pointmask.click.contract.errors import NotFoundError
from pointmask.click.contract.targets import ClickFrame, ClickTarget
from pointmask.click.frames.reader import Frame
from pointmask.click.review.queue import ORDERS, STATES, Choice
from pointmask.click.server.desk import Desk
from pointmask.click.server.edits import LARGEST_NUMBER
from pointmask.click.server.queues import Queues
from pointmask.click.server.routes.looking import desk_of, in_thread, place_of, shrunk
from pointmask.click.server.shapes import code_shape
from pointmask.click.server.summary import summary_of
from pointmask.click.server.wire.answers import json_answer
from pointmask.click.server.wire.fields import of_query, wrong

_SIDES = (33, 257)
_MOST_QUEUED = 50
_LONGEST, _LONGEST_PATH = 200, 4096  # characters
_MOST_ROWS = 500
_MARKS = {"crossing": "crossing", "identity": "identity", "refound": "found", "last": "last"}


async def crop(request: Request) -> Response:
    """Answer with the surroundings of a target: samples, soft label and mask, and on wish its two parts."""
    desk, (image, number) = desk_of(request), place_of(request)
    fields = of_query(request)
    side = fields.whole("side", *_SIDES, _SIDES[0])
    why = fields.whole("why", 0, 1, 0)
    fields.done()
    if side % 2 == 0:
        wrong(f"side is {side}; it is odd, so that a target can be in the middle")

    def look() -> tuple[list[bytes], dict[str, str]]:
        name = desk.name(image)
        standing, decoded = desk.standing(name, number), desk.load(name, number)
        target = standing.get(request.path_params["target"])
        if target is None:
            raise NotFoundError(f"{name}, frame {number}, has no target {request.path_params['target']}")
        rows, cols = _window(target, decoded.pixels.shape, side)
        shape = rows.stop - rows.start, cols.stop - cols.start
        parts = [
            shrunk(desk, decoded, decoded.pixels[rows, cols], 1).tobytes(),
            _soft(desk, decoded, target, rows, cols).tobytes(),
            np.packbits(_mask(target, decoded, rows, cols), axis=None).tobytes(),
        ]
        if why:
            parts += [
                np.packbits(part, axis=None).tobytes() for part in _why(desk, decoded, target, rows, cols)
            ]
        return parts, {
            "X-Parts": ",".join(str(len(part)) for part in parts),
            "X-Place": ",".join(map(str, (rows.start, cols.start, *shape))),
            "X-Code": json.dumps(code_shape(decoded, desk.statistics(decoded))),
        }

    parts, headers = await in_thread(look)
    return Response(b"".join(parts), headers=headers, media_type="application/octet-stream")


async def sequence(request: Request) -> Response:
    """Answer with what is recorded of the frames of a sequence."""
    desk, (image, _number) = desk_of(request), place_of(request)
    fields = of_query(request)
    start = fields.whole("from", 0, LARGEST_NUMBER, 0)
    count = fields.whole("count", 1, _MOST_ROWS, _MOST_ROWS)
    fields.done()

    def look() -> dict[str, Any]:
        places, length = desk.sequence_frames(image, start, count)
        rows = [_told(desk, *place) for place in places]
        return {"from": start, "length": length, "rows": rows}

    return json_answer(await in_thread(look))


async def queue(request: Request) -> Response:
    """Answer with a part of the review queue, which is made anew when its beginning is asked for."""
    desk, fields = desk_of(request), of_query(request, "flag", "label", "folder")
    start = fields.whole("from", 0, LARGEST_NUMBER, 0)
    count = fields.whole("count", 1, _MOST_QUEUED, _MOST_QUEUED)
    choice = Choice(
        order=fields.one_of("order", ORDERS, "confidence"),
        flag=fields.text("flag", _LONGEST, ""),
        label=fields.text("label", _LONGEST, ""),
        folder=fields.text("folder", _LONGEST_PATH, ""),
        low=fields.number("low", 0.0, 1.0, 0.0),
        high=fields.number("high", 0.0, 1.0, 1.0),
        state=fields.one_of("state", STATES, "todo"),
        seed=fields.whole("seed", 0, LARGEST_NUMBER, 0),
    )
    fields.done()
    queues: Queues = request.app.state.queues
    return json_answer(await in_thread(queues.part, desk, choice, start, count))


async def summary(request: Request) -> Response:
    """Answer with how much is done, and how much is not."""
    desk = desk_of(request)
    of_query(request).done()
    return json_answer(await in_thread(summary_of, desk))


def _told(desk: Desk, image: int, frame: int) -> dict[str, Any]:
    standing = desk.session.peek(desk.name(image), frame)
    flags = dict.fromkeys(flag for target in standing.targets for flag in target.flags)
    marks = [_MARKS[flag] for flag in flags if flag in _MARKS]
    return {"id": image, "frame": frame, "kind": _kind(standing), "marks": marks}


def _kind(standing: ClickFrame) -> str:
    if standing.state != "open":
        return standing.state
    if not standing.targets:
        return ""
    return "carried" if all(target.made == "carried" for target in standing.targets) else "given"


def _window(target: ClickTarget, shape: tuple[int, ...], side: int) -> tuple[slice, slice]:
    """Return rows and columns around a target, moved into the frame where they would leave it."""
    top, left, bottom, right = target.box
    found = []
    for middle, size in zip(((top + bottom) // 2, (left + right) // 2), shape, strict=True):
        start = min(max(middle - side // 2, 0), max(size - side, 0))
        found.append(slice(start, min(start + side, size)))
    return found[0], found[1]


def _soft(desk: Desk, decoded: Frame, target: ClickTarget, rows: slice, cols: slice) -> NDArray[np.uint8]:
    """Return the soft label of a target's point, in 255ths."""
    solved = desk.session.soft_label(decoded.image, decoded.frame, target.target).target
    top, left = solved.window[:2]
    return _pasted(np.rint(255 * np.clip(solved.soft, 0, 1)).astype(np.uint8), top, left, rows, cols)


def _why(
    desk: Desk, decoded: Frame, target: ClickTarget, rows: slice, cols: slice
) -> list[NDArray[np.uint8]]:
    """Return the superpixel, and where the potential reaches the target's level."""
    theta = desk.session.setup.theta
    solved = desk.session.soft_label(decoded.image, decoded.frame, target.target)
    parts = parts_of(solved, decoded.pixels.shape, theta)
    reached = parts.potential >= (theta.level if target.level is None else target.level)
    top, left = solved.target.window[:2]
    return [_pasted(part.astype(np.uint8), top, left, rows, cols) for part in (parts.superpixel, reached)]


def _mask(target: ClickTarget, decoded: Frame, rows: slice, cols: slice) -> NDArray[np.uint8]:
    height, width = decoded.pixels.shape
    top, left, pixels = target.crop((height, width))
    return _pasted(pixels.astype(np.uint8), top, left, rows, cols)


def _pasted(pixels: NDArray[np.uint8], top: int, left: int, rows: slice, cols: slice) -> NDArray[np.uint8]:
    """Cut a picture that begins at a place of the frame to a window of it; what is beyond is 0."""
    out = np.zeros((rows.stop - rows.start, cols.stop - cols.start), np.uint8)
    first, second = max(top, rows.start), max(left, cols.start)
    last, end = min(top + pixels.shape[0], rows.stop), min(left + pixels.shape[1], cols.stop)
    if first < last and second < end:
        out[first - rows.start : last - rows.start, second - cols.start : end - cols.start] = pixels[
            first - top : last - top, second - left : end - left
        ]
    return out

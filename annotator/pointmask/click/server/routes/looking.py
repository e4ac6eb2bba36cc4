"""Addresses that only look: folders, images, frames, samples, values."""

import re
import zlib
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from pointmask.click.contract.errors import GoneError
from pointmask.click.frames.reader import Frame
from pointmask.click.frames.samples import code_for, coded, pooled, value_text
from pointmask.click.server.desk import FILTERS, Desk
from pointmask.click.server.edits import LARGEST_NUMBER, SIDE
from pointmask.click.server.shapes import frame_shape, picture_shape, proposal_shapes
from pointmask.click.server.wire.answers import json_answer
from pointmask.click.server.wire.fields import of_query, wrong

IN_ONE_PIECE = 2**22
"""Samples that are sent at once; more are looked at pooled, or in tiles."""

_MOST_ROWS = 500
_MOST_HITS = 200
_LONGEST_SEARCH = 200
_NUMBER = re.compile("[1-9][0-9]{0,8}")
_FOR_AN_HOUR = {"Cache-Control": "private, max-age=3600, immutable"}
_R = TypeVar("_R")


def desk_of(request: Request) -> Desk:
    """Return the desk that the application was made with."""
    desk: Desk = request.app.state.desk
    return desk


async def in_thread(work: Callable[..., _R], *arguments: Any) -> _R:  # noqa: ANN401 - passed on
    """Do what may wait for a disk beside the event loop."""
    return await run_in_threadpool(work, *arguments)


def place_of(request: Request) -> tuple[int, int]:
    """Return the numbers of image and frame in an address."""
    return request.path_params["image"], request.path_params["frame"]


async def tree(request: Request) -> Response:
    """Answer with the folders in a folder."""
    fields, desk = of_query(request), desk_of(request)
    under = fields.whole("under", 0, LARGEST_NUMBER, 0)
    fields.done()

    def look() -> dict[str, Any]:
        if under == 0 and not desk.listing.folders:
            return {"under": 0, "name": "", "complete": desk.listing.complete, "children": []}
        folder = desk.folder(under)
        children = []
        for number in list(folder.children):
            child = desk.folder(number)
            counts = desk.counts(child)
            if counts["images"] or not desk.listing.complete:
                name = child.path.rstrip("/").rpartition("/")[2]
                children.append({"number": number, "name": name, **counts})
        return {"under": under, "name": folder.path, "complete": desk.listing.complete, "children": children}

    return json_answer(await in_thread(look))


async def images(request: Request) -> Response:
    """Answer with images of a folder."""
    fields, desk = of_query(request), desk_of(request)
    number = fields.whole("folder", 0, LARGEST_NUMBER, 0)
    start = fields.whole("from", 0, LARGEST_NUMBER, 0)
    count = fields.whole("count", 1, _MOST_ROWS, _MOST_ROWS)
    wanted = fields.one_of("state", FILTERS, "")
    fields.done()

    def look() -> dict[str, Any]:
        if number == 0 and not desk.listing.folders:
            return {"folder": 0, "total": 0, "rows": []}
        total, found = desk.window(desk.folder(number), start, count, wanted)
        return {"folder": number, "total": total, "rows": [desk.row(image) for image in found]}

    return json_answer(await in_thread(look))


async def find(request: Request) -> Response:
    """Answer with images whose names hold a text or are one, and with the one whose number from 1 it is."""
    fields, desk = of_query(request, "text", "name"), desk_of(request)
    if "name" in fields:
        name = fields.take("name")
        fields.done()
        number = await in_thread(desk.listing.number, name)
        found = [] if number is None else [{"id": number, "name": name}]
        return json_answer({"rows": found, "more": False, "numbered": None})
    text = fields.text("text", _LONGEST_SEARCH)
    fields.done()
    if not text:
        wrong(f"text is empty; 1 to {_LONGEST_SEARCH} characters are looked for")

    def look() -> dict[str, Any]:
        found, more = desk.listing.find(text, _MOST_HITS)
        numbered = desk.listing.at(int(text) - 1) if _NUMBER.fullmatch(text) else None
        return {
            "rows": [{"id": image, "name": desk.name(image)} for image in found],
            "more": more,
            "numbered": None if numbered is None else {"id": numbered, "name": desk.name(numbered)},
        }

    return json_answer(await in_thread(look))


async def following(request: Request) -> Response:
    """Answer with the frame after or before one."""
    fields, desk = of_query(request), desk_of(request)
    image = fields.whole("from", 0, LARGEST_NUMBER)
    frame = fields.whole("frame", 0, LARGEST_NUMBER, 0)
    step = fields.one_of("step", (1, -1), 1)
    want = fields.one_of("want", ("any", "unmarked", "unsure", "proposed"), "any")
    fields.done()

    def look() -> tuple[int, int] | None:
        desk.name(image)
        if want == "any":
            return desk.step(image, frame, step)
        if want == "proposed":
            return desk.next_proposed(image, frame, step)
        other = desk.next_image(image, step, want)
        return None if other is None else (other, 0)

    found = await in_thread(look)
    return json_answer({"id": found and found[0], "frame": found and found[1]})


async def frame(request: Request) -> Response:
    """Answer with what is known of a frame, and read its neighbours ahead."""
    desk, (image, number) = desk_of(request), place_of(request)
    of_query(request).done()

    def look() -> dict[str, Any]:
        name = desk.name(image)
        decoded = desk.load(name, number)
        shape = picture_shape(decoded, desk.statistics(decoded))
        standing = desk.standing(name, number)
        changed = bool(standing.content) and standing.content != decoded.content
        shape |= frame_shape(standing)
        shape |= {
            "id": image,
            "frame": number,
            "name": name,
            "folders": desk.folders(image),
            "place": desk.place(image),
            "place_in_folder": desk.place_in_folder(image),
            "sequence": desk.sequence(image, decoded),
            "changed": changed,
        }
        if desk.proposals is not None:
            shape["proposals"] = proposal_shapes(desk.proposals, standing, decoded)
        return shape

    answer = json_answer(await in_thread(look))
    desk.frames.read_ahead(await in_thread(desk.neighbours, image, number))
    return answer


async def flat(request: Request) -> Response:
    """Answer with what is needed to draw a frame minus its local median, for looking only."""
    desk, (image, number) = desk_of(request), place_of(request)
    of_query(request).done()

    def look() -> dict[str, Any]:
        made = desk.flats.of(desk.load(desk.name(image), number))
        return picture_shape(made, desk.statistics(made)) | {"flat": True}

    return json_answer(await in_thread(look))


async def samples(request: Request) -> Response:
    """Answer with the samples of a frame, or of a part of it, pooled or not."""
    desk, (image, number) = desk_of(request), place_of(request)
    fields = of_query(request)
    pool = fields.whole("pool", 1, 4096, 1)
    top, left = fields.whole("top", 0, SIDE, 0), fields.whole("left", 0, SIDE, 0)
    height, width = fields.whole("height", 1, SIDE, SIDE), fields.whole("width", 1, SIDE, SIDE)
    deflate, is_flat = fields.one_of("deflate", (0, 1), 0), fields.one_of("flat", (0, 1), 0)
    fields.done()
    if pool & (pool - 1) or top % pool or left % pool:
        wrong(f"pool is {pool}, top {top}, left {left}; pool is a power of two that divides the others")

    def look() -> tuple[bytes, tuple[int, ...], str]:
        decoded = desk.load(desk.name(image), number)
        if decoded.content != request.path_params["content"]:
            raise GoneError(f"{decoded.image} is another file now; open it again")
        if is_flat:
            decoded = desk.flats.of(decoded)
        rows, cols = decoded.pixels.shape
        if top >= rows or left >= cols:
            wrong(f"row {top}, column {left} lies outside the frame of {rows} rows and {cols} columns")
        part = decoded.pixels[top : top + height, left : left + width]
        if -(-part.shape[0] // pool) * -(-part.shape[1] // pool) > IN_ONE_PIECE:
            wrong(f"more than {IN_ONE_PIECE:,} samples are not sent at once; ask for a part, or pool more")
        made = shrunk(desk, decoded, part, pool)
        octets = made.tobytes()
        return zlib.compress(octets, 1) if deflate else octets, made.shape, str(made.dtype)

    octets, shape, code = await in_thread(look)
    headers = {**_FOR_AN_HOUR, "X-Shape": ",".join(map(str, shape)), "X-Code": code.replace("uint", "u")}
    return Response(octets, headers=headers, media_type="application/octet-stream")


def shrunk(desk: Desk, decoded: Frame, part: np.ndarray[Any, Any], pool: int) -> np.ndarray[Any, Any]:
    """Return samples of a part of a frame, in the code of the whole."""
    code = code_for(decoded.pixels, desk.statistics(decoded))
    polarity = desk.session.setup.polarity
    return pooled(coded(part, code), pool, polarity, nonfinite=code.nonfinite)


async def value(request: Request) -> Response:
    """Answer with the exact value of one pixel."""
    desk, (image, number) = desk_of(request), place_of(request)
    fields = of_query(request)
    row, col = fields.whole("row", 0, SIDE), fields.whole("col", 0, SIDE)
    fields.done()

    def look() -> dict[str, Any]:
        pixels = desk.load(desk.name(image), number).pixels
        if row >= pixels.shape[0] or col >= pixels.shape[1]:
            rows, cols = pixels.shape
            wrong(f"row {row}, col {col} lies outside the frame of {rows} rows and {cols} columns")
        return {"value": value_text(pixels, row, col), "type": str(pixels.dtype)}

    return json_answer(await in_thread(look))

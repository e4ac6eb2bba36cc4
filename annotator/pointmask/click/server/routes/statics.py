"""The page itself: a shell without data, and the files that it loads, by a table made at the start."""

from hashlib import blake2b
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from pointmask.click.server.wire.answers import Refusal

SHELL = "index.html"

FOLDER = Path(__file__).parents[2] / "static"
"""Where they lie."""

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
}


def table() -> dict[str, Path]:
    """Return the files of the page by name; nothing else is ever served."""
    return {
        path.relative_to(FOLDER).as_posix(): path
        for path in sorted(FOLDER.rglob("*"))
        if path.suffix in _TYPES and path.is_file()
    }


def answer(files: dict[str, Path], name: str, request: Request) -> Response:
    """
    Answer with one file.

    Raises
    ------
    Refusal
        With status 404 if the table has none of this name.
    """
    file = files.get(name)
    if file is None:
        raise Refusal(404, "address", "there is no such file", "reload the page")
    data = file.read_bytes()
    tag = f'"{blake2b(data, digest_size=8).hexdigest()}"'
    headers = {"Cache-Control": "no-cache", "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(data, headers=headers, media_type=_TYPES[file.suffix])

"""The application: which address leads where, and how whatever goes wrong is told."""

import threading
import time
import traceback
from collections.abc import Awaitable, Callable
from itertools import count

import click
from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from pointmask.click.contract.errors import (
    ConflictError,
    GoneError,
    InvalidError,
    NotFoundError,
    NotWrittenError,
)
from pointmask.click.server.desk import Desk
from pointmask.click.server.jobs import Jobs
from pointmask.click.server.queues import Queues
from pointmask.click.server.routes import about, looking, marking, reviewing, statics, working
from pointmask.click.server.shapes import frame_shape
from pointmask.click.server.wire.answers import Refusal, error_answer
from pointmask.errors import ImageError, PointmaskError
from pointmask.version import __version__

Handler = Callable[[Request], Awaitable[Response]]

_STATUSES: tuple[tuple[type[PointmaskError], int, str, str], ...] = (
    (InvalidError, 400, "invalid", "change it, and try again"),
    (NotFoundError, 404, "not_found", "reload the page"),
    (GoneError, 410, "gone", "go on with another image"),
    (ConflictError, 409, "conflict", "look at the frame as it is now, and edit it again"),
    (NotWrittenError, 507, "not_written", "make room, or bring the drive back; the page sends this again"),
    (ImageError, 422, "unreadable", "go on with another image"),
    (PointmaskError, 400, "refused", "change it, and try again"),
)
"""What an error of the session or the reader is called; the first that fits."""

_faults = count(1)


class _Hash(Convertor[str]):
    regex = "[0-9a-f]{32}"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _File(_Hash):
    regex = "[a-z0-9_-]+(?:/[a-z0-9_-]+)*[.][a-z0-9]+"


class _Number(Convertor[int]):
    regex = "[0-9]{1,9}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("number", _Number())
register_url_convertor("hash", _Hash())
register_url_convertor("file", _File())


def make_app(desk: Desk, warm: threading.Event, jobs: Jobs) -> Starlette:
    """
    Make the application, which lets in everybody: it is served behind a `Guard`.

    Parameters
    ----------
    desk : Desk
    warm : Event
        Set when the kernels are compiled; what needs them is refused until then.
    jobs : Jobs
    """
    app = Starlette(routes=routes(), exception_handlers={HTTPException: _http_error})
    app.state.desk = desk
    app.state.warm = warm
    app.state.jobs = jobs
    app.state.writer = marking.Writer()
    app.state.queues = Queues()
    app.state.files = statics.table()
    return app


def routes() -> list[Route]:
    """Return the table of addresses."""
    place = "{image:number}/{frame:number}"
    return [
        Route("/", _told(_shell)),
        Route("/static/{name:file}", _told(_static)),
        Route("/api/session", _told(about.session)),
        Route("/api/tree", _told(looking.tree)),
        Route("/api/images", _told(looking.images)),
        Route("/api/find", _told(looking.find)),
        Route("/api/next", _told(looking.following)),
        Route(f"/api/frame/{place}", _told(looking.frame)),
        Route(f"/api/flat/{place}", _told(looking.flat)),
        Route(f"/api/samples/{{content:hash}}/{place}", _told(looking.samples)),
        Route(f"/api/value/{place}", _told(looking.value)),
        Route(f"/api/crop/{place}/{{target:number}}", _told(reviewing.crop)),
        Route(f"/api/sequence/{place}", _told(reviewing.sequence)),
        Route("/api/queue", _told(reviewing.queue)),
        Route("/api/summary", _told(reviewing.summary)),
        Route("/api/jobs", _told(working.start), methods=["POST"]),
        Route("/api/jobs/{job:number}", _told(working.state)),
        Route("/api/jobs/{job:number}", _told(working.cancel), methods=["DELETE"]),
        Route("/api/theta", _told(working.theta), methods=["POST"]),
        Route("/api/preview", _told(marking.preview), methods=["POST"]),
        Route("/api/edits", _told(marking.edits), methods=["POST"]),
        Route("/api/undo", _told(marking.undo), methods=["POST"]),
        Route("/api/redo", _told(marking.redo), methods=["POST"]),
        Route("/api/changes", _told(marking.changes)),
    ]


async def _shell(request: Request) -> Response:
    return statics.answer(request.app.state.files, statics.SHELL, request)


async def _static(request: Request) -> Response:
    return statics.answer(request.app.state.files, request.path_params["name"], request)


def _told(handler: Handler) -> Handler:
    """Turn errors into answers, and add how long the server took."""

    async def endpoint(request: Request) -> Response:
        start = time.perf_counter()
        try:
            answer = await handler(request)
        except Refusal as refusal:
            answer = error_answer(refusal)
        except PointmaskError as error:
            answer = error_answer(_refusal(error))
        except (ClientDisconnect, HTTPException):
            raise
        except Exception:
            answer = error_answer(_fault(request))
        answer.headers["X-Time"] = f"{1000 * (time.perf_counter() - start):.2f}"
        answer.headers["X-Pointmask-Version"] = __version__
        return answer

    return endpoint


def _refusal(error: PointmaskError) -> Refusal:
    _, status, code, fix = next(row for row in _STATUSES if isinstance(error, row[0]))
    more = {"frame": frame_shape(error.frame)} if isinstance(error, ConflictError) else {}
    return Refusal(status, code, str(error), fix, more)


def _fault(request: Request) -> Refusal:
    """Tell of a fault of ours: a number that the terminal repeats with all that is known."""
    number = next(_faults)
    click.echo(f"Fault {number} at {request.url.path}:\n{traceback.format_exc()}", err=True)
    return Refusal(
        500,
        "fault",
        f"something went wrong inside pointmask (fault {number}); nothing was changed",
        f"try again; the terminal says more under fault {number}, which the authors would like to see",
    )


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        message = f"{request.method} is not used at this address"
        return error_answer(Refusal(405, "method", message, "reload the page", headers=error.headers))
    return error_answer(Refusal(404, "address", "there is no such address", "reload the page"))

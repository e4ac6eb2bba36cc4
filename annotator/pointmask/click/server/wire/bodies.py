"""Bodies of requests: not too large, not too slow."""

import asyncio
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pointmask.click.server.wire.answers import Refusal, error_answer
from pointmask.click.server.wire.fields import MOST_BODY

PATIENCE = 10.0
"""Seconds within which a body must be here."""

_MOST_DRAINED = 2**23  # bytes
_PAUSE = 0.5  # seconds without a byte, after which nothing more is waited for

_CLOSE = {"Connection": "close"}


class Bodies:
    """
    Stops to read a body that is too large or too slow.

    Parameters
    ----------
    app : ASGIApp
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        deadline, size = loop.time() + PATIENCE, 0
        is_whole = False

        async def receive_some() -> Message:
            nonlocal size, is_whole
            if is_whole:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), max(deadline - loop.time(), 0.0))
            except asyncio.TimeoutError:
                late = f"the body was not here after {PATIENCE:g} s"
                raise Refusal(408, "slow", late, "send it again", headers=_CLOSE) from None
            size += len(message.get("body", b""))
            if size > MOST_BODY:
                await _drain(receive)
                raise _too_large(size)
            is_whole = not message.get("more_body", False)
            return message

        length = Headers(scope=scope).get("content-length", "")
        if length.isascii() and length.isdigit() and (len(length) > 9 or int(length) > MOST_BODY):
            await _drain(receive)
            await error_answer(_too_large(length))(scope, receive, send)
            return
        await self._app(scope, receive_some, send)


async def _drain(receive: Receive) -> None:
    """Throw away what is on its way: closed too early, a connection loses the answer, too."""
    left = _MOST_DRAINED
    with suppress(asyncio.TimeoutError):
        while left > 0:
            some = await asyncio.wait_for(receive(), _PAUSE)
            left -= len(some.get("body", b""))
            if not some.get("more_body", False):
                return


def _too_large(size: object) -> Refusal:
    message = f"the body has {size} bytes; at most {MOST_BODY:,} are read"
    return Refusal(413, "large", message, "send fewer edits at once", headers=_CLOSE)

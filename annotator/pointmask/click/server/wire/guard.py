"""What stands before every address: only the page of this server is let in, and told how little it may do.

The token is the lock. Host, Origin and ``Sec-Fetch-Site`` are looked at before it, so that another site in
the same browser learns nothing, not even whether an address exists. No header ever allows another origin.

The shell, which holds no data, may be navigated to from anywhere: from a link in a mail or a hub, and from
the redirect page that opens the browser, whose origin is a file. It can be neither framed nor fetched there.
"""

import hmac
import re
import secrets
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pointmask.click.server.wire.address import is_loopback
from pointmask.click.server.wire.answers import Refusal, error_answer

TOKEN = "X-Pointmask-Token"
"""Header in which the page sends the token; a hub keeps ``Authorization`` and cookies for itself."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "",
}
"""Of every answer, whatever its status."""

_METHODS = ("GET", "POST", "DELETE")
_API = "/api/"
_AUTHORITY = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::[0-9]{1,5})?", re.ASCII)
_PORTS = {"http": ":80", "https": ":443"}


def new_token() -> str:
    """Return 256 random bits as text that needs no escape in an address."""
    return secrets.token_urlsafe(32)


class Guard:
    """
    Lets requests of the page through to an application, and adds `HEADERS` to whatever is answered.

    Parameters
    ----------
    app : ASGIApp
        Everything behind the guard.
    token : str
        Of this start of the server; compared in constant time.
    allowed : collection of str
        Host names, without port, under which the page may be called besides those of loopback.
    on_first : callable, optional
        Called when the first request with the token has come.
    """

    def __init__(
        self,
        app: ASGIApp,
        token: str,
        allowed: Collection[str] = (),
        on_first: Callable[[], None] | None = None,
    ) -> None:
        self._app, self._on_first = app, on_first
        self._token = token.encode()
        self._allowed = frozenset(name.lower() for name in allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            self._check(scope)
        except Refusal as refusal:
            await error_answer(refusal)(scope, receive, send_guarded)
        else:
            await self._app(scope, receive, send_guarded)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host = self._checked_host(headers.getlist("host"))
        method, path = scope["method"], scope["path"]
        _check_origin(headers.getlist("origin"), host)
        if not _is_own_fetch(headers, is_shell=method == "GET" and path == "/"):
            raise Refusal(
                403,
                "site",
                f"the request comes from another site (Sec-Fetch-Site: {_short(headers['sec-fetch-site'])})",
                "open the address that the terminal shows in a tab of its own",
            )
        if method not in _METHODS:
            raise Refusal(
                405, "method", f"{_short(method)} is not used here", f"use one of {', '.join(_METHODS)}"
            )
        if path.startswith(_API):
            self._check_token(headers.getlist(TOKEN))

    def _checked_host(self, values: list[str]) -> str:
        authority = values[0].lower() if len(values) == 1 else ""
        match = _AUTHORITY.fullmatch(authority)
        if match is None or not (is_loopback(match["host"]) or match["host"] in self._allowed):
            raise Refusal(
                403,
                "host",
                f"the page was called as {_short(values)}, which is neither this machine nor allowed",
                "start with: pointmask click --allow-host NAME, if the name is yours",
            )
        return authority

    def _check_token(self, values: list[str]) -> None:
        given = values[0].encode("utf-8", "surrogateescape") if len(values) == 1 else b""
        if not hmac.compare_digest(given, self._token):
            raise Refusal(
                401,
                "token",
                "the request carries no token of this start of the server",
                "open the address that the terminal shows now; it ends in the token",
            )
        if self._on_first is not None:
            on_first, self._on_first = self._on_first, None
            on_first()


def _check_origin(values: list[str], host: str) -> None:
    """Refuse an Origin that is not the page's own; none is sent with many requests of the same origin."""
    for value in values:
        parts = urlsplit(value.lower())
        own = {host, host.removesuffix(_PORTS.get(parts.scheme, ":"))}
        if (
            parts.scheme not in _PORTS
            or parts.netloc not in own
            or value.lower() != (f"{parts.scheme}://{parts.netloc}")
        ):
            raise Refusal(
                403,
                "origin",
                f"the request comes from a page of {_short(value)}, not from this server's own",
                "open the address that the terminal shows; behind a proxy, let it keep the Host header",
            )


def _is_own_fetch(headers: Headers, *, is_shell: bool) -> bool:
    """Say whether the browser, if it says from where a request comes, says that it is from this page."""
    sites = headers.getlist("sec-fetch-site")
    if all(site == "same-origin" for site in sites):
        return True
    is_visit = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) == ("navigate", "document")
    return is_shell and (sites == ["none"] or is_visit)


def _short(value: object) -> str:
    return repr(value)[:80]

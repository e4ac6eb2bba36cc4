"""Where the page is: the socket, the address with the token, the way there over ssh, and the browser."""

import getpass
import os
import secrets
import socket
import stat
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from html import escape
from ipaddress import ip_address
from pathlib import Path
from shlex import quote

from pointmask.errors import PointmaskError

PORTS = range(8765, 8785)
"""Tried in this order where none is asked for."""

_WAITING = 128  # connections that were not accepted yet

_LIFE = 60.0  # seconds of the redirect page, unless the page is opened before


class AddressError(PointmaskError, OSError):
    """The server cannot listen where it was told to."""


def is_loopback(host: str) -> bool:
    """Say whether a host name or address is of this machine alone."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def listen(host: str, port: int | None) -> socket.socket:
    """
    Bind a socket, and listen.

    Parameters
    ----------
    host : str
        Name or address.
    port : int, optional
        0 is any free one; by default the first free one of `PORTS`.

    Raises
    ------
    AddressError
        If the host is none of this machine, or the port is in use.
    """
    refused: OSError | None = None
    for one in PORTS if port is None else (port,):
        try:
            family, kind, protocol, _, place = socket.getaddrinfo(host, one, type=socket.SOCK_STREAM)[0]
            bound = socket.socket(family, kind, protocol)
        except OSError as error:
            raise AddressError(
                f"host {host} is not known here ({error.strerror}); leave out --host"
            ) from None
        try:
            if os.name == "posix":  # elsewhere it would let two programs share a port
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(place)
            bound.listen(_WAITING)  # now, so that a browser that is quicker than the server waits for it
        except OSError as error:
            bound.close()
            refused = error
        else:
            return bound
    assert refused is not None
    where = f"{host}, port {PORTS[0]} to {PORTS[-1]}" if port is None else f"{host}, port {port}"
    raise AddressError(f"{where}: {refused.strerror}; choose another, or any free one: --port 0")


@contextmanager
def listening_at(path: Path) -> Iterator[socket.socket]:
    """
    Bind a Unix socket that nobody but the user can open; it is removed at the end.

    Parameters
    ----------
    path : Path
        Where nothing lies yet, or a socket at which nobody listens any more.

    Raises
    ------
    AddressError
        If the socket cannot be made there.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise AddressError("this system has no Unix sockets; leave out --socket")
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_left_over(path)
        before = os.umask(0o177)  # no moment in which others may connect
        try:
            bound.bind(os.fspath(path))
        finally:
            os.umask(before)
        mine = path.stat()
        bound.listen(_WAITING)
    except OSError as error:
        bound.close()
        why = error.strerror or error
        raise AddressError(f"socket {path}: {why}; choose another place for --socket") from None
    try:
        yield bound
    finally:
        bound.close()
        with suppress(OSError):
            if os.path.samestat(mine, path.stat()):
                path.unlink()


def _remove_left_over(path: Path) -> None:
    """Remove the socket of a server that was killed."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            return
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        try:
            other.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink()


def page_address(port: int, host: str, token: str, view: str = "") -> str:
    """Return the address of a view; the token stands behind the #, which no browser sends anywhere."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/#{view and view + '&'}token={token}"


def ssh_line(port: int, environment: Mapping[str, str], path: Path | None = None) -> str | None:
    """
    Return what to type on the machine that one sits at.

    Parameters
    ----------
    port : int
        Of the server, and there.
    environment : Mapping
        ``SSH_CONNECTION`` says whether and whereto one is connected.
    path : Path, optional
        Of a socket that the server listens at instead of a port.

    Returns
    -------
    str or None
        None without a connection, if there is a port.
    """
    words = environment.get("SSH_CONNECTION", "").split()
    is_connected = len(words) == 4
    if path is None and not is_connected:
        return None
    other = "" if not is_connected or words[3] == "22" else f"-p {words[3]} "
    host = words[2] if is_connected else socket.gethostname()
    to = f"127.0.0.1:{port}" if path is None else path.absolute()
    user = login_name()
    return f"ssh {other}-L {quote(f'{port}:{to}')} {user and user + '@'}{host}"


def login_name() -> str:
    """Return the user's name; empty where the system knows none, as in a container."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def has_browser(environment: Mapping[str, str]) -> bool:
    """Say whether a browser opened here would be seen by the user."""
    if environment.get("SSH_CONNECTION"):
        return False
    return sys.platform in ("darwin", "win32") or any(
        environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )


class Redirect:
    """
    A page in a file of mode 0600 that leads to the address, so that the token is on no command line.

    Parameters
    ----------
    address : str
        Of the page, token included.
    folder : Path, optional
        Where to put it; the user's runtime folder by default.
    """

    def __init__(self, address: str, folder: Path | None = None) -> None:
        place = folder or Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
        self.path = place / f"pointmask-{secrets.token_hex(8)}.html"
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        link = escape(address, quote=True)
        with os.fdopen(file, "w", encoding="utf-8") as text:
            text.write(
                '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>pointmask</title>'
                f'<meta http-equiv="refresh" content="0;url={link}"></head>'
                f'<body><p><a href="{link}">pointmask click</a></p></body></html>\n'
            )
        self._timer = threading.Timer(_LIFE, self.remove)
        self._timer.daemon = True
        self._timer.start()

    def open(self) -> None:
        """Open it in the user's browser, in a thread, since some browsers do not return."""
        threading.Thread(target=webbrowser.open, args=(self.path.as_uri(),), daemon=True).start()

    def remove(self) -> None:
        """Remove it, if it is still there."""
        self._timer.cancel()
        with suppress(OSError):
            self.path.unlink()

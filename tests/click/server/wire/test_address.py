"""Where the page says that it is."""

import getpass
import os
import socket
from pathlib import Path

import pytest

from pointmask.cli.clicking import click
from pointmask.click.server.wire.address import (
    PORTS,
    AddressError,
    has_browser,
    is_loopback,
    listen,
    listening_at,
    login_name,
    page_address,
    ssh_line,
)


def test_loopback():
    assert all(is_loopback(host) for host in ("localhost", "127.0.0.1", "127.8.8.8", "::1", "[::1]"))
    assert not any(is_loopback(host) for host in ("0.0.0.0", "10.0.0.1", "example", "::", "1.127.0.0.1"))


def test_the_next_free_port_is_taken():
    with listen("127.0.0.1", None) as first, listen("127.0.0.1", None) as second:
        ports = [one.getsockname()[1] for one in (first, second)]
        assert ports[0] in PORTS
        assert ports[1] in PORTS
        assert ports[0] != ports[1]


def test_the_token_stands_behind_the_hash():
    with listen("127.0.0.1", 0) as bound:
        port = bound.getsockname()[1]
        assert page_address(port, "127.0.0.1", "abc") == f"http://127.0.0.1:{port}/#token=abc"
        assert page_address(port, "::1", "abc") == f"http://[::1]:{port}/#token=abc"
        assert page_address(port, "::1", "abc", "/review") == f"http://[::1]:{port}/#/review&token=abc"


needs_unix = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="there are no Unix sockets here")


@needs_unix
def test_a_socket_is_the_user_s_alone_and_goes_with_the_server(tmp_path):
    path = tmp_path / "s"
    with listening_at(path):
        assert path.stat().st_mode & 0o777 == 0o600
        with pytest.raises(AddressError, match="in use; choose another place"), listening_at(path):
            pass
        assert path.exists()
    assert not path.exists()


@needs_unix
def test_what_a_killed_server_left_is_replaced_and_nothing_else(tmp_path):
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(os.fspath(tmp_path / "s"))
    with listening_at(tmp_path / "s"):
        pass
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "file", tmp_path / "missing/s", tmp_path / ("n" * 120)):
        with pytest.raises(AddressError, match="choose another place"), listening_at(place):
            pass
    assert (tmp_path / "file").read_text() == "mine"


def test_the_way_over_ssh():
    user = getpass.getuser()
    assert ssh_line(8765, {}) is None
    here = {"SSH_CONNECTION": "10.0.0.9 50000 10.0.0.5 22"}
    assert ssh_line(8765, here) == f"ssh -L 8765:127.0.0.1:8765 {user}@10.0.0.5"
    other = {"SSH_CONNECTION": "10.0.0.9 50000 10.0.0.5 2222"}
    assert ssh_line(9000, other) == f"ssh -p 2222 -L 9000:127.0.0.1:9000 {user}@10.0.0.5"
    at = Path("/run/my socket")
    assert ssh_line(8765, here, at) == f"ssh -L '8765:/run/my socket' {user}@10.0.0.5"
    assert ssh_line(8765, {}, Path("/s")) == f"ssh -L 8765:/s {user}@{socket.gethostname()}"
    assert not has_browser({**here, "DISPLAY": ":0"})


def test_the_way_over_ssh_of_a_user_without_a_name(monkeypatch):
    def unknown():
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", unknown)
    here = {"SSH_CONNECTION": "10.0.0.9 50000 10.0.0.5 22"}
    assert ssh_line(8765, here) == "ssh -L 8765:127.0.0.1:8765 10.0.0.5"
    assert login_name() == ""


def test_without_a_folder_for_the_page_no_browser_is_opened(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "gone"))
    assert click._redirect_to("http://127.0.0.1:8765/#token=a") is None
    assert "no browser is opened" in capsys.readouterr().err

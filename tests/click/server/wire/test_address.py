"""Where the page says that it is."""

import getpass

from pointmask.click.server.wire.address import (
    PORTS,
    has_browser,
    is_loopback,
    listen,
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
        assert page_address(bound, "127.0.0.1", "abc") == f"http://127.0.0.1:{port}/#token=abc"
        assert page_address(bound, "::1", "abc") == f"http://[::1]:{port}/#token=abc"
        assert page_address(bound, "::1", "abc", "/review") == f"http://[::1]:{port}/#/review&token=abc"


def test_the_way_over_ssh():
    user = getpass.getuser()
    assert ssh_line(8765, {}) is None
    here = {"SSH_CONNECTION": "10.0.0.9 50000 10.0.0.5 22"}
    assert ssh_line(8765, here) == f"ssh -L 8765:127.0.0.1:8765 {user}@10.0.0.5"
    other = {"SSH_CONNECTION": "10.0.0.9 50000 10.0.0.5 2222"}
    assert ssh_line(9000, other) == f"ssh -p 2222 -L 9000:127.0.0.1:9000 {user}@10.0.0.5"
    assert not has_browser({**here, "DISPLAY": ":0"})

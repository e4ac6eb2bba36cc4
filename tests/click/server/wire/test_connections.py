"""Slow and idle connections, on a server that has less patience than usual."""

import socket
import time

import pytest
from tools.click.serving import scenes, serving

from pointmask.click.server.wire import bodies, connections


@pytest.fixture
def page(tmp_path, monkeypatch):
    monkeypatch.setattr(connections, "PATIENCE", 0.3)
    monkeypatch.setattr(bodies, "PATIENCE", 0.3)
    with serving(scenes(tmp_path / "images", 1)) as client:
        yield client


def until_closed(connection, seconds=20):
    """All that the server says before it closes; fails if it does not."""
    connection.settimeout(seconds)
    parts = []
    try:
        while part := connection.recv(65_536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


@pytest.mark.parametrize("start", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: "])
def test_x16_a_head_that_does_not_end_is_not_waited_for(page, start):
    with socket.create_connection(("127.0.0.1", page.port)) as connection:
        connection.sendall(start)
        assert until_closed(connection) == b""


def test_x16_a_second_head_that_does_not_end(page):
    with socket.create_connection(("127.0.0.1", page.port)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET / HTTP/1.1\r\nHost: loc")
        until_closed(connection)


def test_x16_a_slow_body_is_answered_with_408(page):
    head = f"POST /api/edits HTTP/1.1\r\nHost: localhost\r\nX-Pointmask-Token: {page.token}\r\n"
    head += "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    with socket.create_connection(("127.0.0.1", page.port)) as connection:
        connection.sendall(head.encode())
        assert until_closed(connection).startswith(b"HTTP/1.1 408")


def test_a_slow_answer_is_no_slow_head(page, monkeypatch):
    desk = page.server.desk
    name = desk.name

    def slow(image):
        time.sleep(0.6)
        return name(image)

    monkeypatch.setattr(desk, "name", slow)
    assert page.get("/api/value/0/0?row=1&col=1").status == 200


def test_x16_more_connections_than_the_limit_are_closed_and_others_go_on(page, monkeypatch):
    monkeypatch.setattr(connections, "MOST", 10)
    assert page.get("/api/session").status == 200
    crowd = [socket.create_connection(("127.0.0.1", page.port)) for _ in range(30)]
    try:
        assert sum(until_closed(one) == b"" for one in crowd) == 30
        assert page.get("/api/session").status == 200
    finally:
        for one in crowd:
            one.close()

"""What the page promises about security, a test each; X3 and what else needs a browser is tested there."""

import os
import re
import socket
import threading
from html import unescape

import pytest
from click.testing import CliRunner
from starlette.routing import Route
from tools.click.serving import Client, scenes, serving

from pointmask import cli
from pointmask.click.server import app
from pointmask.click.server.routes import statics
from pointmask.click.server.wire.address import AddressError, Redirect, listen
from pointmask.click.server.wire.guard import HEADERS, new_token

API = (
    *(
        "session",
        "tree",
        "images?folder=0",
        "find?text=f",
        "next?from=0",
        "frame/0/0",
        "value/0/0?row=1&col=1",
    ),
    *("changes?since=0", f"samples/{'0' * 32}/0/0"),
)
POSTED = ("edits", "undo", "redo", "preview")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with serving(scenes(tmp_path_factory.mktemp("page") / "images"), allowed=["hub.example"]) as client:
        yield client


def journal(client):
    return (client.server.desk.session.setup.out / "clicks.jsonl").read_bytes()


def test_x1_only_this_machine_can_connect(page, tmp_path):
    with listen("127.0.0.1", 0) as bound:
        assert bound.getsockname()[0] == "127.0.0.1"
    words = ["click", str(scenes(tmp_path / "images")), "--host", "0.0.0.0", "--no-browser"]
    done = CliRunner().invoke(cli.main, words)
    assert done.exit_code == 2
    assert "--allow-host" in done.output
    with pytest.raises(AddressError, match="choose another"):
        listen("127.0.0.1", page.port)


def test_x2_no_address_answers_without_the_token(page):
    wrong = [None, "", "wrong", page.token + "x", page.token[:-1], [page.token, page.token], "\xe9"]
    for token in wrong:
        for path in API:
            assert page.get(f"/api/{path}", token=token).status == 401, (token, path)
        for path in POSTED:
            assert page.post(f"/api/{path}", {}, token=token).status == 401, (token, path)
    for path in (f"/api/session?token={page.token}", f"/api/session?{page.token}", "/api/nothing"):
        assert page.get(path, token=None).status == 401
    answer = page.get("/api/session", token=None, Cookie=f"token={page.token}", Authorization=page.token)
    assert answer.status == 401


def test_x2_tokens_are_long_and_new(page):
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(token) >= 43 and re.fullmatch(r"[\w-]+", token) for token in tokens)
    for path in ("/", "/static/main.js", "/api/session", "/api/nothing", "/api/frame/0/77", "/api/tree?x=1"):
        answer = page.get(path)
        assert page.token.encode() not in answer.body + str(answer.headers).encode()


def test_x2_the_browser_is_led_by_a_file_that_only_the_user_can_read(tmp_path):
    address = "http://127.0.0.1:8765/#token=a-b_c"
    redirect = Redirect(address, tmp_path)
    assert redirect.path.stat().st_mode & 0o777 == 0o600
    assert address in unescape(redirect.path.read_text())
    assert "a-b_c" not in redirect.path.as_uri()
    redirect.remove()
    redirect.remove()
    assert not list(tmp_path.iterdir())


GOOD_HOSTS = (
    "127.0.0.1",
    "127.0.0.1:8765",
    "localhost:1",
    "LocalHost",
    "127.9.9.9",
    "[::1]:8765",
    "Hub.Example:443",
)
BAD_HOSTS = (
    *("evil.example", "127.0.0.1.evil.example", "", "localhost.", "127.0.0.1.", "hub.example.evil.example"),
    *("localhost@evil.example", "localhost evil", "localhost/", "127.0.0.1:80:80", "2130706433", "0.0.0.0"),
    *("127.1", "[::]", "xhub.example", "localhost:port", "127.0.0.256"),
)


@pytest.mark.parametrize("path", ["/", "/static/main.js", "/api/session"])
def test_x4_the_host_is_this_machine_or_allowed(page, path):
    for host in GOOD_HOSTS:
        assert page.get(path, Host=host).status == 200, host
    for host in BAD_HOSTS:
        assert page.get(path, Host=host).status == 403, host


def test_x4_one_host_and_no_more(page):
    # Two are refused by the parser; none at all is what HTTP/1.0 may send.
    for head in (b"Host: localhost\r\nHost: localhost\r\n", b""):
        answer = by_hand(page, b"GET / HTTP/1.1\r\n" + head + b"Connection: close\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 400")
    assert b" 403 " in by_hand(page, b"GET / HTTP/1.0\r\n\r\n").splitlines()[0]


def test_x5_other_sites_can_neither_write_nor_ask(page):
    own = f"127.0.0.1:{page.port}"
    edit = {"edits": [{"op": "add", "image": 0, "frame": 0, "edit": "evil", "row": 5, "col": 5}]}
    before = journal(page)
    foreign = (
        *(
            {"Origin": origin}
            for origin in ("http://evil.example", "null", "http://127.0.0.1:1", f"{own}", "")
        ),
        *({"Origin": f"http://{own}{more}"} for more in ("/", "/x", ".evil.example", "@evil.example")),
        {"Origin": f"ftp://{own}"},
        {"Origin": [f"http://{own}", "http://evil.example"]},
        *({"Sec_Fetch_Site": site} for site in ("cross-site", "same-site", "none", "nonsense")),
    )
    for headers in foreign:
        assert page.post("/api/edits", edit, **headers).status == 403, headers
        assert page.get("/api/session", **headers).status == 403, headers
    assert journal(page) == before
    for path in ("/static/icon.svg", "/api/frame/0/0", "/api/frame/99/0", "/"):
        image_tag = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "image"}
        assert page.get(path, token=None, **image_tag).status == 403
    frame = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"}
    assert page.get("/", token=None, **frame).status == 403


def test_x5_the_page_itself_is_let_in(page):
    own = f"http://127.0.0.1:{page.port}"
    assert page.get("/api/session", Origin=own, Sec_Fetch_Site="same-origin").status == 200
    assert page.get("/api/session", Host="hub.example", Origin="https://hub.example").status == 200
    assert page.get("/api/session", Host="hub.example:443", Origin="https://hub.example").status == 200
    assert page.get("/api/session", Host="hub.example", Origin="https://hub.example:444").status == 403
    assert page.get("/", Sec_Fetch_Site="none").status == 200
    link = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert page.get("/", token=None, **link).status == 200
    assert page.get("/static/main.js", token=None, **link).status == 403


def test_x6_bodies_are_json_small_and_shallow(page):
    before = journal(page)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", None):
        answer = page.ask("POST", "/api/edits", raw=b'{"edits": []}', Content_Type=kind)
        assert answer.status == 415
    texts = (
        *(b"", b"[]", b"null", b"{", b'"a"', b"\xff\xfe", b'{"edits": NaN}', b'{"edits": Infinity}'),
        *(b'{"edits": [], "edits": []}', b'{"edits": 1e999}', b'{"edits": ' + b"9" * 5000 + b"}"),
        *(b'{"edits": [{"op": "add", "op": "drop"}]}', b'{"edits":' + b"[" * 10_000 + b"]" * 10_000 + b"}"),
        b'{"edits":' + b"[" * 30 + b"]" * 30 + b"}",
    )
    for text in texts:
        answer = page.ask("POST", "/api/edits", raw=text, Content_Type="application/json; charset=utf-8")
        assert answer.status == 400, text[:60]
        assert answer.json["error"]["fix"]
    assert journal(page) == before


def test_x6_a_body_of_more_than_a_mebibyte_is_not_read(page):
    for raw, length in ((b" " * (2**20 + 1), None), (b"{}", str(2**40))):
        more = {"Content_Length": length} if length else {}
        answer = page.ask("POST", "/api/edits", raw=raw, Content_Type="application/json", **more)
        assert answer.status == 413
        assert answer.headers["Connection"] == "close"
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    head = f"POST /api/edits HTTP/1.1\r\nHost: localhost\r\nX-Pointmask-Token: {page.token}\r\n"
    head += "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert b" 413 " in by_hand(page, head.encode() + chunk * 20).splitlines()[0]


def test_x7_no_other_origin_is_ever_allowed(page):
    for path in ("/", "/static/main.js", "/api/session", "/api/edits"):
        preflight = {"Origin": f"http://127.0.0.1:{page.port}", "Access_Control_Request_Method": "POST"}
        answer = page.ask("OPTIONS", path, token=None, **preflight)
        assert answer.status == 405
        for method in ("GET", "POST", "PUT", "TRACE"):
            answer = page.ask(method, path, {} if method == "POST" else None)
            assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_x8_no_part_of_an_address_is_a_path(page):
    for route in app.routes():
        assert isinstance(route, Route)
        kinds = {type(convertor).__name__ for convertor in route.param_convertors.values()}
        assert kinds <= {"_Number", "_Hash", "_File"}, route.path
    hostile = (
        *(
            "/static/../server/app.py",
            "/static/..%2fserver%2fapp.py",
            "/static/%2e%2e/__init__.py",
            "/static//main.js",
        ),
        *(
            "/static/main.js%00",
            "/static/%5c..%5cmain.js",
            "/static/",
            "/static/.",
            "/static//etc/passwd",
            "//etc/passwd",
        ),
        *(
            "/static/" + "a" * 10_000 + ".js",
            "/api/frame/../0",
            "/api/frame/%2e%2e/0",
            "/api/frame/0/0/../../session/x",
        ),
        *(
            "/api/frame/-1/0",
            "/api/frame/0x1/0",
            "/api/frame/" + "9" * 5000 + "/0",
            "/api/frame/1e3/0",
            "/api/frame/%d9%a3/0",
        ),
        *(
            "/api/frame/0/0%00",
            "/api/samples/..%2f..%2fetc%2fpasswd/0/0",
            f"/api/samples/{'g' * 32}/0/0",
            "/etc/passwd",
        ),
    )
    for path in hostile:
        assert page.get(path).status in (400, 404), path
    for name in ("../" * 20 + "etc/passwd", "/etc/passwd", "..\\..", "a" * 10_000, "\0"):
        assert page.post("/api/preview", {"image": name, "frame": 0, "row": 1, "col": 1}).status == 400


def test_x9_only_samples_of_images_leave_the_server(tmp_path):
    images = scenes(tmp_path / "images", 1)
    secret = tmp_path / "secret"
    secret.write_text("root:x:0:0:do not tell:/root:/bin/sh\n" * 50)
    (images / "a-link.png").symlink_to(secret)
    (images / "b-text.png").write_bytes(secret.read_bytes())
    (images / "c-folder.png").mkdir()
    (images / "g-gone.png").symlink_to(tmp_path / "nothing")
    names = ["a-link.png", "b-text.png", "g-gone.png"]
    if hasattr(os, "mkfifo"):
        os.mkfifo(images / "d-pipe.png")
        (images / "e-device.png").symlink_to("/dev/zero")
        names += ["d-pipe.png", "e-device.png"]
        pipe = socket.socket(socket.AF_UNIX)
        with pipe:
            try:
                pipe.bind(str(images / "s.png"))
                names.append("s.png")
            except OSError:
                pass  # the path is too long for a socket
    with serving(images) as client:
        for name in names:
            number = client.server.desk.listing.number(name)
            for path in (
                f"frame/{number}/0",
                f"value/{number}/0?row=0&col=0",
                f"samples/{'0' * 32}/{number}/0",
            ):
                answer = client.get(f"/api/{path}")
                assert answer.status == (410 if name == "g-gone.png" else 422), name
                assert b"do not tell" not in answer.body
        assert client.server.desk.listing.number("c-folder.png") is None


def test_x11_every_answer_carries_the_headers(page):
    answers = [
        page.get("/"),
        page.get("/static/main.js"),
        page.get("/api/session"),
        page.get("/api/session", token=None),
        page.get("/", Host="evil.example"),
        page.get("/nothing"),
        page.ask("POST", "/api/edits", raw=b" " * (2**20 + 1), Content_Type="application/json"),
        page.ask("OPTIONS", "/"),
    ]
    frame = page.get("/api/frame/0/0")
    answers += [frame, page.get(f"/api/samples/{frame.json['content']}/0/0")]
    for answer in answers:
        for name, value in HEADERS.items():
            assert answer.headers.get_all(name) == [value]
        wanted = "no-store" if answer.headers["Content-Type"] == "application/json" else None
        assert wanted in (None, answer.headers["Cache-Control"])
        assert "Server" not in answer.headers
        assert "Set-Cookie" not in answer.headers
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    no_http = by_hand(page, b"\x16\x03\x01 hello\r\n\r\n")
    assert b"Content-Security-Policy" in no_http or b"content-security-policy" in no_http


def test_x15_a_folder_that_others_may_write_to_is_named(tmp_path):
    images = scenes(tmp_path / "images", 1)
    out = tmp_path / "out"
    out.mkdir()
    out.chmod(0o777)
    warnings = []
    with serving(images, out, warn=warnings.append):
        pass
    assert [f"{out} may be written by other users" in sentence for sentence in warnings] == [True]


def test_x16_a_flood_loses_no_edit(page):
    answers = []

    def click(k):
        client = Client(page.server, page.port, page.token)
        for n in range(10):
            edit = {
                "op": "add",
                "image": 1,
                "frame": 0,
                "edit": f"flood-{k}-{n}",
                "row": 3 + k,
                "col": 3 + 4 * n,
            }
            answers.append(client.post("/api/edits", {"edits": [edit]}).status)
        client.close()

    threads = [threading.Thread(target=click, args=(k,)) for k in range(16)]
    idle = [socket.create_connection(("127.0.0.1", page.port)) for _ in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in idle:
        one.close()
    assert answers == [200] * 160
    assert len(set(re.findall(rb'"flood-[0-9-]+"', journal(page)))) == 160


def test_x17_behind_a_proxy_with_a_prefix_all_addresses_are_relative(page):
    # The proxy strips its prefix and keeps the headers, the hub's cookies among them.
    hub = {
        "Host": "hub.example",
        "Origin": "https://hub.example",
        "Cookie": "jupyterhub-session-id=1; _xsrf=2",
    }
    assert page.get("/", **hub).status == 200
    assert page.get("/api/session", **hub).status == 200
    assert page.post("/api/preview", {"image": 0, "frame": 0, "row": 20, "col": 30}, **hub).status == 200
    shell = page.get("/").body.decode()
    assert re.findall(r'(?:src|href)="([^"]*)"', shell)
    assert not re.findall(r'(?:src|href)="(?:/|https?:)', shell)


def test_x18_the_page_is_made_of_files_of_ours_alone():
    files = statics.table()
    folder = statics.FOLDER
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert set(files) == there
    assert {path.suffix for path in files.values()} <= {".html", ".js", ".css", ".svg"}
    for name, path in files.items():
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(?:import|src|href|url)\b[^\n]{0,9}https?://", text), name
        assert max(len(line) for line in text.splitlines()) < 1000, f"{name} looks like a bundle"


def by_hand(page, octets):
    """Send bytes, return all that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", page.port), timeout=30) as connection:
        connection.sendall(octets)
        parts = []
        while part := connection.recv(65_536):
            parts.append(part)
            if b"\r\n\r\n" in part:
                break
    return b"".join(parts)

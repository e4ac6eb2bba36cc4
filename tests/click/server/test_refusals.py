"""What each address of the page refuses, and that nothing is written then."""

import os

import pytest
from tools.click.serving import scene, scenes, serving
from tools.folders import save

from pointmask.click.contract.errors import NotWrittenError
from pointmask.click.server import app

WRONG = (
    *(
        "tree?under=-1",
        "tree?under=x",
        "tree?x=1",
        "tree?under=0&under=1",
        "images?count=501",
        "images?count=0",
    ),
    *("images?from=-1", "images?state=all", "find", "find?text=", "find?text=" + "a" * 201, "find?text=a%00"),
    *(
        "next",
        "next?from=0&step=2",
        "next?from=0&want=none",
        "frame/0/0?x=1",
        "value/0/0?row=1",
        "value/0/0?row=64&col=1",
    ),
    *("changes", "changes?since=-1", "crop/0/0/1?side=32", "crop/0/0/1?side=999", "queue?order=contrast"),
    *("queue?low=nan", "queue?low=2", "queue?count=51", "session?x=1", "summary?x=1"),
    *(
        f"samples/{'0' * 32}/0/0?{query}"
        for query in ("pool=3", "pool=2&top=1", "height=0", "deflate=2", "top=x")
    ),
)


@pytest.mark.parametrize("path", WRONG)
def test_wrong_questions_are_400_and_say_why(page, path):
    answer = page.get(f"/api/{path}")
    assert answer.status == 400, answer.body
    error = answer.json["error"]
    assert error["code"] == "invalid"
    assert error["message"]
    assert error["fix"]


MISSING = (
    *(
        "tree?under=9",
        "images?folder=9",
        "next?from=99",
        "frame/99/0",
        "frame/0/1",
        "frame/3/3",
        "value/99/0?row=0&col=0",
    ),
    *(f"samples/{'0' * 32}/99/0", "crop/0/0/1", "jobs/1", "nothing", "frame/0", "frame/x/0", "sequence/99/0"),
)


@pytest.mark.parametrize("path", MISSING)
def test_what_is_not_there_is_404(page, path):
    answer = page.get(f"/api/{path}")
    assert answer.status == 404, answer.body
    assert answer.json["error"]["message"]


ADD = {"op": "add", "image": 0, "frame": 0, "edit": "x", "row": 1, "col": 1}
WRONG_EDITS = (
    *(
        [],
        [ADD] * 101,
        {},
        "x",
        None,
        [1],
        [{**ADD, "op": "nothing"}],
        [{**ADD, "more": 1}],
        [{**ADD, "row": 1.5}],
    ),
    *(
        [{**ADD, "row": True}],
        [{**ADD, "row": "1"}],
        [{**ADD, "row": None}],
        [{**ADD, "row": 64}],
        [{**ADD, "col": -1}],
    ),
    *(
        [{**ADD, "edit": ""}],
        [{**ADD, "edit": "x" * 65}],
        [{**ADD, "edit": 1}],
        [{**ADD, "base": "1"}],
        [{**ADD, "base": -1}],
    ),
    *(
        [{**ADD, "label": "a\nb"}],
        [{**ADD, "label": "x" * 201}],
        [{**ADD, "label": 1}],
        [{**ADD, "polarity": "grey"}],
    ),
    *([{k: v for k, v in ADD.items() if k != name}] for name in ADD),
    [{"op": "set", "image": 0, "frame": 0, "edit": "x", "target": 1}],
    [{"op": "paint", "image": 0, "frame": 0, "edit": "x", "target": 1, "set": [[1, 2]]}],
    [{"op": "paint", "image": 0, "frame": 0, "edit": "x", "target": 1, "set": [[0, 0, 0]] * 20_001}],
    [{"op": "frame", "image": 0, "frame": 0, "edit": "x", "state": "lost"}],
)


@pytest.mark.parametrize("edits", WRONG_EDITS, ids=range(len(WRONG_EDITS)))
def test_wrong_edits_are_400_and_write_nothing(page, edits):
    before = page.journal()
    answer = page.post("/api/edits", {"edits": edits})
    assert answer.status == 400, answer.body
    assert answer.json["error"]["message"]
    assert page.journal() == before


def test_other_refusals(client):
    assert client.edit("add", image=77, row=1, col=1).status == 404
    assert client.edit("add", frame=1, row=1, col=1).status == 404
    assert client.edit("drop", target=5).status == 404
    assert client.edit("accept", proposal=1).status == 404
    assert client.post("/api/jobs", {"kind": "nothing"}).status == 400
    assert client.post("/api/undo", {"steps": 101}).status == 400
    assert client.post("/api/redo", {"step": 1}).status == 400
    assert client.edit("add", row=20, col=30).status == 200
    again = client.edit("add", row=20, col=30)
    assert again.status == 400
    assert "this very pixel" in again.json["error"]["message"]


def test_a_file_that_changes_or_goes_is_410(client, tmp_path):
    content = client.get("/api/frame/0/0").json["content"]
    client.edit("add", row=20, col=30)
    save(tmp_path / "images/f0.png", scene(5))
    os.utime(tmp_path / "images/f0.png", ns=(1, 1))
    assert client.get(f"/api/samples/{content}/0/0").status == 410
    facts = client.get("/api/frame/0/0")
    assert facts.status == 200
    assert facts.json["changed"]
    assert client.edit("add", row=40, col=50).status == 410
    assert client.edit("use_new_file").status == 200
    assert client.edit("add", row=40, col=50).status == 200
    (tmp_path / "images/f1.png").unlink()
    assert client.get("/api/frame/1/0").status == 410
    assert client.get("/api/images?folder=0").json["rows"][1]["state"] == "changed"
    assert client.get("/api/frame/2/0").status == 200


def test_an_edit_means_the_image_of_its_name_and_the_file_that_was_seen(client, tmp_path):
    """Numbers are others when the server is started again after images came or went."""
    first, second = (client.get(f"/api/frame/{k}/0").json for k in (0, 1))
    answer = client.edit("add", image=1, row=20, col=30, name=first["name"], content=first["content"])
    assert answer.status == 200
    assert answer.json["frames"][0]["image"] == 0
    assert client.edit("add", image=0, row=40, col=50, name="gone.png").status == 404
    for content, status in ((first["content"], 410), (second["content"], 200)):
        edited = client.edit("add", image=1, row=20, col=30, name=second["name"], content=content)
        assert edited.status == status
    client.server.desk.listing.complete = False  # it may still come
    assert client.edit("add", row=40, col=50, name="new.png").status == 503
    assert client.edit("add", row=40, col=50, name=7).status == 400
    found = client.get(f"/api/find?name={second['name']}").json["rows"]
    assert found == [{"id": 1, "name": second["name"]}]
    assert client.get("/api/find?name=f").json["rows"] == []


def test_a_conflict_is_409_and_tells_how_the_frame_stands(client):
    first = client.edit("add", row=20, col=30, base=0)
    revision = first.json["frames"][0]["revision"]
    before = client.journal()
    answer = client.edit("add", row=40, col=50, base=0)
    assert answer.status == 409
    assert answer.json["frame"]["revision"] == revision
    assert [target["point"] for target in answer.json["frame"]["targets"]] == [[20, 30]]
    assert client.journal() == before
    assert client.edit("add", row=40, col=50, base=revision).status == 200


def test_h1_the_same_edit_again_is_answered_and_not_done_twice(client):
    edit = {"edits": [{**ADD, "row": 20, "col": 30}]}
    first, second = client.post("/api/edits", edit), client.post("/api/edits", edit)
    assert first.status == second.status == 200
    assert first.json["seq"] == second.json["seq"]
    assert second.json["frames"][0]["targets"] == first.json["frames"][0]["targets"]


def test_h1_the_same_undo_again_is_done_once(client):
    for row, col in ((20, 30), (40, 50)):
        client.edit("add", row=row, col=col)
    answers = [client.post("/api/undo", {"steps": 1, "edit": "u-1"}).json for _ in range(2)]
    assert answers[0]["seq"] == answers[1]["seq"]
    assert len(client.get("/api/frame/0/0").json["targets"]) == 1


def test_h2_all_edits_of_a_request_or_none(client):
    before = client.journal()
    good = {**ADD, "edit": "a", "row": 20, "col": 30}
    assert client.post("/api/edits", {"edits": [good, {**ADD, "edit": "b", "row": 999}]}).status == 400
    assert client.journal() == before
    assert (
        client.post("/api/edits", {"edits": [good, {**ADD, "edit": "b", "row": 40, "col": 50}]}).status == 200
    )


def test_h3_looking_changes_nothing_on_the_disk(client):
    out = client.server.desk.session.setup.out
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    content = client.get("/api/frame/0/0").json["content"]
    paths = ("session", "tree", "images", "find?text=f", "next?from=0", "frame/1/0", "value/0/0?row=1&col=1")
    for path in (*paths, "changes?since=0", "queue", "summary", "sequence/0/0", f"samples/{content}/0/0"):
        assert client.get(f"/api/{path}").status == 200
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_a_journal_that_cannot_be_written_is_507_and_changes_nothing(client, monkeypatch):
    session = client.server.desk.session

    def full(edits):
        raise NotWrittenError("no space left on the device")

    monkeypatch.setattr(session, "edit", full)
    answer = client.edit("add", row=20, col=30)
    assert answer.status == 507
    assert "no space left" in answer.json["error"]["message"]
    monkeypatch.undo()
    assert client.edit("add", row=20, col=30).status == 200


def test_read_only_pages_write_nothing(tmp_path):
    images = scenes(tmp_path / "images")
    (tmp_path / "out").mkdir()
    with serving(images, tmp_path / "out", read_only=True) as client:
        assert client.get("/api/session").json["read_only"]
        assert client.edit("add", row=1, col=1).status == 403
        assert client.post("/api/undo", {}).status == 403
        assert client.post("/api/jobs", {"kind": "publish"}).status == 403
        assert client.get("/api/frame/0/0").status == 200
    assert not list((tmp_path / "out").iterdir())


def test_until_the_kernels_are_compiled_what_needs_them_is_503(client, monkeypatch):
    client.server.warm.wait()
    client.server.warm.clear()
    monkeypatch.setattr(client.server.warm, "wait", lambda timeout=None: False)
    answer = client.edit("add", row=20, col=30)
    assert answer.status == 503
    assert answer.headers["Retry-After"] == "2"
    assert client.get("/api/frame/0/0").status == 200


def test_r15_a_fault_in_a_handler_is_told_and_changes_nothing(tmp_path, monkeypatch, capsys):
    """Every address, with a desk that breaks wherever it is touched."""

    class Broken:
        def __getattr__(self, name):
            raise RuntimeError(f"broken at {name}")

    with serving(scenes(tmp_path / "images")) as client:
        client.server.warm.wait()
        before = client.journal()
        state = client.server.app.state
        whole = state.desk
        posted = {
            "/api/edits": {"edits": [ADD]},
            "/api/preview": {"image": 0, "frame": 0, "row": 1, "col": 1},
            "/api/jobs": {"kind": "publish"},
            "/api/theta": {"job": 1},
        }
        for name in ("desk", "jobs", "queues"):
            monkeypatch.setattr(state, name, Broken(), raising=False)
        for route in app.routes():
            path = route.path
            if not path.startswith("/api/"):
                continue
            for part, value in (("content:hash", "0" * 32), ("image:number", 0), ("frame:number", 0)):
                path = path.replace(f"{{{part}}}", str(value))
            path = path.replace("{target:number}", "1").replace("{job:number}", "1")
            needs = {"/api/find": "?text=f", "/api/next": "?from=0", "/api/changes": "?since=0"}
            needs["/api/value/0/0"] = "?row=0&col=0"
            method = "POST" if "POST" in route.methods else "DELETE" if "DELETE" in route.methods else "GET"
            body = posted.get(path, {}) if method == "POST" else None
            answer = client.ask(method, path + needs.get(path, ""), body)
            assert answer.status == 500, path
            number = answer.json["error"]["message"].split("fault ")[1].split(")")[0]
            told = capsys.readouterr().err
            assert f"Fault {number} at {path}" in told
            assert "broken at" in told
            assert client.token not in told
        monkeypatch.undo()
        state.desk = whole
        assert client.edit("add", row=20, col=30).status == 200
        assert len(client.journal()) == len(before) + 1

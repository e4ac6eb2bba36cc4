"""Nothing that was answered is lost, whatever happens to the server and its folder."""

import os
import random
from http.client import HTTPException

import pytest
from tools.click.process import started
from tools.click.serving import scenes, serving

posix = pytest.mark.skipif(os.name != "posix", reason="processes are killed and folders moved as on POSIX")


@posix
def test_r1_what_was_answered_is_there_after_a_kill_and_what_was_not_is_done_once(tmp_path):
    images = scenes(tmp_path / "images")
    turn = random.Random(0)
    places = [(row, col) for row in range(4, 60, 7) for col in range(4, 76, 7)]
    answered, waiting = [], []
    for _ in range(3):
        with started(images) as (process, client, _said):
            kept = {tuple(target["point"]) for target in client.get("/api/frame/0/0").json["targets"]}
            assert set(answered) <= kept <= set(answered) | set(waiting)
            kill_after = len(answered) + turn.randint(2, 8)
            try:
                while len(answered) < kill_after + 3:
                    place = (waiting or [places.pop()])[0]
                    waiting = [place]
                    edit = {"op": "add", "image": 0, "frame": 0, "edit": f"p-{place}"}
                    edit |= {"row": place[0], "col": place[1]}
                    if len(answered) == kill_after:
                        process.kill()
                    answer = client.post("/api/edits", {"edits": [edit]})
                    if answer.status == 200:  # else the kernels are not there yet
                        answered.append(place)
                        waiting = []
            except (OSError, HTTPException):
                pass
            process.wait()
    with started(images) as (_, client, _said):
        kept = [tuple(target["point"]) for target in client.get("/api/frame/0/0").json["targets"]]
        assert set(answered) <= set(kept) <= set(answered) | set(waiting)
        assert len(kept) == len(set(kept))


@posix
def test_r5_a_folder_that_is_gone_loses_nothing_and_no_other_is_made(tmp_path):
    images = scenes(tmp_path / "images")
    out = tmp_path / "out"
    with serving(images, out) as client:
        assert client.edit("add", row=20, col=30).status == 200
        out.rename(tmp_path / "away")
        edit = {"op": "add", "image": 0, "frame": 0, "edit": "later", "row": 40, "col": 50}
        for _ in range(2):
            answer = client.post("/api/edits", {"edits": [edit]})
            assert answer.status == 507
            assert answer.json["error"]["message"]
        assert not out.exists()
        assert len(client.get("/api/frame/0/0").json["targets"]) == 1
        (tmp_path / "away").rename(out)
        assert client.post("/api/edits", {"edits": [edit]}).status == 200
        assert len(client.get("/api/frame/0/0").json["targets"]) == 2
        assert [line["op"] for line in client.journal()].count("add") == 2


def test_h4_edits_of_one_page_are_done_in_their_order(tmp_path):
    with serving(scenes(tmp_path / "images")) as client:
        client.edit("add", row=20, col=30)
        for k in range(30):
            assert client.edit("set", target=1, row=20, col=30 + k % 3).status == 200
        moves = [line["point"] for line in client.journal() if line["op"] == "set"]
        assert moves == [[20, 30 + k % 3] for k in range(1, 30)]

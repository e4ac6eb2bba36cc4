"""``check`` on a folder in which people click."""

import pytest
from PIL import Image
from tools.click.opening import open_session
from tools.click.session import THETA, Clicker, FolderFrames, crowd

from pointmask.click.session.setup import Setup
from pointmask.doctor.examine import examine
from pointmask.io.images.open import open_source


@pytest.fixture
def folders(tmp_path):
    images, out = tmp_path / "images", tmp_path / "out"
    images.mkdir()
    for k in range(4):
        Image.fromarray(crowd(seed=k)).save(images / f"f{k}.png")
    with open_session(
        Setup(out=out, annotator="mei", theta=THETA), FolderFrames(open_source(images))
    ) as session:
        for k in range(4):
            Clicker(session, f"f{k}.png", f"c{k}").add(70, 60)
        Clicker(session, "f1.png", "u").set(1, verdict="unsure")
        Clicker(session, "f2.png", "n").mark("unfinished")
        session.publish()
    return images, out


def kinds(images, masks):
    return {finding.kind: finding for finding in examine(images, masks=masks).findings}


def test_what_is_left_to_do_is_noted(folders):
    images, out = folders
    for masks in (out, out / "masks"):
        found = kinds(images, masks)
        assert found["click unsure"].items == ('f1.png: x 60, y 70, by "mei"',)
        assert found["click unfinished"].items == ("f2.png: marked unfinished by mei",)
        assert not {"click ahead", "click journal", "click changed"} & found.keys()


def test_edits_that_are_not_published_are_a_problem(folders):
    images, out = folders
    with open_session(
        Setup(out=out, annotator="mei", theta=THETA), FolderFrames(open_source(images))
    ) as session:
        Clicker(session, "f0.png", "d").drop(1)
    assert kinds(images, out)["click ahead"].is_problem


def test_images_that_changed_or_are_gone(folders):
    images, out = folders
    Image.fromarray(crowd(seed=9)).save(images / "f0.png")
    (images / "f3.png").unlink()
    found = kinds(images, out)["click changed"]
    assert found.is_problem
    assert found.items[0] == "f0.png"
    assert found.items[1].startswith("f3.png: ")


def test_a_gap_in_the_journal_and_what_a_kill_left(folders):
    images, out = folders
    journal = out / "clicks.jsonl"
    data = journal.read_bytes()
    journal.write_bytes(data + b'{"seq": 10, "t')
    assert "click journal" not in kinds(images, out)
    lines = data.splitlines(keepends=True)
    for damaged, message in [
        ([*lines[:2], *lines[3:]], "line 3: its seq is 4, and 3 is due"),
        ([*lines[:2], b"rubbish\n", *lines[2:]], "line 3: it is no line of pointmask"),
    ]:
        journal.write_bytes(b"".join(damaged))
        assert message in kinds(images, out)["click journal"].items[0]


def test_other_folders_of_masks_say_nothing_of_clicks(folders):
    images, out = folders
    (out / "clicks.jsonl").unlink()
    assert not [kind for kind in kinds(images, out / "masks") if kind.startswith("click")]

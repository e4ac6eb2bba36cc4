"""What other commands say of a folder in which people click."""

import json

import pytest
from PIL import Image
from tools.click.session import THETA, clicking, crowd

from pointmask import annotate_folder
from pointmask.bench.cases import folder_sources
from pointmask.errors import OutputError
from pointmask.folder.records.manifest import read_manifest
from pointmask.folder.report.page import write_report
from pointmask.io.clicks import hand_made, is_ahead, notes_of_masks
from pointmask.io.formats.tables.native import Native
from pointmask.io.notes import gathering

PIXELS = {"a.png": crowd(), "b.png": crowd(seed=5)}


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for name, image in PIXELS.items():
        Image.fromarray(image).save(folder / name)
    return folder


@pytest.fixture
def out(tmp_path):
    path = tmp_path / "out"
    path.mkdir()
    return path


def test_a_journal_is_ahead_until_it_is_published(out):
    assert not is_ahead(out)
    with clicking(out, PIXELS) as clicker:
        assert not is_ahead(out)
        clicker.add(30, 30)
        assert is_ahead(out)
        clicker.session.publish()
        assert not is_ahead(out)
        clicker.set(1, label="x" * 200)
        assert is_ahead(out)
    with clicking(out, PIXELS) as clicker:
        assert is_ahead(out)
        clicker.session.publish()
    with clicking(out, PIXELS):
        pass
    assert not is_ahead(out)
    with (out / "clicks.jsonl").open("ab") as file:
        file.write(b'{"seq": 99, "image": "a.p')
    assert not is_ahead(out)


def test_an_edit_that_came_while_publishing_is_ahead(out):
    lines = [{"seq": 1, "op": "add", "image": "a"}, {"seq": 2, "op": "add", "image": "b"}]
    lines += [{"seq": 3, "op": "published", "upto": 1}, {"seq": 4, "op": "open"}]
    (out / "clicks.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert is_ahead(out)


def test_readers_of_a_folder_that_is_behind_say_so_once(out, images):
    with clicking(out, PIXELS) as clicker:
        clicker.add(30, 30)
        clicker.session.publish()
        clicker.add(33, 34)
    with gathering() as notes:
        Native().read(out)
        list(Native().read_masks(out, {}))
    assert len(notes.lines()) == 1
    assert f"pointmask click IMAGES --publish --out {out}" in notes.lines()[0]
    said = []
    folder_sources(images, out / "masks", out / "points.csv", say=said.append)
    assert any("are newer than the masks" in line for line in said)


def test_hand_made_masks_are_named_and_point_only_ones_are_not(out, images):
    with clicking(out, PIXELS) as clicker:
        clicker.add(30, 30)
        clicker.add(30, 30, image="b.png")
        clicker.session.publish()
        assert hand_made(out) == (0, 2)
        assert notes_of_masks(out / "masks") == []
        clicker.paint(1, put=[(5, 5, 9)])
        clicker.session.publish()
    assert hand_made(out) == (1, 2)
    with gathering() as notes:
        list(Native().read_masks(out, {}))
    (line,) = notes.lines()
    assert "drawn or changed by hand" in line
    assert "(a.png)" in line
    assert "1 of 2 frames" in notes_of_masks(out / "masks")[0]
    for path in (out, out / "masks"):
        assert "not those of points alone" in notes_of_masks(path)[0]
    page = write_report(out, images, theta=THETA, polarity="bright").read_text()
    assert "some masks drawn or changed by hand" in page
    assert "point only, no size prior" not in page


def test_a_report_of_clicks_alone_says_point_only(out, images):
    with clicking(out, PIXELS) as clicker:
        clicker.add(30, 30)
        clicker.session.publish()
    page = write_report(out, images, theta=THETA, polarity="bright").read_text()
    assert "point only, no size prior" in page
    assert "drawn or changed by hand" not in page


@pytest.mark.parametrize("what", ["paint", "level", "ring", "accepted", "theirs"])
@pytest.mark.parametrize("is_published", [True, False])
@pytest.mark.parametrize("overwrite", [True, False])
def test_annotate_never_replaces_what_people_judged(out, images, what, is_published, overwrite):
    with clicking(out, PIXELS) as clicker:
        clicker.add(30, 30)
        theirs = clicker.frame().targets[0].rle
        if what == "theirs":
            clicker.accept(70, 60, rle=theirs)
        else:
            {
                "paint": lambda: clicker.paint(1, put=[(5, 5, 9)]),
                "level": lambda: clicker.set(1, level=0.3),
                "ring": lambda: clicker.set(1, ring=-1),
                "accepted": lambda: clicker.set(1, verdict="accepted"),
            }[what]()
        if is_published:
            clicker.session.publish()
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    points = out.parent / "points.csv"
    points.write_text("image,x,y\na.png,30,30\n")
    with pytest.raises(OutputError, match=r"made or judged.*pointmask click IMAGES --review"):
        annotate_folder(images, points, out, overwrite=overwrite)
    assert {p: p.read_bytes() for p in out.rglob("*") if p.is_file()} == before


def test_annotate_goes_on_in_a_folder_of_clicks_alone(out, images):
    with clicking(out, PIXELS) as clicker:
        clicker.add(30, 30)
    points = out.parent / "points.csv"
    points.write_text("image,x,y\na.png,30,30\n")
    annotate_folder(images, points, out, overwrite=True)
    assert [entry["image"] for entry in read_manifest(out)] == ["a.png"]

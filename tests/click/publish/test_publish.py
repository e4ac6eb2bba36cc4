"""Publishing gives the folder that `pointmask annotate` would give for the same clicks, and more facts."""

import json
import threading
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image
from tools.click.session import Arrays, clicking, crowd, masks_of

from pointmask import annotate_folder, read_points
from pointmask.click.publish import folder
from pointmask.click.publish.folder import Cancelled
from pointmask.folder.records.manifest import read_manifest
from pointmask.io.formats.tables.native import Native
from pointmask.io.images.array import read_mask
from pointmask.io.notes import gathering

CLICKS = {"a.png": [(31, 30), (33, 35), (36, 30)], "seq/b.png": [(70, 60)]}


@pytest.fixture
def images(tmp_path):
    """Two images in a folder, and the same as arrays."""
    pixels = {"a.png": crowd(), "seq/b.png": crowd(seed=5)}
    folder = tmp_path / "images"
    for name, image in pixels.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / name)
    return folder, pixels


def click_all(clicker):
    for name, points in CLICKS.items():
        for row, col in points:
            clicker.add(row, col, image=name)


def files_of(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "clicks.jsonl" and not path.name.startswith(".")
    }


def entries_of(out):
    return {entry["image"]: entry for entry in read_manifest(out)}


def test_masks_and_entries_are_those_of_annotate(tmp_path, images):
    place, pixels = images
    out = tmp_path / "clicks"
    out.mkdir()
    with clicking(out, pixels) as clicker:
        click_all(clicker)
        done = clicker.session.publish()
        assert (done.done, done.skipped, done.targets) == (2, 0, 4)
        assert clicker.session.marked().keys() == {(name, 0) for name in CLICKS}
    points = tmp_path / "again.csv"
    points.write_bytes((out / "points.csv").read_bytes())
    annotate_folder(place, points, tmp_path / "annotated", save=("rle",))
    ours, theirs = entries_of(out), entries_of(tmp_path / "annotated")
    for name, entry in theirs.items():
        mask = f"masks/{name.rpartition('.')[0]}.png"
        assert (out / mask).read_bytes() == (tmp_path / "annotated" / mask).read_bytes()
        for target, wanted in zip(ours[name].pop("targets"), entry.pop("targets"), strict=True):
            assert wanted.items() <= target.items()
            assert target["made"] == "click"
            assert target["who"] == "mei"
        # Arrays in memory have a hash of their own.
        assert {**ours[name], "content": entry["content"]} == entry
    labelled = Native().read_masks(out, {})
    assert {image.key for image in labelled} == set(CLICKS)


def test_hand_masks_and_overrides_are_told_apart_in_every_entry(tmp_path, images):
    out = tmp_path / "clicks"
    out.mkdir()
    with clicking(out, images[1]) as clicker:
        click_all(clicker)
        clicker.set(1, level=0.3, image="a.png")
        clicker.set(2, ring=1, image="a.png")
        clicker.paint(3, put=[(40, 28, 33)], image="a.png")
        clicker.set(1, label="boat", polarity="bright", image="seq/b.png")
        clicker.set(1, verdict="accepted", image="seq/b.png")
        clicker.session.publish()
    entries = entries_of(out)
    assert (entries["a.png"]["size_prior"], entries["seq/b.png"]["size_prior"]) == ("hand", "none")
    first, second, third = entries["a.png"]["targets"]
    assert (first["level"], second["ring"], third["made"], third["confidence"]) == (0.3, 1, "hand", None)
    assert "level" not in second
    only = entries["seq/b.png"]["targets"][0]
    assert (only["label"], only["polarity"], only["verdict"]) == ("boat", "bright", "accepted")
    lines = [json.loads(line) for line in (out / "points.jsonl").read_text().splitlines()]
    assert lines[0]["points"][0] == {"x": 30, "y": 31, "level": 0.3}
    assert lines[0]["points"][1] == {"x": 35, "y": 33, "ring": 1}
    assert lines[1]["points"] == [{"x": 60, "y": 70, "label": "boat", "polarity": "bright"}]
    points = read_points(out / "points.jsonl")
    assert [(p.row, p.col) for p in points.by_image["a.png"]] == CLICKS["a.png"]
    assert len(points.notes) == 1
    assert "the level, ring and polarity that people chose on the click page are left out" in points.notes[0]
    assert "3 times" in points.notes[0]
    mask = np.asarray(Image.open(out / "masks" / "a.png"))
    assert mask[40, 28:34].all()


def test_facts_about_frames(tmp_path, images):
    out = tmp_path / "clicks"
    out.mkdir()
    source = Arrays({**images[1], "empty.png": crowd(seed=9), "none.png": crowd(seed=10)})
    with clicking(out, source) as clicker:
        click_all(clicker)
        clicker.mark("empty", image="empty.png")
        clicker.mark("unfinished", image="seq/b.png")
        clicker.add(50, 50, image="none.png")
        clicker.session.publish()
        assert (out / "masks" / "none.png").exists()
        clicker.drop(1, image="none.png")
        clicker.session.publish()
    entries = entries_of(out)
    assert entries["empty.png"]["targets"] == []
    assert entries["seq/b.png"]["reason"] == "marked unfinished by mei"
    assert not (out / "masks" / "seq" / "b.png").exists()
    assert not np.asarray(Image.open(out / "masks" / "empty.png")).any()
    assert "none.png" not in entries
    assert not (out / "masks" / "none.png").exists()
    assert read_points(out / "points.csv").by_image["empty.png"] == ()


def test_frames_of_one_file_have_masks_of_their_own(tmp_path):
    out = tmp_path / "clicks"
    out.mkdir()
    with clicking(out, {"s.tif": [crowd(), crowd(seed=4)]}) as clicker:
        clicker.add(31, 30, frame=1)
        clicker.session.publish()
    assert entries_of(out)["s.tif"]["mask"] == "masks/s_0001.png"
    assert (out / "masks" / "s_0001.png").exists()
    assert read_points(out / "points.jsonl").by_image.keys() == {"s.tif#1"}


def test_names_that_differ_by_suffix_alone_are_refused_with_a_sentence(tmp_path):
    out = tmp_path / "clicks"
    out.mkdir()
    for _ in range(2):  # the first time, masks are written while people click
        with clicking(out, {"a.png": crowd(), "a.tif": crowd(seed=4)}) as clicker:
            if not clicker.frame().targets:
                clicker.add(31, 30, image="a.png")
                clicker.add(31, 30, image="a.tif")
            done = clicker.session.publish()
    assert (done.done, done.skipped) == (0, 2)
    assert not (out / "masks" / "a.png").exists()
    assert "a.png and a.tif would both write the mask a.png" in entries_of(out)["a.tif"]["reason"]


@pytest.mark.parametrize("first", ["image", "frame"])
def test_a_frame_of_a_file_leaves_the_mask_of_an_image_that_has_its_number_as_annotate_does(tmp_path, first):
    out, pages = tmp_path / "clicks", [crowd(), crowd(seed=4)]
    out.mkdir()
    with clicking(out, {"a.tif": pages, "a_0001.png": crowd(seed=5)}) as clicker:
        for image in ("a_0001.png", "a.tif") if first == "image" else ("a.tif", "a_0001.png"):
            clicker.add(
                *((31, 30) if image == "a.tif" else (70, 60)), image=image, frame=int(image == "a.tif")
            )
        expected = masks_of(clicker.frame("a_0001.png"))[0]
        done = clicker.session.publish()
    assert (done.done, done.skipped) == (1, 1)
    entries = [json.loads(line) for line in (out / "manifest.jsonl").read_bytes().splitlines()]
    assert [entry["status"] for entry in entries] == ["skipped", "done"]
    assert "frame 1 of a.tif would write masks/a_0001.png, the mask of another image" in entries[0]["reason"]
    assert np.array_equal(read_mask(out / "masks/a_0001.png"), expected)
    with clicking(out, {"a.tif": pages}) as clicker:  # now the manifest alone knows the image
        clicker.add(50, 60, image="a.tif", frame=1)
        assert clicker.session.publish().skipped == 1
    assert np.array_equal(read_mask(out / "masks/a_0001.png"), expected)


@pytest.mark.parametrize("is_there", [True, False], ids=["mask", "no mask"])
def test_a_mask_that_the_manifest_gives_to_another_image_is_left_alone(tmp_path, images, is_there):
    place, pixels = images
    (place / "a.png").rename(place / "a.tif")
    out, mask = tmp_path / "out", tmp_path / "out/masks/a.png"
    (tmp_path / "p.csv").write_text("image,x,y\na.tif,30,31\n")
    annotate_folder(place, tmp_path / "p.csv", out)
    before = files_of(out)
    if not is_there:
        mask.unlink()
    for _ in range(2):
        with clicking(out, {"a.png": pixels["seq/b.png"]}) as clicker:
            if not clicker.frame().targets:
                clicker.add(70, 60)
            done = clicker.session.publish()
        assert (done.done, done.skipped) == (1, 1)
        assert mask.exists() == is_there
    after = files_of(out)
    assert after["manifest.jsonl"].endswith(before["manifest.jsonl"])
    if is_there:
        assert after["masks/a.png"] == before["masks/a.png"]
    assert "a.png and a.tif would both write" in entries_of(out)["a.png"]["reason"]


def test_a_mask_that_pointmask_did_not_write_is_neither_replaced_nor_removed(tmp_path, images):
    out, mask = tmp_path / "out", tmp_path / "out/masks/a.png"
    mask.parent.mkdir(parents=True)
    mask.write_bytes(b"drawn by hand")
    with clicking(out, images[1]) as clicker:
        click_all(clicker)
        assert clicker.session.publish().skipped == 1
        for target in (1, 2, 3):
            clicker.drop(target)
        clicker.session.publish()
        assert "a.png" not in entries_of(out)
    assert mask.read_bytes() == b"drawn by hand"
    mask.unlink()
    with clicking(out, images[1]) as clicker:
        clicker.add(31, 30)
        assert clicker.session.publish().done == 2
    assert mask.read_bytes() != b"drawn by hand"


def test_what_is_put_in_the_place_of_a_mask_that_was_removed_is_somebody_elses(tmp_path, images):
    out, mask = tmp_path / "out", tmp_path / "out/masks/a.png"
    out.mkdir()
    with clicking(out, images[1]) as clicker:
        click_all(clicker)
        clicker.session.publish()
        for target in (1, 2, 3):
            clicker.drop(target)
        clicker.session.publish()
        assert not mask.exists()
        mask.write_bytes(b"drawn by hand")
        clicker.add(31, 30)
        assert clicker.session.publish().skipped == 1
    assert mask.read_bytes() == b"drawn by hand"


def test_masks_of_a_session_that_was_killed_before_it_published_are_its_own(tmp_path, images):
    out, mask = tmp_path / "out", tmp_path / "out/masks/a.png"
    out.mkdir()
    with clicking(out, images[1]) as clicker:
        clicker.add(31, 30)
    assert mask.exists()
    with clicking(out, images[1]) as clicker:
        first = mask.read_bytes()
        clicker.add(33, 35)
        assert clicker.session.publish().done == 1
    assert mask.read_bytes() != first


def test_a_name_that_is_not_utf_8_stops_no_other_and_stays_in_the_list_that_can_hold_it(tmp_path, images):
    with clicking(
        tmp_path, {"bad\udcff.png": images[1]["a.png"], "c.png": images[1]["seq/b.png"]}
    ) as clicker:
        clicker.add(31, 30)
        clicker.add(70, 60, image="c.png")
        with gathering() as notes:
            assert clicker.session.publish().targets == 2
    assert [line.count("points.jsonl") for line in notes.lines()] == [1]
    assert (tmp_path / "points.csv").read_text() == "image,x,y\nc.png,60,70\n"
    assert set(dict(read_points(tmp_path / "points.jsonl"))) == {"bad\udcff.png", "c.png"}


def test_a_manifest_without_its_last_newline_is_read_up_to_there(tmp_path, images):
    with clicking(tmp_path, images[1]) as clicker:
        click_all(clicker)
        clicker.session.publish()
    whole = (tmp_path / "manifest.jsonl").read_bytes()
    (tmp_path / "manifest.jsonl").write_bytes(whole[:-30])
    with clicking(tmp_path, images[1]) as clicker:
        assert clicker.session.publish().done == 2
    assert (tmp_path / "manifest.jsonl").read_bytes() == whole


class Interrupted:
    """A function that is interrupted at one of its calls."""

    def __init__(self, real, after):
        self.real, self.left = real, after

    def __call__(self, *args, **options):
        self.left -= 1
        if self.left == -1:
            raise KeyboardInterrupt
        return self.real(*args, **options)


def test_a_second_publishing_gives_the_same_bytes_however_the_first_ended(tmp_path, images, monkeypatch):
    whole = tmp_path / "whole"
    whole.mkdir()
    with clicking(whole, images[1]) as clicker:
        click_all(clicker)
        clicker.session.publish()
    wanted = files_of(whole)
    journal = (whole / "clicks.jsonl").read_bytes().splitlines(keepends=True)
    steps = ["write_mask", "write_whole", "whole_file", "csv_lines", "put_whole", "_hash"]
    for name in steps:
        for after in range(3):
            out = tmp_path / f"{name}-{after}"
            out.mkdir()
            (out / "clicks.jsonl").write_bytes(b"".join(journal[:-1]))  # all but what says it is published
            with clicking(out, images[1]) as clicker:
                with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
                    patch.setattr(folder, name, Interrupted(getattr(folder, name), after))
                    clicker.session.publish()
                clicker.session.publish()
            assert files_of(out) == wanted, (name, after)


def test_a_publishing_that_is_cancelled_leaves_the_manifest_as_it_was(tmp_path, images):
    out = tmp_path / "clicks"
    out.mkdir()
    cancel = threading.Event()
    cancel.set()
    with clicking(out, images[1]) as clicker:
        click_all(clicker)
        with pytest.raises(Cancelled):
            clicker.session.publish(cancel=cancel)
        assert not (out / "manifest.jsonl").exists()
        seen = []
        clicker.session.publish(lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]


def test_entries_of_other_frames_stay_byte_for_byte(tmp_path, images):
    place, pixels = images
    out = tmp_path / "out"
    (tmp_path / "p.csv").write_text("image,x,y\na.png,30,31\nseq/b.png,60,70\n")
    annotate_folder(place, tmp_path / "p.csv", out)
    before = (out / "manifest.jsonl").read_bytes().splitlines()
    with clicking(out, {"c.png": pixels["a.png"]}) as clicker:
        clicker.add(31, 30)
        clicker.session.publish()
    after = (out / "manifest.jsonl").read_bytes().splitlines()
    assert [after[0], after[2]] == before
    assert json.loads(after[1])["image"] == "c.png"

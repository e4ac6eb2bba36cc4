"""What a folder held before its first line: reviewed masks, points to start from."""

import json

import numpy as np
import pytest
from PIL import Image
from tools.click.opening import open_session
from tools.click.session import THETA, Arrays, Clicker, clicking, crowd, masks_of

from pointmask import Point, annotate, annotate_folder
from pointmask.click.base.manifest import ManifestBase
from pointmask.click.contract.errors import ConflictError
from pointmask.click.session.setup import Setup
from pointmask.errors import OutputError, PointsError
from pointmask.folder.records.manifest import read_manifest

NAMES = ["a.png", "b.png", "c.png", "d/e.png"]
POINTS = "image,x,y\na.png,30,31\na.png,34,33\nb.png,60,70\nd/e.png,60,70\nd/e.png,10,10\n"
PIXELS = {name: crowd(seed=k) for k, name in enumerate(NAMES)}


def opened(out, **options):
    setup = Setup(out=out, annotator=options.pop("annotator", "mei"), theta=options.pop("theta", THETA))
    return open_session(setup, Arrays(PIXELS), **options)


@pytest.fixture(params=["masks", "rle", "instance"])
def annotated(tmp_path, request):
    folder = tmp_path / "images"
    for name, image in PIXELS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / name)
    (tmp_path / "points.csv").write_text(POINTS)
    out = tmp_path / "out"
    annotate_folder(
        folder, tmp_path / "points.csv", out, save=() if request.param == "masks" else (request.param,)
    )
    # In these tests, images are arrays, which have hashes of their own.
    lines = [json.loads(line) for line in (out / "manifest.jsonl").read_bytes().splitlines()]
    for line in lines:
        line["content"] = Arrays(PIXELS).load(line["image"], 0).content
    (out / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return out


def test_reviewed_masks_are_shown_as_they_are(annotated):
    with opened(annotated) as session:
        for name in ("a.png", "b.png", "d/e.png"):
            frame = session.frame(name, 0)
            wanted = annotate(PIXELS[name], [t.point for t in frame.targets], theta=THETA)
            for mask, target in zip(masks_of(frame), wanted.targets, strict=True):
                top, left, bottom, right = target.window
                assert np.array_equal(mask[top:bottom, left:right], target.mask)
                assert mask.sum() == target.area
            assert {t.made for t in frame.targets} == {"seeded"}
            assert frame.revision == 0
        assert session.frame("c.png", 0).targets == ()
        assert session.seq == 1


def test_a_reviewed_frame_goes_into_the_journal_before_it_changes(annotated):
    with opened(annotated) as session:
        Clicker(session).set(2, verdict="accepted")
        Clicker(session, name="f").set(1, level=0.3)
        frame = session.frame("a.png", 0)
        assert [t.verdict for t in frame.targets] == ["changed", "accepted"]
        session.undo(100)
        assert [t.verdict for t in session.frame("a.png", 0).targets] == [None, None]
        session.redo(100)
        before = (annotated / "manifest.jsonl").read_bytes().splitlines()
        session.publish()
    after = (annotated / "manifest.jsonl").read_bytes().splitlines()
    assert after[1:] == before[1:]
    assert json.loads(after[0])["size_prior"] == "hand"
    with opened(annotated) as session:
        assert session.frame("a.png", 0).targets == frame.targets


def test_another_folder_is_reviewed_as_a_copy(tmp_path, annotated):
    before = {p: p.read_bytes() for p in annotated.rglob("*") if p.is_file()}
    out = tmp_path / "review"
    for _ in range(2):
        with opened(out, review=annotated) as session:
            target = session.frame("b.png", 0).targets[0]
            Clicker(session, "b.png", name=f"e{session.seq}").set(1, row=target.point[0] - 1)
            session.publish()
    assert {p: p.read_bytes() for p in annotated.rglob("*") if p.is_file()} == before
    assert [e["image"] for e in read_manifest(out)] == ["a.png", "b.png", "d/e.png"]
    assert (out / "masks" / "a.png").read_bytes() == (annotated / "masks" / "a.png").read_bytes()
    assert not (out / "masks" / "a.png").samefile(annotated / "masks" / "a.png")
    with pytest.raises(OutputError, match=r"has no manifest\.jsonl; make one to review with"):
        opened(tmp_path / "x", review=tmp_path / "nothing").__enter__()


def test_masks_of_other_settings_that_cannot_be_told_apart_are_refused_with_a_way_out(annotated):
    lines = (annotated / "manifest.jsonl").read_text().replace(THETA.digest, "0" * 16)
    (annotated / "manifest.jsonl").write_text(lines)
    with opened(annotated) as session:
        only_masks = '"rle"' not in lines and not (annotated / "instances").exists()
        if only_masks:
            with pytest.raises(PointsError, match="annotate again with --save rle"):
                session.frame("a.png", 0)
        else:
            frame = session.frame("a.png", 0)
            assert {t.basis.theta for t in frame.targets} == {"0" * 16}
            # A neighbour with another theta keeps its mask, and what is moved is made anew.
            old = frame.targets[1].rle
            Clicker(session).set(1, row=30)
            first, second = session.frame("a.png", 0).targets
            assert (first.basis.theta, second.rle) == (THETA.digest, old)
        assert session.frame("b.png", 0).targets[0].area > 0


@pytest.mark.parametrize("count", [1, 2, 3, 50])
def test_entries_are_found_in_a_sorted_file_of_any_length(tmp_path, count):
    names = sorted(f"{'x' * (k % 7)}{k}.png" for k in range(count))
    entry = {"status": "done", "shape": [9, 9], "content": "c", "theta": "t", "version": "v"}
    entry |= {"polarity": "bright", "mask": None, "targets": []}
    (tmp_path / "manifest.jsonl").write_text(
        "".join(json.dumps({"image": n, "frame": f, **entry}) + "\n" for n in names for f in (0, 1))
    )
    base = ManifestBase(tmp_path, Setup(out=tmp_path, annotator="m", theta=THETA).settings)
    for name in names:
        for frame in (0, 1):
            found = base.frame((name, frame))
            assert (found.image, found.frame, found.state) == (name, frame, "empty")
        assert base.frame((name, 2)) is None
        assert base.frame((name + "z", 0)) is None
        assert base.frame(("0" + name, 0)) is None
    assert list(base.briefs()) == [((n, f), []) for n in names for f in (0, 1)]
    base.close()


def test_points_to_start_from_become_masks_when_a_frame_is_shown(tmp_path):
    points = {
        ("a.png", 0): (Point(31, 30), Point(33, 34, "boat")),
        ("b.png", 0): (),
        ("c.png", 0): (Point(140, 120, image_shape=(192, 192)),),
    }
    with opened(tmp_path, points=points) as session:
        frame = session.frame("a.png", 0)
        wanted = annotate(PIXELS["a.png"], [(31, 30), (33, 34)], theta=THETA)
        assert np.array_equal(np.logical_or(*masks_of(frame)), wanted.mask)
        assert [(t.made, t.label) for t in frame.targets] == [("seeded", None), ("seeded", "boat")]
        assert session.frame("b.png", 0).state == "empty"
        assert session.frame("c.png", 0).targets[0].point == (70, 60)
        assert session.seq == 1
        session.adopt([("c.png", 0), ("a.png", 0), ("a.png", 0)])
        assert session.seq == 4
        Clicker(session).drop(1)
        session.publish()
    assert [(e["image"], len(e["targets"])) for e in read_manifest(tmp_path)] == [("a.png", 1), ("c.png", 1)]
    with opened(tmp_path, points=points) as session:
        assert [t.target for t in session.frame("a.png", 0).targets] == [2]


def test_points_outside_their_image_are_told(tmp_path):
    with opened(tmp_path, points={("a.png", 0): (Point(500, 3),)}) as session, pytest.raises(PointsError):
        session.frame("a.png", 0)


def test_another_annotator_has_an_undo_of_their_own(tmp_path):
    source = Arrays(PIXELS)
    with clicking(tmp_path, source) as clicker:
        clicker.add(30, 30)
        clicker.add(70, 60, image="b.png")
    with clicking(tmp_path, source, annotator="ann") as clicker:
        assert clicker.session.undo(9).words == ()
        clicker.set(1, label="boat")
    with clicking(tmp_path, source) as clicker:
        assert clicker.session.undo().words == ("added target 1",)
        with pytest.raises(ConflictError, match="changed since by another annotator"):
            clicker.session.undo()
        assert clicker.frame().targets[0].label == "boat"
        assert clicker.frame().targets[0].who == "ann"

"""Tracking in a session equals ``annotate --track`` on the given points, and gives way to what people do."""

import threading

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from tools.click.opening import open_session
from tools.click.session import THETA, Clicker, FolderFrames

from pointmask.cli import main
from pointmask.click.contract.errors import ConflictError, InvalidError
from pointmask.click.jobs.fill import fill
from pointmask.click.jobs.track import is_given, track
from pointmask.click.publish.folder import Cancelled
from pointmask.click.session.setup import Setup
from pointmask.folder.records.manifest import read_manifest
from pointmask.io.images.open import open_source
from pointmask.io.points.points import Point
from pointmask.synth.sequence import Mover, make_sequence
from pointmask.tracking.sequences import sequence_of

COUNT, GONE = 10, 7


class Tracker:
    """A session on a sequence."""

    def __init__(self, session, images):
        self.session, self.images, self.source = session, images, FolderFrames(images)
        self.sequence = sequence_of(images, images.names(), "f0.png")
        self._count = 0

    def clicker(self, frame):
        self._count += 1
        return Clicker(self.session, f"f{frame}.png", f"c{self.session.seq}-{self._count}")

    def track(self, place=0, **options):
        return track(
            self.session, self.source, self.images, self.sequence, place, f"t{self.session.seq}", **options
        )

    def points(self):
        frames = [self.session.peek(*key) for key in self.sequence]
        return [[(*t.point, t.label, t.made, t.flags) for t in frame.targets] for frame in frames]


@pytest.fixture
def scene():
    movers = [
        Mover(start=(20, 20), velocity=(0.4, 1.8), size=3, snr=10),
        Mover(start=(70, 24), velocity=(-0.8, 1.0), size=4, shape="ellipse", snr=10, hidden=((GONE, 99),)),
    ]
    return make_sequence("sky", movers, count=COUNT, shape=(96, 96), seed=0)


@pytest.fixture
def tracker(tmp_path, scene):
    folder = tmp_path / "images"
    folder.mkdir()
    for k, frame in enumerate(scene.frames):
        Image.fromarray(frame).save(folder / f"f{k}.png")
    images = open_source(folder)
    setup = Setup(out=tmp_path / "out", annotator="mei", theta=THETA)
    with open_session(setup, FolderFrames(images)) as session:
        yield Tracker(session, images)


def click_first(tracker, scene, frame=0, label="boat"):
    clicker = tracker.clicker(frame)
    for row, col in scene.paths[:, frame].tolist():
        clicker.add(round(row), round(col), label=label)


def annotated(tracker, tmp_path, rows):
    """What the command makes of points."""
    points = tmp_path / "given.csv"
    points.write_text("image,x,y,label\n" + "".join(f"f{f}.png,{c},{r},boat\n" for f, r, c in rows))
    out = tmp_path / f"annotated{len(rows)}"
    arguments = [str(tmp_path / "images"), "--points", str(points), "--out", str(out), "--track"]
    done = CliRunner().invoke(main, ["annotate", *arguments, "--save", "rle"])
    assert done.exit_code in (0, 3), done.output
    return {entry["image"]: entry for entry in read_manifest(out)}


def check_equal(tracker, tmp_path, rows):
    tracker.session.publish()
    ours = {entry["image"]: entry for entry in read_manifest(tmp_path / "out")}
    theirs = annotated(tracker, tmp_path, rows)
    assert ours.keys() == theirs.keys()
    for name, entry in theirs.items():
        for target, wanted in zip(ours[name]["targets"], entry["targets"], strict=True):
            assert wanted.items() <= target.items()
            assert target["made"] == ("carried" if "carried" in wanted["flags"] else "click")


def given_rows(scene, frame=0):
    return [(frame, round(row), round(col)) for row, col in scene.paths[:, frame].tolist()]


def test_a_track_is_that_of_the_command(tracker, scene, tmp_path):
    click_first(tracker, scene)
    seen = []
    done = tracker.track(report=lambda *at: seen.append(at))
    assert (done.start, done.stop, done.frames) == (("f0.png", 0), None, COUNT - 1)
    assert seen == [(k, 2 * COUNT - 1) for k in range(1, 2 * COUNT)]
    assert [len(points) for points in tracker.points()] == [2] * GONE + [1] * (COUNT - GONE)
    check_equal(tracker, tmp_path, given_rows(scene))


def test_undo_takes_a_track_back_in_one_step_and_redo_brings_it_again(tracker, scene):
    click_first(tracker, scene)
    before = tracker.points()
    tracker.track()
    tracked = tracker.points()
    assert tracker.session.undo().words == ("tracked",)
    assert tracker.points() == before
    tracker.session.redo()
    assert tracker.points() == tracked


def test_an_edit_makes_its_frame_given_and_the_rest_is_tracked_from_there(tracker, scene, tmp_path):
    click_first(tracker, scene)
    tracker.track()
    frame = tracker.session.peek("f4.png", 0)
    first, second = frame.targets
    tracker.clicker(4).set(first.target, row=first.point[0] + 1)
    points = tracker.points()
    assert [made for *_, made, _ in points[4]] == ["click", "click"]
    assert is_given(tracker.session.peek("f4.png", 0))
    done = tracker.track(4)
    assert done.start == ("f4.png", 0)
    moved = [(4, first.point[0] + 1, first.point[1]), (4, *second.point)]
    check_equal(tracker, tmp_path, [*given_rows(scene), *moved])
    assert tracker.track(0).changed == []  # up to the next given frame, all is as before
    assert tracker.points()[:4] == points[:4]


def test_a_frame_known_to_be_empty_ends_a_track(tracker, scene):
    click_first(tracker, scene)
    tracker.clicker(3).mark("empty")
    assert tracker.track().stop == ("f3.png", 0)
    assert [len(points) for points in tracker.points()] == [2, 2, 2, *[0] * (COUNT - 3)]
    tracker.clicker(0).drop(1)
    tracker.track(0)
    assert [len(points) for points in tracker.points()] == [1, 1, 1, *[0] * (COUNT - 3)]


def test_frames_that_were_edited_meanwhile_are_not_overwritten(tracker, scene):
    click_first(tracker, scene)

    def edit(done, total):
        if done == 3:
            tracker.clicker(5).add(50, 50)

    with pytest.raises(ConflictError, match=r"f5\.png, frame 0, was edited while"):
        tracker.track(report=edit)
    assert [len(points) for points in tracker.points()] == [2, 0, 0, 0, 0, 1, 0, 0, 0, 0]
    assert tracker.track().stop == ("f5.png", 0)


def test_a_track_can_be_stopped_and_needs_a_given_frame(tracker, scene):
    with pytest.raises(InvalidError, match=r"no frame up to f3\.png, frame 0, holds targets"):
        tracker.track(3)
    click_first(tracker, scene)
    cancel = threading.Event()
    seq = tracker.session.seq
    with pytest.raises(Cancelled):
        tracker.track(report=lambda *at: cancel.set(), cancel=cancel)
    assert tracker.session.seq == seq


def test_a_frame_that_cannot_be_read_ends_the_tracks(tracker, scene):
    click_first(tracker, scene)
    (tracker.images.root / "f5.png").write_bytes(b"no image")
    tracker.track()
    assert [len(points) for points in tracker.points()] == [2] * 5 + [0] * 5
    assert all("last" in flags for *_, flags in tracker.points()[4])


def test_frames_of_one_file(tmp_path, scene):
    np.save(tmp_path / "s.npy", scene.frames)
    images = open_source(tmp_path)
    sequence = sequence_of(images, images.names(), "s.npy")
    assert sequence == [("s.npy", k) for k in range(COUNT)]
    with open_session(Setup(out=tmp_path / "o", annotator="m", theta=THETA), FolderFrames(images)) as session:
        for row, col in scene.paths[:, 2].tolist():
            Clicker(session, "s.npy", f"c{row}").add(round(row), round(col), frame=2)
        done = track(session, FolderFrames(images), images, sequence, 5, "t-1")
        assert done.start == ("s.npy", 2)
        assert [len(session.peek(*key).targets) for key in sequence] == [0, 0, 2, 2, 2, 2, 2, 1, 1, 1]


def test_all_points_that_were_given_become_masks(tmp_path, scene, tracker):
    points = {(f"f{k}.png", 0): (Point(20, 20),) for k in range(3)} | {("f3.png", 0): (Point(500, 1),)}
    out = tmp_path / "filled"
    with open_session(
        Setup(out=out, annotator="mei", theta=THETA), FolderFrames(tracker.images), points=points
    ) as session:
        seen = []
        problems = fill(session, report=lambda *at: seen.append(at))
        assert list(problems) == [("f3.png", 0)]
        assert "outside" in problems["f3.png", 0]
        assert seen[-1] == (4, 4)
        assert fill(session).keys() == problems.keys()
        session.publish()
    assert [entry["image"] for entry in read_manifest(out)] == ["f0.png", "f1.png", "f2.png"]

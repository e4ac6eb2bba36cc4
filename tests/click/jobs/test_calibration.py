"""Theta learns from judged masks in a process of its own; nothing that was judged changes."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from tools.click.opening import open_session
from tools.click.session import THETA, Clicker, FolderFrames, crowd, masks_of

from pointmask import Theta
from pointmask.cli import main
from pointmask.click.contract.errors import InvalidError
from pointmask.click.jobs.calibration import calibrate_session, examples_of, remake
from pointmask.click.publish.folder import Cancelled
from pointmask.click.session.setup import Setup
from pointmask.folder.records.manifest import read_manifest
from pointmask.io.images.open import open_source

WIDER = replace(THETA, level=0.2)


@pytest.fixture
def judged(tmp_path):
    """Ten frames: eight are corrected to wider masks, two are not judged."""
    folder = tmp_path / "images"
    folder.mkdir()
    for k in range(10):
        Image.fromarray(crowd(seed=k)).save(folder / f"f{k}.png")
    images = open_source(folder)
    setup = Setup(out=tmp_path / "out", annotator="mei", theta=THETA)
    with open_session(setup, FolderFrames(images)) as session:
        for k in range(10):
            clicker = Clicker(session, f"f{k}.png", f"c{k}")
            for row, col in [(70, 60), (30, 30)]:
                number = clicker.add(row, col).frames[0].frame.last
                if k < 8:
                    clicker.set(number, level=0.2)
                    clicker.set(number, verdict="accepted")
            for target in session.frame(f"f{k}.png", 0).targets if k < 8 else ():
                clicker.set(target.target, verdict="accepted")
        yield session, images


def test_examples_are_frames_that_were_judged_as_a_whole(judged):
    session, _ = judged
    assert [example.key[0] for example in examples_of(session)] == [f"f{k}.png" for k in range(8)]
    for k in range(4):
        Clicker(session, f"f{k}.png", f"x{k}").set(1, verdict="unsure")
    with pytest.raises(InvalidError, match=r"8 targets in 4 frames.*at least 5 in 5"):
        examples_of(session)


def test_a_fit_and_what_it_would_change(judged):
    session, images = judged
    before = {k: session.frame(f"f{k}.png", 0) for k in range(10)}
    found = calibrate_session(session, FolderFrames(images), images, budget=40)
    assert found.calibration.lines
    assert (found.unjudged, found.looked_at) == (4, 4)
    assert found.changing == len(found.samples) if found.calibration.kept else found.changing == 0
    assert {k: session.frame(f"f{k}.png", 0) for k in range(10)} == before


def test_another_theta_remakes_what_nobody_judged_and_nothing_else(judged):
    session, images = judged
    before = {k: session.frame(f"f{k}.png", 0) for k in range(10)}
    session.use_theta(WIDER)
    assert {k: session.frame(f"f{k}.png", 0) for k in range(10)} == before
    assert remake(session) == {}
    for k in range(8):
        assert session.frame(f"f{k}.png", 0).targets == before[k].targets
    for k in (8, 9):
        frame = session.frame(f"f{k}.png", 0)
        assert {target.basis.theta for target in frame.targets} == {WIDER.digest}
        assert sum(map(np.sum, masks_of(frame))) > sum(map(np.sum, masks_of(before[k])))
    seq = session.seq
    remake(session)
    assert session.seq == seq
    session.publish()
    after = {name: session.peek(name, 0) for name in (f"f{k}.png" for k in range(10))}
    entries = {entry["image"]: entry for entry in read_manifest(session.setup.out)}
    assert entries["f9.png"]["theta"] == WIDER.digest
    assert entries["f0.png"]["theta"] == THETA.digest
    session.close()
    setup = Setup(out=session.setup.out, annotator="ann", theta=WIDER)
    again = type(session)(setup, FolderFrames(images))
    assert {name: again.peek(name, 0) for name in after} == after
    again.close()


def test_a_calibration_can_be_stopped(judged):
    session, images = judged
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    with pytest.raises(Cancelled):
        calibrate_session(session, FolderFrames(images), images, budget=100_000, cancel=cancel)


def test_why_a_fit_fails_is_told(judged):
    session, images = judged
    (images.root / "f3.png").write_bytes(b"no image")
    with pytest.raises(InvalidError, match=r"f3\.png"):
        calibrate_session(session, FolderFrames(images), images, budget=10)


def test_the_next_session_goes_on_with_the_theta_of_the_last(tmp_path):
    (tmp_path / "images").mkdir()
    Image.fromarray(crowd()).save(tmp_path / "images" / "f0.png")
    out = tmp_path / "out"
    frames = FolderFrames(open_source(tmp_path / "images"))
    with open_session(Setup(out=out, annotator="mei", theta=THETA), frames) as session:
        session.use_theta(WIDER)
    words = ["click", str(tmp_path / "images"), "--out", str(out), "--publish"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert WIDER.digest in result.output
    assert Theta.load(out / "theta.toml") == WIDER
    assert CliRunner().invoke(main, [*words, "--theta", "default"]).exit_code == 0
    assert Theta.load(out / "theta.toml") == THETA


def test_masks_corrected_without_a_verdict_count_and_accepted_ones_alone_do_not(judged):
    session, _ = judged
    for k in (8, 9):
        Clicker(session, f"f{k}.png", f"x{k}").set(1, ring=1)
    assert len(examples_of(session)) == 8, "their second masks nobody stood for"
    for k in (8, 9):
        Clicker(session, f"f{k}.png", f"y{k}").set(2, level=0.3)
    assert len(examples_of(session)) == 10
    for k in range(10):
        clicker = Clicker(session, f"f{k}.png", f"z{k}")
        for target in (1, 2):
            clicker.set(target, level=None, ring=0)
            clicker.set(target, verdict="accepted")
    with pytest.raises(InvalidError, match="none of the 20 accepted masks was corrected"):
        examples_of(session)

"""Killed at any moment, a session loses nothing that was answered, and undo goes on."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from attack.losses import power
from tools.click.kill import setup_of, source, state
from tools.click.opening import open_session

from pointmask.click.journal.lines import dump_line
from pointmask.folder.records.manifest import read_manifest
from pointmask.io.layout import LISTED

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("POINTMASK_KILLS", "30"))
LOSSES = int(os.environ.get("POINTMASK_LOSSES", "5"))


@pytest.fixture(scope="module")
def killer():
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.click.kill"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def run(**request):
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    yield run
    process.stdin.close()
    process.stdout.close()
    process.wait()


def test_kills(tmp_path, killer):
    rng = random.Random(3)
    unanswered = steps = 0
    for seed in range(KILLS):
        out = tmp_path / str(seed % 3)  # each folder is killed ten times
        answer = killer(out=str(out), seed=seed, seconds=rng.uniform(0.01, 0.3))
        assert answer["ready"]
        assert answer["killed"]
        with open_session(setup_of(out), source()) as session:
            last, told = {}, 0
            for _, seq, _, *frames in answer["answered"]:
                assert told <= seq <= session.seq
                told = seq
                last.update(frames)
            for image, targets in last.items():
                frame = session.peek(image, 0)
                if frame.revision <= told:
                    assert state(frame) == [image, targets]
                else:
                    unanswered += 1
            before = [state(session.peek(name, 0)) for name in ("a.png", "b.png", "c.png")]
            undone = session.undo(100)
            steps += len(undone.words)
            if undone.words:  # a session may be killed before its first edit
                session.redo(len(undone.words))
            assert [state(session.peek(name, 0)) for name in ("a.png", "b.png", "c.png")] == before
            session.publish()
            journal = {
                f.image: f for f in (session.peek(n, 0) for n in ("a.png", "b.png", "c.png")) if f.targets
            }
        entries = {entry["image"]: entry for entry in read_manifest(out) if entry["targets"]}
        assert entries.keys() == journal.keys()
        for name, entry in entries.items():
            assert [t["rle"] for t in entry["targets"]] == [t.rle for t in journal[name].targets]
    assert steps > 30
    assert unanswered < KILLS  # the last edit of a session may be written and not answered


def test_power_failures(tmp_path, killer):
    """What the disk was said to hold is there, and is published as if nothing had happened."""
    draw, told = random.Random(4), 0
    for seed in range(LOSSES):
        out, mirror = tmp_path / str(seed % 3), tmp_path / "mirror"
        seconds, later = draw.uniform(0.1, 0.5), seed % 3 > 0  # else before anything is held, it may be
        answer = killer(out=str(out), seed=seed, seconds=seconds, watch=str(mirror), from_durable=later)
        assert answer["ready"]
        power.lose(out, mirror, draw)
        durable = max((line[2] for line in answer["answered"]), default=0)
        held = [(seq, frames) for _, seq, _, *frames in answer["answered"] if seq <= durable]
        last = {frame[0]: (seq, frame) for seq, frames in held for frame in frames}
        at = {(frame[0], seq): frame for _, seq, _, *frames in answer["answered"] for frame in frames}
        with open_session(setup_of(out), source()) as session:
            assert session.seq >= durable
            for image, (seq, frame) in last.items():
                found = session.peek(image, 0)
                wanted = frame if found.revision <= seq else at.get((image, found.revision))
                if wanted is not None:  # the last line of all may be there and not answered
                    assert state(found) == wanted
                    told += 1
            session.publish()
        whole = tmp_path / f"whole-{seed}"
        ours, wanted = files_of(out), published(unpublished(out), whole)
        claims, others = (sorted(files.pop(LISTED, b"").split()) for files in (ours, wanted))
        assert claims == others  # of masks that are there; they stand in the order in which they were written
        assert ours == wanted
    assert told


def unpublished(out):
    """The journal of a folder without the lines that say what was published."""
    journal = (out / "clicks.jsonl").read_bytes().splitlines()
    lines = [json.loads(line) for line in journal if b'"op": "published"' not in line]
    return b"".join(dump_line({**line, "seq": seq}) for seq, line in enumerate(lines, 1))


def published(journal, folder):
    """What a session publishes that has a journal and nothing else."""
    folder.mkdir()
    (folder / "clicks.jsonl").write_bytes(journal)
    with open_session(setup_of(folder), source()) as session:
        session.publish()
    return files_of(folder)


def files_of(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "clicks.jsonl"
    }


def test_a_publishing_killed_at_any_change_of_the_file_system_is_made_good(tmp_path, killer):
    made = tmp_path / "made"
    killer(out=str(made), seed=1, seconds=0.2)
    with open_session(setup_of(made), source()):
        pass
    journal = unpublished(made)
    wanted = published(journal, tmp_path / "whole")
    assert "manifest.jsonl" in wanted
    for event in range(1, 100):
        out = tmp_path / str(event)
        out.mkdir()
        (out / "clicks.jsonl").write_bytes(journal)
        killed = killer(out=str(out), event=event)["killed"]
        with open_session(setup_of(out), source()) as session:
            session.publish()
        assert files_of(out) == wanted, event
        if not killed:
            break
    assert event > 5

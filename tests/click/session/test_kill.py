"""Killed at any moment, a session loses nothing that was answered, and undo goes on."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from tools.click.kill import setup_of, source, state
from tools.click.opening import open_session

from pointmask.folder.records.manifest import read_manifest

ROOT = Path(__file__).parents[2]


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


def test_thirty_kills(tmp_path, killer):
    rng = random.Random(3)
    unanswered = 0
    for seed in range(30):
        out = tmp_path / str(seed % 3)  # each folder is killed ten times
        answer = killer(out=str(out), seed=seed, seconds=rng.uniform(0.01, 0.3))
        assert answer["ready"]
        assert answer["killed"]
        with open_session(setup_of(out), source()) as session:
            last, told = {}, 0
            for _, seq, *frames in answer["answered"]:
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
            assert undone.words
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
    assert unanswered < 30  # the last edit of a session may be written and not answered

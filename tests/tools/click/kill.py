"""Runs scripted click sessions in forks and kills them: one JSON request a line in, one answer a line out.

A request ``{"out": folder, "seed": n, "seconds": s}`` does edits without end in a fork of this process, until
it is killed with SIGKILL after ``s`` seconds, which are counted from the moment it is ready; with
``"from_durable": true`` from its first answer that the disk holds, however slow that is. The answer lists
the edits that were answered, in order, each with its identifier, the journal's line, the last line that the
disk was said to hold, and what is held of the frame. With ``"watch": folder`` the fork notes there
what it waited for; see `attack.losses.power`.

A request ``{"out": folder, "event": n}`` publishes the folder in a fork, which kills itself just before its
n-th change of the file system (opening to write, renaming, removing).
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np
from attack.losses import power

from pointmask.annotator.image import annotate
from pointmask.click.contract import edits
from pointmask.click.contract.errors import InvalidError
from pointmask.click.session.setup import Setup
from tools.click.opening import open_session
from tools.click.session import THETA, Arrays, crowd


def source() -> Arrays:
    return Arrays({f"{name}.png": crowd(seed=seed) for seed, name in enumerate("abc")})


def setup_of(out: Path) -> Setup:
    return Setup(out=out, annotator="mei", theta=THETA)


def next_edit(session, image: str, name: str, rng: random.Random):
    """Some edit of an image, or None for an undo."""
    targets = session.frame(image, 0).targets
    place = {"image": image, "frame": 0, "edit": name}
    what = rng.random()
    if not targets or what < 0.4:
        return edits.Add(row=rng.randrange(96), col=rng.randrange(96), **place)
    target = rng.choice(targets)
    if what < 0.55:
        return edits.Set(target=target.target, row=rng.randrange(96), col=rng.randrange(96), **place)
    if what < 0.65:
        return edits.Set(target=target.target, verdict="accepted", label="boat", **place)
    if what < 0.75:
        row = target.point[0]
        return edits.Paint(target=target.target, put=((row, 3, 9),), **place)
    if what < 0.85:
        return edits.Drop(target=target.target, **place)
    return None


def work(out: Path, seed: int, tell) -> None:
    """Edit without end; tell of every answer."""
    rng = random.Random(seed)
    with open_session(setup_of(out), source()) as session:
        tell(["ready"])
        for count in range(1_000_000):
            image = rng.choice(["a.png", "b.png", "c.png"])
            edit = next_edit(session, image, f"{seed}-{count}", rng)
            try:
                answer = session.undo() if edit is None else session.edit([edit])
            except InvalidError:
                continue
            if count % 40 == 39:
                session.publish()
            name, states = None if edit is None else edit.edit, [state(f.frame) for f in answer.frames]
            tell([name, answer.seq, answer.durable, *states])


def state(frame) -> list:
    """What must not be lost of a frame."""
    return [frame.image, [[t.target, *t.point, t.made, t.verdict, t.rle] for t in frame.targets]]


def main() -> None:
    annotate(np.zeros((65, 65)), [(32, 32)])
    annotate(crowd(), [(30, 30)])
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps((_publish if "event" in request else _run)(**request)), flush=True)


def _publish(out: str, event: int) -> dict:
    child = os.fork()
    if not child:
        try:
            with open_session(setup_of(Path(out)), source()) as session:
                sys.addaudithook(_Killer(event))
                session.publish()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return {"killed": os.WIFSIGNALED(status)}


class _Killer:
    """Ends the process at one of its changes of the file system."""

    def __init__(self, event: int) -> None:
        self.left = event

    def __call__(self, name: str, arguments: tuple) -> None:
        writes = name == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if not (writes or name in ("os.rename", "os.remove", "os.truncate")):
            return
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)


def _run(out: str, seed: int, seconds: float, watch: str | None = None, from_durable: bool = False) -> dict:
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        try:
            if watch is not None:
                Path(out).mkdir(exist_ok=True)
                power.watch(Path(out), Path(watch))
            work(Path(out), seed, lambda answer: os.write(writer, json.dumps(answer).encode() + b"\n"))
        finally:
            os._exit(1)
    os.close(writer)
    with os.fdopen(reader, "rb") as told:
        first = told.readline()
        lines = _up_to_durable(told) if from_durable else []
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        lines += told.read().splitlines(keepends=True)
    _, status = os.waitpid(child, 0)
    answered = [json.loads(line) for line in lines if line.endswith(b"\n")]
    return {"ready": bool(first), "killed": os.WIFSIGNALED(status), "answered": answered}


def _up_to_durable(told) -> list[bytes]:
    """Return the answers up to that which says that the disk holds the first of them."""
    lines: list[bytes] = []
    for line in iter(told.readline, b""):
        lines.append(line)
        (_, first, *_), (_, _, durable, *_) = json.loads(lines[0]), json.loads(line)
        if first <= durable:
            break
    return lines


if __name__ == "__main__":
    main()

"""Runs jobs in forks and kills them: one JSON request a line in, one JSON answer a line out; see `jobs`.

The only argument says which jobs: annotate, predict or train. A request ``{"job": {...}, "seconds": s,
"event": n}`` does the job in a fork of this process, which has everything imported and compiled already. It
is killed with SIGKILL after ``s`` seconds, or kills itself just before its n-th change of the file system
(opening to write, renaming, removing), or neither. With ``"watch": folder`` it notes there what it waited
for, see `attack.losses.power`. The answer says whether it was killed, how long it took, how many changes it
made, what it said was done, and the traceback if an error ended it.
"""

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_CHANGES = ("os.rename", "os.remove", "os.rmdir")

Tell = Callable[[int], None]
"""Takes how much a job said was done."""


@contextmanager
def jobs(kind: str) -> Iterator[Callable[..., dict]]:
    """Start this program; give a function that takes the fields of a request and returns the answer."""
    command = [sys.executable, __file__, kind]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def ask(**request: object) -> dict:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield ask
        process.stdin.close()


def annotating() -> Callable[..., None]:
    from pointmask.annotator.proof import prove
    from pointmask.folder.job import annotate_folder
    from pointmask.theta import Theta

    prove(Theta.load("default"))  # loads the kernels, for all forks
    return lambda tell, **job: annotate_folder(**job)


def predicting() -> Callable[..., None]:
    import torch

    from pointmask.io.images.open import open_source
    from pointmask_trainer.data.normalisation import Normalisation
    from pointmask_trainer.detectors.registry import build
    from pointmask_trainer.inference.predict import predict_source
    from pointmask_trainer.inference.predictions import PredictionSettings

    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = build("acm_unet").eval()
    settings = PredictionSettings("w", 0.5, 64, 16, "")

    def predict(tell: Tell, images: str, out: str) -> None:
        Path(out).mkdir(exist_ok=True)
        predict_source(model, Normalisation(100.0, 30.0), open_source(images), Path(out), settings, soft=True)

    return predict


def training() -> Callable[..., None]:
    import torch

    from pointmask_trainer.analysis.follow import Follower
    from pointmask_trainer.config import load_config
    from pointmask_trainer.training.train import Source, Watcher, train
    from tools.trainer.training import TINY, make_folder

    torch.set_num_threads(1)
    Follower._draw = lambda self: None

    def go_on(tell: Tell, data: str, out: str, settings: list[str]) -> None:
        watcher = Watcher(epoch=lambda metrics: tell(metrics["epoch"]))
        Path(out).mkdir(exist_ok=True)
        train(
            load_config(settings=settings), Source(root=Path(data)), Path(out), resume=True, watcher=watcher
        )

    with TemporaryDirectory() as base:  # loads what is loaded when it is needed, for all forks
        data = make_folder(Path(base) / "data")
        go_on(lambda done: None, str(data), f"{base}/run", [*TINY, "strategy.name=d2d", "epochs=1"])
    return go_on


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parents[1]))
    work = {"annotate": annotating, "predict": predicting, "train": training}[sys.argv[1]]()
    for line in sys.stdin:
        print(json.dumps(_run(work, **json.loads(line))), flush=True)


def _run(
    work: Callable[..., None],
    job: dict,
    seconds: float | None = None,
    event: int | None = None,
    watch: str | None = None,
) -> dict:
    reader, writer = os.pipe()
    started = time.monotonic()
    child = os.fork()
    if not child:
        os.close(reader)
        if watch is not None:
            from attack.losses import power

            power.watch(Path(job["out"]), Path(watch))
        _child(work, job, event, writer)
    os.close(writer)
    killed = False
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            break
        if seconds is not None and not killed and time.monotonic() - started > seconds:
            os.kill(child, signal.SIGKILL)
            killed = True
        time.sleep(0.0005)
    answer = {"done": 0, "changes": 0, "error": ""}
    with os.fdopen(reader) as told:
        for line in told:
            answer |= json.loads(line)
    return {
        "killed": os.WIFSIGNALED(status),
        "status": os.waitstatus_to_exitcode(status),
        "seconds": time.monotonic() - started,
        **answer,
    }


def _child(work: Callable[..., None], job: dict, event: int | None, writer: int) -> None:
    changes = 0

    def tell(**answer: int | str) -> None:
        os.write(writer, json.dumps(answer).encode() + b"\n")

    def count(name: str, arguments: tuple) -> None:
        nonlocal changes
        if name not in _CHANGES and not (name == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)):
            return
        changes += 1
        if changes == event:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    status, error = 0, ""
    try:
        work(lambda done: tell(done=done), **job)
    except BaseException:
        status, error = 1, traceback.format_exc()
    tell(changes=changes, error=error[-3000:])
    os._exit(status)


if __name__ == "__main__":
    main()

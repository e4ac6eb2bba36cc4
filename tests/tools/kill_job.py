"""Runs folder jobs in forks and kills them: one JSON request a line in, one JSON answer a line out.

A request ``{"job": {...}, "seconds": s, "event": n}`` starts ``annotate_folder(**job)`` in a fork of this
process, which has everything imported and compiled already. It is killed with SIGKILL after ``s`` seconds,
or kills itself just before its n-th change of the file system (opening to write, renaming, removing), or
neither. With ``"watch": folder`` it notes there what it waited for, see `attack.power`. The answer says
whether it was killed, how long it took, how many changes it made, and the traceback if an error ended it.
"""

import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path

from pointmask.annotator.proof import prove
from pointmask.folder.job import annotate_folder
from pointmask.theta import Theta

_CHANGES = ("os.rename", "os.remove")


def main() -> None:
    prove(Theta.load("default"))  # loads the kernels, for all forks
    for line in sys.stdin:
        print(json.dumps(_run(**json.loads(line))), flush=True)


def _run(job: dict, seconds: float | None = None, event: int | None = None, watch: str | None = None) -> dict:
    reader, writer = os.pipe()
    started = time.monotonic()
    child = os.fork()
    if not child:
        os.close(reader)
        if watch is not None:
            sys.path.insert(0, str(Path(__file__).parents[1]))
            from attack import power

            power.watch(Path(job["out"]), Path(watch))
        _child(job, event, writer)
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
    with os.fdopen(reader) as told:
        answer = json.loads(told.read() or '{"changes": 0, "error": ""}')
    return {
        "killed": os.WIFSIGNALED(status),
        "status": os.waitstatus_to_exitcode(status),
        "seconds": time.monotonic() - started,
        **answer,
    }


def _child(job: dict, event: int | None, writer: int) -> None:
    changes = 0

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
        annotate_folder(**job)
    except BaseException:
        status, error = 1, traceback.format_exc()
    with os.fdopen(writer, "w") as teller:
        json.dump({"changes": changes, "error": error}, teller)
    os._exit(status)


if __name__ == "__main__":
    main()

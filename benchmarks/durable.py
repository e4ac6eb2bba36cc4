"""Measure what it costs the folder job that a power failure loses nothing.

python benchmarks/durable.py --scenes 600 --rounds 7 --threads 2

The job as it is and the same job without claims, hashes of results and waiting for the disk run in turn, in
rounds, into new folders of one disk. The figures are the median over rounds of the ratio of their speeds, and
the ratio of the quickest rounds, which other work on the machine disturbs least.
"""

import argparse
import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from unittest.mock import patch

from folder_job import elapsed, write_scenes
from support.results import FOLDER, save

from pointmask.folder import job, worker
from pointmask.folder.records import ledger
from pointmask.io import files


def main() -> None:
    """Time both jobs, print the ratio and write ``durable.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenes", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="on the disk to measure; the system's by default")
    parser.add_argument("--results", type=Path, default=FOLDER)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
        base = Path(temporary)
        images, points = write_scenes(options.scenes, base / "images")
        annotate = partial(job.annotate_folder, images, points, threads=options.threads)
        seconds: dict[str, list[float]] = {"durable": [], "hasty": []}
        for k in range(options.rounds + 1):
            for name in seconds if k % 2 else reversed(seconds):
                with ExitStack() as stack:
                    if name == "hasty":
                        make_hasty(stack)
                    spent, _ = elapsed(partial(annotate, base / f"{name}{k}"))
                if k:  # the first round only warms the file cache
                    seconds[name].append(spent)
    ratios = [hasty / durable for hasty, durable in zip(seconds["hasty"], seconds["durable"], strict=True)]
    figures = {
        "images": options.scenes,
        "threads": options.threads,
        "rounds": options.rounds,
        **{f"{name}_s": median(spent) for name, spent in seconds.items()},
        "ratio": median(ratios),
        "ratio_of_quickest": min(seconds["hasty"]) / min(seconds["durable"]),
        "ratio_least": min(ratios),
        "ratio_most": max(ratios),
    }
    print(
        f"{options.scenes} images, {options.threads} threads: {figures['durable_s']:.3f} s, without "
        f"{figures['hasty_s']:.3f} s; {figures['ratio']:.3f} of the speed, "
        f"{figures['ratio_of_quickest']:.3f} in the quickest rounds"
    )
    save("durable", figures, options.results)


def make_hasty(stack: ExitStack) -> None:
    """Let the job wait for nothing and prove nothing."""
    for place, name, stand_in in (
        (ledger, "flush", lambda folder: None),
        (files, "sync_folder", lambda folder: None),
        (files.os, "fsync", lambda handle: None),
        (worker, "sealed_fields", lambda results: {}),
        (worker.OwnFiles, "claim", lambda own, names: None),
    ):
        stack.enter_context(patch.object(place, name, stand_in))


if __name__ == "__main__":
    main()

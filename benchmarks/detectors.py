"""Measure the trainer's detectors on a CPU: parameters, operations, time and memory.

python benchmarks/detectors.py                                          # all; about twenty minutes
python benchmarks/detectors.py --detectors acm_unet alclnet --rounds 3  # some

Each detector runs in a separate process, because of its peak memory, in float32 with one input channel. An
inference is one 256 x 256 image in eval mode; a step is a forward and a backward pass over ``--batch`` such
images in training mode, the sum of all maps as the loss, without an optimiser. Times are medians of
``--rounds`` passes after one warm-up pass. With one thread they are processor times, which other work on the
machine hardly affects; with more threads they are elapsed times and need an idle machine. Memory is the peak
of the process minus its memory before the network was built.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

from support.results import FOLDER, command, save

from pointmask.io.files import write_whole

MIB = 1 << 20


def main() -> None:
    """Measure all detectors, and write ``detectors.json`` and ``detectors.md``."""
    options = read_options()
    if options.only:
        print(json.dumps(measure(options)))
        return
    from pointmask_trainer.detectors.registry import DETECTORS

    rows = []
    for name in options.detectors or DETECTORS.ours:
        rows.append(in_a_process(name, options))
        print(line(rows[-1]), flush=True)
    setting = {
        "size": options.size,
        "batch": options.batch,
        "rounds": options.rounds,
        "threads": options.threads,
    }
    save("detectors", {**setting, "torch": torch_version(), "detectors": rows}, options.results)
    path = options.results / "detectors.md"
    write_whole(path, page(rows, setting))
    print(f"written: {path}")


def read_options() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--detectors", nargs="+", metavar="NAME")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--results", type=Path, default=FOLDER)
    parser.add_argument("--only", metavar="NAME", help=argparse.SUPPRESS)  # argument of the child processes
    return parser.parse_args()


def in_a_process(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Measure one detector in a fresh interpreter."""
    words = ["--only", name, "--rounds", options.rounds, "--size", options.size, "--batch", options.batch]
    words += ["--threads", *options.threads]
    process = subprocess.run(
        [sys.executable, __file__, *map(str, words)], check=True, stdout=subprocess.PIPE, text=True
    )
    figures: dict[str, Any] = json.loads(process.stdout)
    return figures


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Build one detector in this process and measure it."""
    import torch

    from pointmask_trainer.detectors.base import parameter_count
    from pointmask_trainer.detectors.profile import count_macs
    from pointmask_trainer.detectors.registry import build

    before = peak_mib()
    torch.manual_seed(0)
    net = build(options.only)
    images = torch.randn(options.batch, 1, options.size, options.size)

    def infer() -> None:
        with torch.inference_mode():
            net(images[:1])

    def step() -> None:
        net.zero_grad()
        out = net(images)
        torch.stack([part.sum() for part in (out["logits"], *out["aux"])]).sum().backward()

    macs = count_macs(net.eval(), images[:1])
    inference = by_threads(infer, options)
    inference_mib = peak_mib() - before
    net.train()
    return {
        "name": options.only,
        "parameters": parameter_count(net),
        "macs": macs,
        "inference_s": inference,
        "step_s": by_threads(step, options),
        "inference_mib": inference_mib,
        "step_mib": peak_mib() - before,
    }


def by_threads(work: Callable[[], None], options: argparse.Namespace) -> dict[str, float]:
    """Measure the median time of some work for each number of threads."""
    import torch

    seconds = {}
    for threads in options.threads:
        torch.set_num_threads(threads)
        clock = process_time if threads == 1 else perf_counter
        work()
        seconds[str(threads)] = median(duration(work, clock) for _ in range(options.rounds))
    return seconds


def duration(work: Callable[[], None], clock: Callable[[], float]) -> float:
    """Measure the seconds of some work by a clock."""
    started = clock()
    work()
    return clock() - started


def peak_mib() -> float:
    """Return the peak resident memory of this process so far."""
    import resource

    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MIB


def torch_version() -> str:
    """Return the version of torch without importing it."""
    from importlib.metadata import version

    return version("torch")


def line(row: dict[str, Any]) -> str:
    """Format one row of the table."""
    times = [f"{row[kind][n]:.3f}" for kind in ("inference_s", "step_s") for n in row[kind]]
    memory = [f"{row[kind]:.0f}" for kind in ("inference_mib", "step_mib")]
    return (
        "| "
        + " | ".join((row["name"], str(row["parameters"]), f"{row['macs'] / 1e9:.3f}", *times, *memory))
        + " |"
    )


def page(rows: list[dict[str, Any]], setting: dict[str, Any]) -> str:
    """Format the table as Markdown, with the command and the machine."""
    size, batch, rounds = setting["size"], setting["batch"], setting["rounds"]
    heads = ["detector", "parameters", "GMAC"]
    heads += [
        f"{kind}, {n} thread{'s' * (n > 1)}, s" for kind in ("inference", "step") for n in setting["threads"]
    ]
    heads += ["inference, MiB", "step, MiB"]
    return "\n".join(
        [
            "# What the detectors cost on a CPU",
            "",
            f"Inference: one {size} x {size} image. Step: forward and backward over {batch} of them. "
            f"Medians of {rounds}, one thread in processor time, more in elapsed time. "
            f"torch {torch_version()}, float32, one channel. Memory: beyond what the process held before.",
            "",
            "| " + " | ".join(heads) + " |",
            "| --- |" + " ---: |" * (len(heads) - 1),
            *(line(row) for row in rows),
            "",
            f"`{command()}`",
            "",
        ]
    )


if __name__ == "__main__":
    main()

"""Measure start-up times: help, import, and the first annotation of a new process.

python benchmarks/startup.py

Each command runs in a new interpreter, all of them in turn and in rounds; the figures are medians of elapsed
time. The first round is a warm-up: it fills the file cache and, on a new machine, compiles the kernels.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from support.results import FOLDER, save

COMMANDS = {
    "python (nothing)": "pass",
    "import numpy": "import numpy",
    "import pointmask": "import pointmask",
    "pointmask --help": "from pointmask.cli import main; main(['--help'])",
    "first annotate": (
        "import numpy as np, pointmask; image = np.zeros((64, 64), np.uint8); image[30:33, 30:33] = 200; "
        "pointmask.annotate(image, [(31, 31)])"
    ),
}


def main() -> None:
    """Time all commands, print them and write ``startup.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--results", type=Path, default=FOLDER)
    options = parser.parse_args()
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(options.rounds + 1):
        for name, code in COMMANDS.items():
            times[name].append(elapsed(code))
    figures = {name: median(values[1:]) for name, values in times.items()}
    for name, seconds in figures.items():
        print(f"{name:20} {seconds:7.3f} s")
    save("startup", {"rounds": options.rounds, "seconds": figures}, options.results)


def elapsed(code: str) -> float:
    """Time a line of Python in a new interpreter, in seconds."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()

"""Measure how the cost of `annotate` grows with targets, window, image size and threads.

python benchmarks/scaling.py            all sizes, a few minutes
python benchmarks/scaling.py --quick    small sizes, seconds; a quick test

Each sweep is repeated in rounds over its sizes; a size's figure is the median of the rounds. No files are
read, so the image size matters only if the annotator reads pixels outside its windows.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from support.results import FOLDER, save

from pointmask import Theta, annotate
from pointmask.synth.scenes import make_scenes

Job = list[tuple[NDArray[Any], list[tuple[int, int]]]]

WINDOW_FIELD = "half_size"  # field of Theta that sets the window's half side in pixels


def main() -> None:
    """Run all sweeps, print them and write ``scaling.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--results", type=Path, default=FOLDER)
    options = parser.parse_args()
    quick, rounds = options.quick, options.rounds
    pool = scene_pool(10 if quick else 100)
    run(pool)  # compiles
    sweeps = {
        "targets": sweep(
            [10, 100] if quick else [100, 1000, 10_000, 100_000], rounds, lambda n: jobs_of(pool, n)
        ),
        "targets in one frame": sweep(
            [10, 100] if quick else [100, 300, 1000, 3000, 10_000], rounds, lambda n: crowded(n, quick)
        ),
        "window side": sweep(
            [16, 32] if quick else [16, 32, 64, 128], rounds, lambda side: jobs_of(pool, 100), window=True
        ),
        "image side": sweep(
            [128, 256] if quick else [128, 256, 512, 1024, 2048, 4096], rounds, lambda side: lone(side, 20)
        ),
    }
    threads = thread_sweep(jobs_of(pool, 100 if quick else 5000), rounds)
    for name, figures in sweeps.items():
        report(name, figures)
    print(f"threads: {threads['targets_per_s']} targets/s, 2 threads are {threads['speed_up']:.2f} x one")
    save("scaling", {"sweeps": sweeps, "threads": threads}, options.results)


def sweep(
    sizes: Sequence[int], rounds: int, make: Callable[[int], Job], *, window: bool = False
) -> dict[str, Any]:
    """Time one job per size, in rounds, and fit the exponent of time over size."""
    jobs = {size: make(size) for size in sizes}
    thetas = {size: window_theta(size) if window else Theta.load("default") for size in sizes}
    times: dict[int, list[float]] = {size: [] for size in sizes}
    for size in sizes:
        run(jobs[size][:1], thetas[size])
    for _ in range(rounds):
        for size in sizes:
            times[size].append(run(jobs[size], thetas[size]))
    seconds = [median(times[size]) for size in sizes]
    targets = [sum(len(points) for _, points in jobs[size]) for size in sizes]
    return {
        "sizes": list(sizes),
        "targets": targets,
        "seconds": seconds,
        "ms_per_target": [1e3 * s / n for s, n in zip(seconds, targets, strict=True)],
        "exponent": exponent(sizes, seconds),
    }


def run(job: Job, theta: Theta | str = "default") -> float:
    """Annotate every image of a job; return the seconds."""
    started = time.perf_counter()
    for image, points in job:
        annotate(image, points, theta=theta)
    return time.perf_counter() - started


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """Fit the slope of log time over log size by least squares."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def scene_pool(count: int) -> Job:
    """Generate built-in scenes of 256 x 256 pixels."""
    return [(scene.image, list(scene.points)) for scene in make_scenes(count, seed=11)]


def jobs_of(pool: Job, targets: int) -> Job:
    """Cycle through the pool up to an exact number of targets."""
    job: Job = []
    for image, points in cycle(pool):
        if targets <= 0:
            break
        job.append((image, points[:targets]))
        targets -= len(points)
    return job


def lone(side: int, repeats: int) -> Job:
    """One target in the middle of a noisy frame, several times."""
    frame = noise(side)
    stamp(frame, (side // 2, side // 2))
    return [(frame, [(side // 2, side // 2)])] * repeats


def crowded(targets: int, quick: bool) -> Job:
    """Spread many targets on a grid over one large frame."""
    side = 1024 if quick else 4096
    frame = noise(side)
    step = side // int(np.ceil(np.sqrt(targets)) + 1)
    grid = [(row, col) for row in range(step, side - 8, step) for col in range(step, side - 8, step)]
    points = grid[:targets]
    for point in points:
        stamp(frame, point)
    return [(frame, points)]


def noise(side: int) -> NDArray[np.uint8]:
    """Return a flat frame with sensor noise."""
    return np.random.default_rng(side).normal(60, 3, (side, side)).astype(np.uint8)


def stamp(frame: NDArray[np.uint8], point: tuple[int, int]) -> None:
    """Add one blurred target."""
    rows, cols = np.mgrid[-5:6, -5:6]
    view = frame[point[0] - 5 : point[0] + 6, point[1] - 5 : point[1] + 6]
    view += (120 * np.exp(-(rows**2 + cols**2) / 6)).astype(np.uint8)


def window_theta(side: int) -> Theta:
    """Return the default parameters with another window."""
    if WINDOW_FIELD not in {f.name for f in fields(Theta)}:
        raise SystemExit(
            f"Theta has no field {WINDOW_FIELD!r}; set WINDOW_FIELD to the one that sets the window"
        )
    return replace(Theta.load("default"), **{WINDOW_FIELD: side // 2})


def thread_sweep(job: Job, rounds: int) -> dict[str, Any]:
    """Annotate the same images with one and with two threads."""
    rates: dict[int, list[float]] = {1: [], 2: []}
    targets = sum(len(points) for _, points in job)
    for _ in range(rounds):
        for threads, values in rates.items():
            with ThreadPoolExecutor(threads) as executor:
                started = time.perf_counter()
                for _ in executor.map(lambda item: annotate(*item), job, chunksize=16):
                    pass
                values.append(targets / (time.perf_counter() - started))
    figures = {str(threads): round(median(values)) for threads, values in rates.items()}
    return {"targets": targets, "targets_per_s": figures, "speed_up": figures["2"] / figures["1"]}


def report(name: str, figures: dict[str, Any]) -> None:
    """Print one sweep."""
    print(f"{name}: exponent {figures['exponent']:.3f}")
    for size, seconds, each in zip(
        figures["sizes"], figures["seconds"], figures["ms_per_target"], strict=True
    ):
        print(f"  {size:>8,}  {seconds:10.4f} s  {each:8.4f} ms per target")


if __name__ == "__main__":
    main()

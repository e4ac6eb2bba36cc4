"""Compare speed and memory of `annotate --no-png` on folders of 200,000 and of 2,000 frames.

TMPDIR=/dev/shm python benchmarks/scale.py                       # 200,000 frames; about fifteen minutes
python benchmarks/scale.py --frames 20000 --rounds 1             # a quick test

The frames are links to 400 built-in scenes of 128 x 128 pixels. Large and small jobs alternate: each large
one runs in its own process, between processes that repeat a small one; the figures are medians. In addition,
20,000 frames are annotated by one process and then as two simultaneous shards. Wall time is the time that a
user waits; processor time is more stable on a shared machine.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median
from typing import Any

from support.meter import Meter
from support.results import FOLDER, save

from pointmask.annotator.image import annotate
from pointmask.folder.job import annotate_folder
from pointmask.folder.planning.plan import make_plan
from pointmask.io.formats import read_points
from pointmask.io.images.array import encode_png
from pointmask.io.images.open import open_source
from pointmask.io.points.packed import PackedTexts
from pointmask.synth.scenes import make_scenes

SIDE = 128
DISTINCT = 400
SMALL = 2_000
DIVIDED = 20_000

Measured = dict[str, Any]


def main() -> None:
    """Run the jobs alternately, and write ``scale.json`` and ``scale.png``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=2, help="large jobs; small ones are done around each")
    parser.add_argument("--results", type=Path, default=FOLDER)
    parser.add_argument("--job", help=argparse.SUPPRESS)  # argument of the child processes
    options = parser.parse_args()
    if options.job:
        print(json.dumps(do_job(**json.loads(options.job))))
        return
    with tempfile.TemporaryDirectory() as temporary:
        base = Path(temporary)
        sizes = {"small": min(SMALL, options.frames), "large": options.frames}
        sizes["divided"] = min(DIVIDED, options.frames)
        scenes = write_scenes(base / "scenes", min(DISTINCT, max(sizes.values())))
        for name, count in sizes.items():
            link_frames(scenes, count, base / name)
        small, large = [], []
        for _ in range(options.rounds):
            small.append(run(base / "small", repeats=7))
            large.append(run(base / "large"))
        small.append(run(base / "small", repeats=7))
        figures = compare(small, large, sizes)
        figures["bytes_per_frame"] = account(base / "large")
        figures["workers"] = divided(base / "divided", sizes["divided"])
    ratio = figures["ratio"]
    print(
        f"{options.frames:,} against {sizes['small']:,} frames: {ratio['cpu']:.3f} of the speed by processor"
    )
    print(f"time, {ratio['wall']:.3f} by wall time; {figures['growth_mib']:.1f} MiB more memory")
    save("scale", figures, options.results)
    draw(figures, options.results / "scale.png")


def write_scenes(folder: Path, count: int) -> list[tuple[Path, list[tuple[int, int]]]]:
    """Write distinct scenes; return their files and points."""
    folder.mkdir()
    scenes = []
    for k, scene in enumerate(make_scenes(count, 5, shape=(SIDE, SIDE))):
        path = folder / f"{k:03d}.png"
        path.write_bytes(encode_png(scene.image))
        scenes.append((path, scene.points))
    return scenes


def link_frames(scenes: list[tuple[Path, list[tuple[int, int]]]], count: int, base: Path) -> None:
    """Make a folder of ``count`` links to the scenes, and the table of their points."""
    (base / "images").mkdir(parents=True)
    with (base / "points.csv").open("w", encoding="ascii") as table:
        table.write("image,x,y\n")
        for k in range(count):
            path, points = scenes[k % len(scenes)]
            name = f"frame_{k:07d}.png"
            (base / "images" / name).symlink_to(path)
            table.writelines(f"{name},{col},{row}\n" for row, col in points)


def run(base: Path, **job: int | tuple[int, int]) -> Measured:
    """Run one job in a new process."""
    return finished(start(base, **job))


def start(base: Path, **job: int | tuple[int, int]) -> "subprocess.Popen[str]":
    """Start one job in a new process."""
    command = [sys.executable, __file__, "--job", json.dumps({"base": str(base), **job})]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finished(process: "subprocess.Popen[str]") -> Measured:
    """Wait for a job; return its measurements."""
    output, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"a job ended with status {process.returncode}")
    measured: Measured = json.loads(output)
    return measured


def do_job(base: str, repeats: int = 1, shard: tuple[int, int] | None = None) -> Measured:
    """Annotate a folder in this process; return its figures, medians over the repeats."""
    annotate(next(iter(make_scenes(1, 0, shape=(SIDE, SIDE)))).image, [(20, 20)])  # loads all kernels
    wall, cpu = [], []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as out, Meter(0.1) as meter:
            began, worked = time.perf_counter(), time.process_time()
            summary = annotate_folder(
                Path(base) / "images",
                Path(base) / "points.csv",
                out,
                png=False,
                shard=tuple(shard) if shard else None,
                progress=meter.note,
            )
            wall.append(time.perf_counter() - began)
            cpu.append(time.process_time() - worked)
    if summary.skipped:
        raise SystemExit(f"{len(summary.skipped)} frames were skipped, first: {summary.skipped[0]}")
    return {
        "frames": summary.done, "targets": summary.targets, "wall_s": median(wall), "cpu_s": median(cpu),
        "before_mib": meter.baseline, "peak_mib": max(meter.mib), "done": meter.done, "mib": meter.mib,
    }  # fmt: skip


def compare(small: list[Measured], large: list[Measured], sizes: dict[str, int]) -> Measured:
    """Compare speed and memory of the large jobs with the small ones."""
    speed = {
        clock: {
            name: median(job["frames"] / job[f"{clock}_s"] for job in jobs)
            for name, jobs in (("small", small), ("large", large))
        }
        for clock in ("wall", "cpu")
    }
    peak = {
        name: median(job["peak_mib"] for job in jobs) for name, jobs in (("small", small), ("large", large))
    }
    growth = peak["large"] - peak["small"]
    return {
        "side": SIDE,
        "frames": sizes,
        "targets": large[0]["targets"],
        "frames_per_s": speed,
        "ratio": {clock: figure["large"] / figure["small"] for clock, figure in speed.items()},
        "ratio_of_each": {
            clock: [beside(job, around, clock) for job, around in zip(large, pairwise(small), strict=True)]
            for clock in speed
        },
        "peak_mib": peak,
        "growth_mib": growth,
        "million_peak_mib": peak["small"]
        + growth * (10**6 - sizes["small"]) / max(1, sizes["large"] - sizes["small"]),
        "million_hours_of_processor": 10**6 / speed["cpu"]["large"] / 3600,
        "curves": {
            name: {key: thinned(jobs[0][key]) for key in ("done", "mib")}
            for name, jobs in (("small", small), ("large", large))
        },
    }


def beside(job: Measured, around: tuple[Measured, Measured], clock: str) -> float:
    """Return the speed of a large job over the mean of the small ones before and after it."""
    own, *others = (measured["frames"] / measured[f"{clock}_s"] for measured in (job, *around))
    return own / fmean(others)


def thinned(values: list[float], most: int = 300) -> list[float]:
    """Return a limited number of evenly spaced values, including the last."""
    step = -(-len(values) // most)
    return values[::-1][::step][::-1]


def account(base: Path) -> dict[str, float]:
    """Measure the bytes of Python objects per frame in each part of a job, and their peak."""
    costs: dict[str, float] = {}
    read_points(base.with_name("small") / "points.csv")  # imports what it needs
    tracemalloc.start()
    source = open_source(base / "images")
    names = PackedTexts(source.names())
    record(costs, "names", len(names))
    points = read_points(base / "points.csv")
    record(costs, "points", len(names))
    plan = make_plan(source, names, points)
    record(costs, "plan", len(names))
    tracemalloc.stop()
    if len(plan.frames) != len(names):
        raise SystemExit("not every frame was paired with its points")
    return costs


def record(costs: dict[str, float], part: str, frames: int) -> None:
    """Record memory allocated since the previous part, and the peak in between."""
    now, peak = tracemalloc.get_traced_memory()
    before = sum(value for key, value in costs.items() if not key.endswith("_peak"))
    costs[part] = round(now / frames - before, 1)
    costs[f"{part}_peak"] = round(peak / frames - before, 1)
    tracemalloc.reset_peak()


def divided(base: Path, frames: int) -> Measured:
    """Annotate the same frames by one process, and as two simultaneous shards."""
    alone = run(base)
    began = time.perf_counter()
    pair = [finished(process) for process in [start(base, shard=(k, 2)) for k in (1, 2)]]
    return {
        "frames": frames,
        "one_wall_s": alone["wall_s"],
        "one_cpu_s": alone["cpu_s"],
        "two_wall_s": max(job["wall_s"] for job in pair),
        "two_with_start_s": time.perf_counter() - began,
        "two_cpu_s": sum(job["cpu_s"] for job in pair),
        "shares": [job["frames"] / frames for job in pair],
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
    }


def draw(figures: Measured, path: Path) -> None:
    """Draw memory over the share of frames done, of a small and a large job."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
    for name, colour in (("large", "#0b7285"), ("small", "#e8590c")):
        curve, count = figures["curves"][name], figures["frames"][name]
        share = [100 * done / count for done in curve["done"]]
        axes.plot(share, curve["mib"], color=colour, linewidth=1.8, label=f"{count:,} frames")
    axes.set(xlabel="frames done, %", ylabel="resident memory, MiB", xlim=(0, 100))
    axes.set_ylim(0, 1.3 * max(figures["peak_mib"].values()))
    axes.set_title(f"annotate --no-png: {figures['growth_mib']:.0f} MiB more for the larger folder")
    axes.legend(frameon=False, loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=130)
    print(f"written: {path}")


if __name__ == "__main__":
    main()

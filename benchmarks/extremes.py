"""Measure time and memory of commands at extreme sizes: is either worse than linear.

python benchmarks/extremes.py                          # all cases; an hour of one core, 4 GB of disk
python benchmarks/extremes.py --only stack --share 0.1 # a tenth of the sizes of one case

Each case is a command as a user would type it, in a process of its own, at three sizes; start and loading of
kernels are part of it. Exponents are those of processor time and memory between the two largest sizes, above
those of the smallest: 1 is linear. Results of other cases stay in the file.
"""

import argparse
import json
import math
import os
import resource
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tifffile
from support.results import FOLDER, save

from pointmask.io.files import write_whole
from pointmask.io.images.array import encode_png
from pointmask.synth.scenes import make_scenes

SMALL = 48  # side of the images in folders and archives
DISTINCT = 100
ANNOTATED = 3_000
NAMED = 300_000
MEMBER = "m/{:06d}.png"

Words = list[str]


class Case(NamedTuple):
    """One kind of extreme: what it is called, its sizes, and what makes the input and returns the command."""

    title: str
    sizes: tuple[int, ...]
    prepare: Callable[[Path, int], Words]


def main() -> None:
    """Run the cases and write ``extremes.json`` and ``extremes.md``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=CASES, help="one case")
    parser.add_argument("--share", type=float, default=1.0, help="of the sizes")
    parser.add_argument("--results", type=Path, default=FOLDER)
    options = parser.parse_args()
    path = options.results / "extremes.json"
    cases = json.loads(path.read_text())["cases"] if path.exists() else {}
    for name in [options.only] if options.only else CASES:
        case = CASES[name]
        rows = [measure(case, max(1, round(size * options.share))) for size in case.sizes]
        cases[name] = {"title": case.title, "rows": rows, **growth(rows), "load": os.getloadavg()[0]}
        save("extremes", {"cases": cases}, options.results)
        write_whole(options.results / "extremes.md", "\n".join(table(cases)) + "\n")


def measure(case: Case, size: int) -> dict[str, float]:
    """Make the input of one size, run the command, and return what it took."""
    with tempfile.TemporaryDirectory() as temporary:
        base = Path(temporary)
        words = case.prepare(base, size)
        began = time.perf_counter()
        null = os.open(os.devnull, os.O_WRONLY)
        log = os.open(base / "log", os.O_WRONLY | os.O_CREAT)
        child = os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "pointmask", *words],
            {**os.environ, "POINTMASK_MAX_PIXELS": "1000000000"},
            file_actions=[(os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, log, 2)],
        )
        _, status, used = os.wait4(child, 0)
        os.close(null), os.close(log)
        if os.waitstatus_to_exitcode(status) not in (
            0,
            3,
        ):  # 3: clicks on noise, as they are here, are doubted
            raise SystemExit(f"{words} ended with status {status}:\n{(base / 'log').read_text()[-2000:]}")
        figures = figures_of(size, time.perf_counter() - began, used)
    print(f"{case.title}: {figures}", flush=True)
    return figures


def figures_of(size: int, wall: float, used: resource.struct_rusage) -> dict[str, float]:
    """Return the figures of one run; Linux counts the peak in KiB."""
    cpu, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    return {"size": size, "wall_s": round(wall, 1), "cpu_s": round(cpu, 1), "peak_mib": round(peak)}


def growth(rows: list[dict[str, float]]) -> dict[str, float | None]:
    """Return the exponents of time and of memory, above the smallest size, between the two largest sizes."""
    least, less, most = rows[0], rows[-2], rows[-1]

    def exponent(key: str) -> float | None:
        below, above = less[key] - least[key], most[key] - least[key]
        sizes = (most["size"] - least["size"]) / max(1, less["size"] - least["size"])
        return round(math.log(above / below) / math.log(sizes), 2) if min(below, above) > 0 else None

    return {"cpu_exponent": exponent("cpu_s"), "memory_exponent": exponent("peak_mib")}


def table(cases: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the table."""
    yield "| case | size | wall, s | processor, s | peak, MiB | exponents: time, memory |"
    yield "|---|---:|---:|---:|---:|---|"
    for case in cases.values():
        for row in case["rows"]:
            last = row is case["rows"][-1]
            grown = f"{case['cpu_exponent']}, {case['memory_exponent']}" if last else ""
            yield (
                f"| {case['title']} | {row['size']:,.0f} | {row['wall_s']} | {row['cpu_s']} | "
                f"{row['peak_mib']:,.0f} | {grown} |"
            )


def noise(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Return 16-bit noise."""
    return np.random.default_rng(seed).integers(900, 1100, shape, np.uint16)


def annotate(images: Path, points: Path, *more: str) -> Words:
    """Return the command that annotates."""
    return ["annotate", str(images), "--points", str(points), "--out", str(points.with_name("out")), *more]


def write_frame(base: Path, side: int, count: int) -> Words:
    """Write one frame of noise, with clicks at random."""
    (base / "images").mkdir()
    frame = tifffile.memmap(base / "images/a.tif", shape=(side, side), dtype=np.uint16, metadata=None)
    for row in range(0, side, 1000):
        frame[row : row + 1000] = noise((min(1000, side - row), side), row)
    frame.flush()
    clicks = np.random.default_rng(1).choice(side * side, count, replace=False)
    rows = (f"a.tif,{place % side},{place // side}\n" for place in clicks)
    (base / "points.csv").write_text("image,x,y\n" + "".join(rows))
    return annotate(base / "images", base / "points.csv")


def write_stack(base: Path, pages: int) -> Words:
    """Write a stack in which every page has a click."""
    (base / "images").mkdir()
    scenes = list(make_scenes(DISTINCT, 3, shape=(64, 64)))
    with tifffile.TiffWriter(base / "images/a.tif") as file:
        frames = (scenes[k % DISTINCT].image for k in range(pages))
        for frame in frames:
            file.write(frame, photometric="minisblack", metadata=None)
    lines = (f"a.tif#{k},{c},{r}\n" for k in range(pages) for r, c in scenes[k % DISTINCT].points[:1])
    (base / "points.csv").write_text("image,x,y\n" + "".join(lines))
    return annotate(base / "images", base / "points.csv", "--no-png")


def small_scenes() -> tuple[list[bytes], list[tuple[int, int]]]:
    """Return the files of the small scenes, and one click of each."""
    scenes = list(make_scenes(DISTINCT, 3, shape=(SMALL, SMALL)))
    return [encode_png(scene.image) for scene in scenes], [scene.points[0] for scene in scenes]


def write_points(base: Path, names: str, count: int, clicks: list[tuple[int, int]]) -> Path:
    """Write a click for every n-th of ``count`` images."""
    step = max(1, count // ANNOTATED)
    with (base / "points.csv").open("w") as file:
        file.write("image,x,y\n")
        for k in range(0, count, step):
            row, col = clicks[k % DISTINCT]
            file.write(f"{names.format(k)},{col},{row}\n")
    return base / "points.csv"


def write_files(base: Path, count: int) -> Words:
    """Write a folder of links to the scenes, of which some are annotated."""
    files, clicks = small_scenes()
    for folder in ("images", "scenes"):
        (base / folder).mkdir()
    for k, data in enumerate(files):
        (base / f"scenes/{k}.png").write_bytes(data)
    for k in range(count):
        (base / f"images/{k:06d}.png").symlink_to(base / f"scenes/{k % DISTINCT}.png")
    return annotate(base / "images", write_points(base, "{:06d}.png", count, clicks))


def write_zip(base: Path, count: int) -> Words:
    """Write an archive of so many members, of which some are annotated."""
    files, clicks = small_scenes()
    with zipfile.ZipFile(base / "images.zip", "w") as archive:
        for k in range(count):
            archive.writestr(MEMBER.format(k), files[k % DISTINCT])
    return annotate(base / "images.zip", write_points(base, MEMBER, count, clicks))


def write_rows(base: Path, count: int) -> Words:
    """Write a table of so many points, to be written as another table."""
    images = max(1, NAMED * count // 5_000_000)
    with (base / "points.csv").open("w") as file:
        file.write("image,x,y\n")
        file.writelines(f"{k % images:06d}.png,{k * 7 % 640},{k * 11 % 512}\n" for k in range(count))
    return ["convert", str(base / "points.csv"), str(base / "out.csv"), "--to", "csv"]


def write_scene(base: Path, side: int) -> Words:
    """Write one frame to predict: a built-in scene, repeated."""
    (base / "images").mkdir()
    tile = next(iter(make_scenes(1, 3, shape=(256, 256)))).image
    repeats = -(-side // 256)
    tifffile.imwrite(base / "images/a.tif", np.tile(tile, (repeats, repeats))[:side, :side])
    out = str(base / "out")
    return ["predict", "builtin", str(base / "images"), "--out", out, "--device", "cpu"]


CASES = {
    "frame": Case(
        "one frame, 1,000 clicks; side", (5_000, 10_000, 20_000), lambda base, n: write_frame(base, n, 1000)
    ),
    "points": Case(
        "one frame of 8,192 px, clicks", (1_000, 10_000, 100_000), lambda base, n: write_frame(base, 8192, n)
    ),
    "stack": Case("one stack, a click a page; pages", (500, 5_000, 50_000), write_stack),
    "files": Case("a folder, 3,000 annotated; files", (3_000, 30_000, 300_000), write_files),
    "rows": Case("a table of points; rows", (50_000, 500_000, 5_000_000), write_rows),
    "zip": Case("an archive, 3,000 annotated; members", (3_000, 20_000, 200_000), write_zip),
    "predict": Case("predict one frame; side", (2_500, 5_000, 10_000), write_scene),
}


if __name__ == "__main__":
    main()

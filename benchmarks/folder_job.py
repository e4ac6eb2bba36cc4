"""Compare the folder job with a null job that decodes the same images and writes one mask PNG for each.

python benchmarks/folder_job.py                                         # 600 built-in scenes
POINTMASK_SIRST3=FOLDER python benchmarks/folder_job.py                 # and SIRST3's real images
python benchmarks/folder_job.py --images IMAGES --points points.csv     # your own folder instead

The null job does only what no annotator can avoid, in the simplest way: Pillow decodes each file and encodes
one mask of the same size, which is written directly. There is no hash, pairing, manifest or renaming. It and
the folder job run in turn, in rounds, with the same threads and into new folders; the folder job also runs
with one thread. The figures are medians over rounds. Wall time is the time that a user waits; processor time
is more stable on a shared machine.
"""

import argparse
import io
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image
from support.results import FOLDER, save

from pointmask import executors
from pointmask.folder.job import annotate_folder
from pointmask.io.formats import read_points
from pointmask.io.images.folder import list_images
from pointmask.io.points.points import Point, Points
from pointmask.synth.scenes import make_scenes

Figures = dict[str, float | str]


def main() -> None:
    """Time the jobs on each folder, print the ratios and write ``folder_job.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=Path, help="folder of images; needs --points")
    parser.add_argument("--points", type=Path)
    parser.add_argument("--scenes", type=int, default=600)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--results", type=Path, default=FOLDER)
    options = parser.parse_args()
    if (options.images is None) != (options.points is None):
        parser.error("--images and --points belong together")
    real = os.environ.get("POINTMASK_SIRST3")
    with tempfile.TemporaryDirectory() as temporary:
        base = Path(temporary)
        measure = partial(compare, threads=options.threads, rounds=options.rounds)
        if options.images is not None:
            figures = measure(
                options.images.name, options.images, read_points(options.points), base / "given"
            )
        else:
            scenes, points = write_scenes(options.scenes, base / "images")
            figures = measure("scenes", scenes, points, base / "scenes")
        content = {"threads": options.threads, "rounds": options.rounds, **figures}
        if options.images is None and real:
            clicks = read_points(Path(real) / "points_centroid.csv")
            content["real"] = measure("SIRST3", Path(real) / "images", clicks, base / "real")
    save("folder_job", content, options.results)


def write_scenes(count: int, folder: Path) -> tuple[Path, Points]:
    """Write built-in scenes of 256 x 256 pixels as 8-bit PNG at Pillow's usual compression."""
    folder.mkdir()
    by_image = {}
    for k, scene in enumerate(make_scenes(count, 1)):
        name = f"{k:05d}.png"
        Image.fromarray(scene.image).save(folder / name)
        by_image[name] = tuple(Point(row, col) for row, col in scene.points)
    return folder, Points(by_image)


def compare(source: str, images: Path, points: Points, base: Path, *, threads: int, rounds: int) -> Figures:
    """Run the jobs in turn and print a line; the first round only warms the file cache."""
    names = list_images(images)
    base.mkdir()
    annotate = partial(annotate_folder, images, points, empty_masks=True)
    first = annotate(base / "first", threads=threads)
    if first.skipped:
        raise SystemExit(f"{len(first.skipped)} images cannot be done, first: {first.skipped[0]}")
    jobs: dict[str, Callable[[Path], object]] = {
        "null": lambda out: null_job(images, names, out, threads),
        "folder": partial(annotate, threads=threads),
        "one_thread": partial(annotate, threads=1),
    }
    wall: dict[str, list[float]] = {name: [] for name in jobs}
    cpu: dict[str, list[float]] = {name: [] for name in jobs}
    for k in range(rounds + 1):
        for name in jobs if k % 2 else reversed(jobs):  # so that no job always follows the same one
            spent = elapsed(partial(jobs[name], base / f"{name}{k}"))
            if k:
                wall[name].append(spent[0])
                cpu[name].append(spent[1])
    over_null = [ours / null for ours, null in zip(wall["folder"], wall["null"], strict=True)]
    gains = [one / ours for one, ours in zip(wall["one_thread"], wall["folder"], strict=True)]
    figures: Figures = {"source": source, "images": len(names), "targets": len(points)}
    figures |= {f"{name}_s": median(seconds) for name, seconds in wall.items()}
    figures |= {f"{name}_cpu_s": median(seconds) for name, seconds in cpu.items()}
    figures |= {
        "ratio": median(over_null),
        "ratio_least": min(over_null),
        "ratio_most": max(over_null),
        "ratio_cpu": median(cpu["folder"]) / median(cpu["null"]),
        "thread_gain": median(gains),
        "thread_gain_of_quickest": min(wall["one_thread"]) / min(wall["folder"]),
        "images_per_s": len(names) / median(wall["folder"]),
    }
    print(
        f"{source}: {len(names)} images, {len(points)} targets, {threads} threads: null job "
        f"{figures['null_s']:.3f} s, folder job {figures['folder_s']:.3f} s ({figures['images_per_s']:.0f} "
        f"images/s); ratio {figures['ratio']:.2f} of wall, {figures['ratio_cpu']:.2f} of processor time; "
        f"{figures['thread_gain']:.2f} times as quick as with one thread"
    )
    return figures


def elapsed(job: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds of wall time and of processor time in all threads."""
    started, worked = time.perf_counter(), time.process_time()
    job()
    return time.perf_counter() - started, time.process_time() - worked


def null_job(images: Path, names: list[str], out: Path, threads: int) -> None:
    """Decode each image and write one mask, in threads."""
    out.mkdir()
    for _ in executors.threads(partial(null_one, images, out), enumerate(names), threads):
        pass


def null_one(images: Path, out: Path, item: tuple[int, str]) -> None:
    """Decode one image and write one mask with a single small target."""
    number, name = item
    with Image.open(images / name) as file:
        pixels = np.asarray(file)
    mask = np.zeros(pixels.shape[:2], np.uint8)
    mask[len(mask) // 2, : min(9, mask.shape[1])] = 255
    buffer = io.BytesIO()
    Image.fromarray(mask).save(buffer, "PNG", compress_level=1)
    (out / f"{number}.png").write_bytes(buffer.getvalue())


if __name__ == "__main__":
    main()

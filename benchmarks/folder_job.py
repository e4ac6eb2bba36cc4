"""The folder job against a null job: the same images decoded, and one mask PNG written for each.

python benchmarks/folder_job.py                                         # 600 built-in scenes
python benchmarks/folder_job.py --images IMAGES --points points.csv     # your own folder

The null job does what no annotator can avoid: Pillow opens and decodes each file, Pillow encodes one mask of
the same size, and it is written. It hashes nothing, pairs nothing, writes no manifest and renames nothing.
Both jobs run in turn, in rounds, with the same threads and into fresh folders; the figures are medians. Wall
time is what a user waits; processor time is steadier on a machine that others use too.
"""

import argparse
import io
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
from _results import FOLDER, save
from PIL import Image

from pointmask import executors
from pointmask.files import list_images
from pointmask.folder import annotate_folder
from pointmask.formats import read_points
from pointmask.points import Point, Points
from pointmask.synth import make_scenes


def main() -> None:
    """Time both jobs, print the ratio and write ``folder_job.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=Path, help="folder of images; needs --points")
    parser.add_argument("--points", type=Path)
    parser.add_argument("--scenes", type=int, default=600)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--results", type=Path, default=FOLDER)
    options = parser.parse_args()
    if (options.images is None) != (options.points is None):
        parser.error("--images and --points belong together")
    with tempfile.TemporaryDirectory() as temporary:
        base = Path(temporary)
        if options.images is None:
            images, points = write_scenes(options.scenes, base / "images")
        else:
            images, points = options.images, read_points(options.points)
        figures = compare(images, points, base, options.threads, options.rounds)
    source = "scenes" if options.images is None else options.images.name
    shown = f"null job {figures['null_s']:.3f} s, folder job {figures['folder_s']:.3f} s"
    print(f"{figures['images']} images, {figures['targets']} targets, {options.threads} threads: {shown}")
    print(
        f"ratio {figures['ratio']:.2f} of wall time, {figures['ratio_cpu']:.2f} of processor time "
        f"({figures['images_per_s']:.0f} images/s)"
    )
    save("folder_job", {"source": source, "threads": options.threads, **figures}, options.results)


def write_scenes(count: int, folder: Path) -> tuple[Path, Points]:
    """Write built-in scenes of 256 x 256 pixels as 8-bit PNG at Pillow's usual compression."""
    folder.mkdir()
    by_image = {}
    for k, scene in enumerate(make_scenes(count, 1)):
        name = f"{k:05d}.png"
        Image.fromarray(scene.image).save(folder / name)
        by_image[name] = tuple(Point(row, col) for row, col in scene.points)
    return folder, Points(by_image)


def compare(images: Path, points: Points, base: Path, threads: int, rounds: int) -> dict[str, float]:
    """Run both jobs in turn; the first round, which warms the file cache, is not counted."""
    names = list_images(images)
    empty = annotate_folder(images, points, base / "warm", threads=threads, empty_masks=True)
    if empty.skipped:
        raise SystemExit(f"{len(empty.skipped)} images cannot be done, first: {empty.skipped[0]}")
    null, folder = [], []
    for k in range(rounds + 1):
        out = base / f"null{k}"
        out.mkdir()
        null.append(elapsed(partial(null_job, images, names, out, threads)))
        job = partial(annotate_folder, images, points, base / f"out{k}", threads=threads, empty_masks=True)
        folder.append(elapsed(job))
    null_wall, null_cpu = (median(column) for column in zip(*null[1:], strict=True))
    folder_wall, folder_cpu = (median(column) for column in zip(*folder[1:], strict=True))
    ratios = [ours[0] / theirs[0] for ours, theirs in zip(folder[1:], null[1:], strict=True)]
    return {
        "images": len(names),
        "targets": len(points),
        "rounds": rounds,
        "null_s": null_wall,
        "folder_s": folder_wall,
        "ratio": median(ratios),
        "ratio_least": min(ratios),
        "ratio_most": max(ratios),
        "null_cpu_s": null_cpu,
        "folder_cpu_s": folder_cpu,
        "ratio_cpu": folder_cpu / null_cpu,
        "images_per_s": len(names) / folder_wall,
    }


def elapsed(job: Callable[[], object]) -> tuple[float, float]:
    """Seconds of wall time and of processor time in all threads."""
    started, worked = time.perf_counter(), time.process_time()
    job()
    return time.perf_counter() - started, time.process_time() - worked


def null_job(images: Path, names: list[str], out: Path, threads: int) -> None:
    """Decode each image and write one mask, in threads."""
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

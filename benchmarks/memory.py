"""Measure resident memory during annotation of a large folder: it must stay flat.

python benchmarks/memory.py                    # 20,000 scenes of 128 x 128 pixels; about two minutes
python benchmarks/memory.py --images 2000      # a quick test

The images are 500 built-in scenes, shifted by a different number of rows in each repetition, so that all
files differ. A separate process writes them, so that only the job is measured. The figure shows resident
memory over the number of images done; the baseline is the process after all imports.
"""

import argparse
import multiprocessing
import tempfile
from pathlib import Path

import matplotlib as mpl
import numpy as np
from support.meter import Meter
from support.results import FOLDER, save

from pointmask.folder.job import annotate_folder
from pointmask.io.formats.tables.csv import Csv
from pointmask.io.images.array import encode_png
from pointmask.io.points.points import Point, Points
from pointmask.synth.scenes import make_scenes

SIDE = 128
DISTINCT = 500


def main() -> None:
    """Run the job, and write ``memory.json`` and ``memory.png``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--results", type=Path, default=FOLDER)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        base = Path(temporary)
        maker = multiprocessing.get_context("spawn").Process(target=write_images, args=(options.images, base))
        maker.start()
        maker.join()
        meter = Meter()
        with meter:
            summary = annotate_folder(
                base / "images",
                base / "points.csv",
                base / "out",
                threads=options.threads,
                progress=meter.note,
            )
    figures = {
        "images": summary.done,
        "targets": summary.targets,
        "threads": options.threads,
        "side": SIDE,
        "images_per_s": summary.images_per_s,
        "baseline_mib": meter.baseline,
        "peak_mib": max(meter.mib),
        "growth_second_half_mib": meter.mib[-1] - meter.mib[len(meter.mib) // 2],
        "done": meter.done,
        "mib": [round(value, 1) for value in meter.mib],
    }
    line = f"baseline {meter.baseline:.0f} MiB, peak {max(meter.mib):.0f} MiB"
    print(f"{summary.done} images at {summary.images_per_s:.0f} images/s: {line}")
    save("memory", figures, options.results)
    draw(meter, options.results / "memory.png")


def write_images(count: int, base: Path) -> None:
    """Write PNG images and a point list."""
    scenes = list(make_scenes(min(count, DISTINCT), 5, shape=(SIDE, SIDE)))
    (base / "images").mkdir()
    by_image = {}
    for k in range(count):
        scene, shift = scenes[k % len(scenes)], k // len(scenes)
        name = f"{k:06d}.png"
        (base / "images" / name).write_bytes(encode_png(np.roll(scene.image, shift, axis=0)))
        by_image[name] = tuple(Point((row + shift) % SIDE, col) for row, col in scene.points)
    Csv().write(Points(by_image), base / "points.csv")


def draw(meter: Meter, path: Path) -> None:
    """Draw memory over images done."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
    axes.plot(meter.done, meter.mib, color="#0b7285", linewidth=1.8)
    axes.axhline(meter.baseline, color="#868e96", linewidth=1, linestyle="--")
    axes.text(meter.done[-1], meter.baseline, "everything imported ", ha="right", va="top", color="#868e96")
    axes.set(xlabel="images done", ylabel="resident memory, MiB", xlim=(0, meter.done[-1]), ylim=(0, 600))
    axes.set_title(f"{meter.done[-1]:,} images of {SIDE} x {SIDE} pixels: peak {max(meter.mib):.0f} MiB")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=130)
    print(f"written: {path}")


if __name__ == "__main__":
    main()

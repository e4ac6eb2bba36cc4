"""Annotate a folder of images with a table of points.

Run ``python annotate_folder.py [FOLDER]``. It fills FOLDER (default: ``folder_example``) with 24 scenes and
their points, then does from Python what

    pointmask annotate FOLDER/images --points FOLDER/points.csv --out FOLDER/out --report

does in a terminal. Open FOLDER/out/report.html: the least certain masks come first. A second run has
nothing left to do.
"""

import csv
import sys
from pathlib import Path

from PIL import Image

from pointmask import annotate_folder, make_scenes


def write_scenes(folder: Path) -> None:
    """Write scenes of both depths as PNG, and one row per target: image,x,y (0-based pixels)."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    with (folder / "points.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["image", "x", "y"])
        for scene in make_scenes(24, seed=1, bits=None):
            Image.fromarray(scene.image).save(folder / "images" / f"{scene.name}.png")
            rows.writerows([f"{scene.name}.png", col, row] for row, col in scene.points)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "folder_example")
    write_scenes(folder)
    summary = annotate_folder(
        folder / "images", folder / "points.csv", folder / "out", threads=2, report=True
    )
    print(f"{summary.done} images done now, {summary.resumed} done before, {summary.targets} targets")
    for image, reason in summary.skipped:
        print(f"skipped {image}: {reason}")
    print(f"masks in {folder / 'out' / 'masks'}; open {summary.report}")


if __name__ == "__main__":
    main()

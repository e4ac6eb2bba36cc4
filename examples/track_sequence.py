"""Track targets through a sequence from clicks on its first frame, and annotate all frames.

Run ``python track_sequence.py [FOLDER]``. It fills FOLDER (default: ``sequence_example``) with 24 frames of
two targets that cross, one of which then disappears, and does from Python what

    pointmask annotate FOLDER/images --points FOLDER/points.csv --out FOLDER/out --track

does in a terminal. FOLDER/track.png shows the tracked points.
"""

import csv
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from pointmask import Mover, Point, Points, annotate_folder, carry, make_sequence, open_source

MOVERS = [
    Mover(start=(30, 20), velocity=(1.5, 2.4), size=3, snr=8),
    Mover(start=(72, 24), velocity=(-1.4, 2.2), size=4, shape="ellipse", snr=9, hidden=((19, 24),)),
]


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "sequence_example")
    scene = make_sequence("clouds", MOVERS, count=24, shape=(112, 112), seed=5, jitter=0.4)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for k, frame in enumerate(scene.frames):
        Image.fromarray(frame).save(folder / "images" / f"f{k}.png")

    clicks = Points({"f0.png": tuple(Point(*map(round, path[0])) for path in scene.paths.tolist())})
    with (folder / "points.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["image", "x", "y"])
        rows.writerows([name, point.col, point.row] for name, points in clicks for point in points)
    source = open_source(folder / "images")
    carried = carry(clicks, source, source.names())
    summary = annotate_folder(source, carried.points, folder / "out")
    print(f"{len(clicks)} clicks became {len(carried.points)} points on {summary.images} frames")
    for (name, _), point in carried.lost:
        print(f"lost in {name}: last seen at x {point.col}, y {point.row}")

    last = scene.frames[-1].astype(float)
    grey = np.clip((last - last.min()) / np.ptp(last) * 255, 0, 255).astype(np.uint8)
    picture = Image.fromarray(grey).resize((448, 448)).convert("RGB")
    draw = ImageDraw.Draw(picture)
    for group in carried.sightings.values():
        for sighting in group:
            x, y = 4 * sighting.step.col + 2, 4 * sighting.step.row + 2
            colour = "magenta" if sighting.step.state == "crossing" else "lime"
            draw.ellipse((x - 2, y - 2, x + 2, y + 2), outline=colour)
    picture.save(folder / "track.png")


if __name__ == "__main__":
    main()

"""Measure how well `--track` follows targets with known paths, by case, speed and noise.

python benchmarks/tracking.py

Sequences of 30 frames, 128 x 128, from `pointmask.synth.sequence`: sizes of 2 to 9 pixels, speeds of 0 to 3
pixels per frame against the scene, signal-to-noise ratios (mean over the mask, against noise and local
clutter) of 3 to 10, on six backgrounds. The click is the pixel nearest to the target's centroid in the first
frame.

* within 1 px: share of the frames in which the target is visible, before it first disappears or leaves, that
  have a point within 1 pixel of it. Frames without a point count as missed.
* of points: the same share among the frames that have a point: the precision of the points.
* losses told: share of disappearances for which a loss is reported within 2 frames.
* false losses: share of targets for which a loss is reported more than 2 frames before they disappear.
* invented: points per disappearance in frames in which the target is not visible.
"""

import argparse
import time
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from support.results import FOLDER, save

from pointmask.io.files import write_whole
from pointmask.synth.scenes import KINDS
from pointmask.synth.sequence import Mover, MovingScene, make_sequence
from pointmask.tracking.follow import Step, follow

CASES = ("plain", "camera", "brightness", "crossing", "vanishing", "blinking", "leaving")
SPEEDS = (0.0, 1.0, 2.0, 3.0)
RATIOS = (3.0, 4.0, 6.0, 10.0)
TARGETS = (
    (2.0, "point"), (3.0, "point"), (4.0, "ellipse"), (6.0, "blob"), (7.5, "vehicle"), (9.0, "blob"),
    (9.0, "aeroplane"),
)  # fmt: skip
FRAMES, SIDE, MARGIN = 30, 128, 12
TOLERANCE, LATE = 1.0, 2


@dataclass(frozen=True, slots=True)
class Score:
    """Outcome of tracking one target."""

    visible: int
    placed: int
    near: int
    false_loss: bool
    reported: bool | None  # None if it never disappears
    invented: int


def main() -> None:
    """Measure, print the table and write ``tracking.json`` and ``tracking.md``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=2, help="Sequences per cell and background.")
    parser.add_argument("--results", type=Path, default=FOLDER)
    options = parser.parse_args()
    follow([np.zeros((64, 64))] * 3, [(32, 32)])  # compile before timing
    scores: dict[tuple[str, float, float, str], list[Score]] = defaultdict(list)
    seconds, steps = 0.0, 0
    for case, speed, ratio, kind in product(CASES, SPEEDS, RATIOS, KINDS):
        if case == "crossing" and not speed:
            continue  # two resting targets do not cross
        for seed in range(options.seeds):
            scene = make_case(case, kind, speed, ratio, seed)
            clicks = [(round(row), round(col)) for row, col in scene.paths[:, 0].tolist()]
            start = time.thread_time()
            tracks = follow(scene.frames, clicks)
            seconds += time.thread_time() - start
            steps += sum(len(track) - 1 for track in tracks)
            scores[case, speed, ratio, kind] += [
                judge(path, track) for path, track in zip(scene.paths, tracks, strict=True)
            ]
    rows = list(table(scores))
    for line in lines(rows):
        print(line)
    print(f"{1e3 * seconds / steps:.2f} ms of processor time per target and frame")
    text = "\n".join(lines(rows)) + "\n"
    write_whole(options.results / "tracking.md", text)
    save("tracking", {"ms_per_target_and_frame": 1e3 * seconds / steps, "rows": rows}, options.results)


def make_case(case: str, kind: str, speed: float, ratio: float, seed: int) -> MovingScene:
    """Generate the sequence of one cell; its seed depends only on the cell's own values."""
    numbers = (seed, zlib.crc32(f"{case} {kind} {speed:g}".encode()))
    rng = np.random.default_rng((*numbers, 3))
    camera: dict[str, Any] = {}
    if case == "camera":
        camera = {"jitter": 0.7, "pan": tuple(rng.uniform(-1, 1, 2).tolist())}
    if case == "brightness":
        camera = {"brightness": 0.3}
    if case == "crossing":
        movers = crossing(rng, speed, ratio)
    elif case == "leaving":
        movers = [leaving(rng, max(speed, 1.0), ratio)]
    else:
        gone = int(rng.integers(8, 22))
        hidden = {"vanishing": ((gone, FRAMES),), "blinking": ((gone, gone + 3),)}.get(case, ())
        movers = [inside(rng, speed, ratio, hidden)]
    return make_sequence(kind, movers, count=FRAMES, shape=(SIDE, SIDE), seed=numbers, **camera)


def inside(
    rng: np.random.Generator, speed: float, ratio: float, hidden: tuple[tuple[int, int], ...]
) -> Mover:
    """Draw a target whose path stays in the frame."""
    size, shape = TARGETS[rng.integers(len(TARGETS))]
    while True:
        velocity, start = speed * direction(rng.uniform(0, 2 * np.pi)), rng.uniform(MARGIN, SIDE - MARGIN, 2)
        end = start + FRAMES * velocity
        if end.min() > MARGIN and end.max() < SIDE - MARGIN:
            return Mover(
                start=pair(start), velocity=pair(velocity), turn=float(rng.normal(0, 0.5)), size=size,
                shape=shape, snr=ratio, hidden=hidden,
            )  # fmt: skip


def crossing(rng: np.random.Generator, speed: float, ratio: float) -> list[Mover]:
    """Draw two targets whose paths meet in the middle at 35 to 145 degrees, within a pixel or two."""
    middle, angle = SIDE / 2 + rng.uniform(-8, 8, 2), rng.uniform(0, 2 * np.pi)
    movers = []
    for turn in (0.0, float(np.radians(rng.uniform(35, 145)))):
        size, shape = TARGETS[rng.integers(5)]
        velocity = speed * direction(angle + turn)
        start = middle - velocity * FRAMES / 2 + rng.normal(0, 0.7, 2)
        brighter = ratio * float(rng.uniform(1, 1.5))
        movers.append(Mover(start=pair(start), velocity=pair(velocity), size=size, shape=shape, snr=brighter))
    return movers


def leaving(rng: np.random.Generator, speed: float, ratio: float) -> Mover:
    """Draw a target that reaches the edge of the frame after about 15 frames."""
    size, shape = TARGETS[rng.integers(len(TARGETS))]
    velocity = speed * direction(rng.uniform(0, 2 * np.pi))
    place = np.full(2, SIDE / 2)
    while place.min() > 0 and place.max() < SIDE - 1:
        place += velocity
    return Mover(
        start=pair(place - 15 * velocity), velocity=pair(velocity), size=size, shape=shape, snr=ratio
    )


def direction(angle: float) -> np.ndarray:
    """Return the unit vector (row, col) of an angle."""
    return np.array([np.sin(angle), np.cos(angle)])


def pair(vector: np.ndarray) -> tuple[float, float]:
    """Convert a vector to two plain numbers."""
    return float(vector[0]), float(vector[1])


def judge(path: np.ndarray, track: list[Step]) -> Score:
    """Compare a track with the truth."""
    visible = ~np.isnan(path[:, 0])
    end = len(path) if visible.all() else int(np.argmin(visible))
    places = {step.frame: (step.row, step.col) for step in track if step.state != "lost"}
    losses = [step.frame for step in track if step.state == "lost"]
    placed = sum(k in places for k in range(1, end))
    near = sum(k in places and np.hypot(*(path[k] - places[k])) <= TOLERANCE for k in range(1, end))
    reported = any(abs(frame - end) <= LATE for frame in losses) if end < len(path) else None
    invented = sum(not visible[k] for k in places)
    return Score(end - 1, placed, int(near), any(frame < end - LATE for frame in losses), reported, invented)


def table(scores: dict[tuple[str, float, float, str], list[Score]]) -> Iterator[dict[str, Any]]:
    """Yield rows: by case and ratio, by speed and ratio, by background and ratio."""
    for place, title, values in (
        (0, "case", CASES), (1, "px per frame", SPEEDS), (3, "background", KINDS), (None, "all", ("",)),
    ):  # fmt: skip
        for value in values:
            cells = {
                ratio: [
                    score
                    for key, group in scores.items()
                    if key[2] == ratio and (place is None or key[place] == value)
                    for score in group
                ]
                for ratio in RATIOS
            }
            cells = {**cells, 0.0: [score for group in cells.values() for score in group]}
            for ratio, group in cells.items():
                yield {"by": title, "value": value, "ratio": ratio or "3 to 10", **summed(group)}


def summed(group: list[Score]) -> dict[str, Any]:
    """Summarise several targets."""
    ends = [score for score in group if score.reported is not None]
    return {
        "targets": len(group),
        "near": sum(score.near for score in group) / sum(score.visible for score in group),
        "near_of_points": sum(score.near for score in group) / sum(score.placed for score in group),
        "false_losses": sum(score.false_loss for score in group) / len(group),
        "told": sum(bool(score.reported) for score in ends) / len(ends) if ends else None,
        "invented": sum(score.invented for score in ends) / len(ends) if ends else None,
    }


def lines(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    yield "| | SNR | targets | within 1 px | of points | losses told | false losses | invented |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for row in rows:
        reported = "" if row["told"] is None else f"{100 * row['told']:.1f} %"
        invented = "" if row["invented"] is None else f"{row['invented']:.2f}"
        yield (
            f"| {row['by']} {row['value']} | {row['ratio']} | {row['targets']} | {100 * row['near']:.1f} % "
            f"| {100 * row['near_of_points']:.1f} % | {reported} "
            f"| {100 * row['false_losses']:.1f} % | {invented} |"
        )


if __name__ == "__main__":
    main()

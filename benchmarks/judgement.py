"""How often the judgement of a whole list raises false alarms, and finds systematic errors.

    POINTMASK_SIRST3=... python benchmarks/judgement.py [--wild FOLDER] [--draws 20] [--every 1]

Clicks of real and built-in images are judged as they are, with an error planted in all of them, and at places
chosen by chance.
Thresholds were set on the train list and on built-in scenes of other seeds; the val list, and folders below
--wild (each with images/, masks/, points_centroid.csv and points_coarse.csv), are judged only.
"""

import argparse
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from masks.data import PROTOCOLS, read_frames
from numpy.typing import NDArray
from scipy import ndimage
from support.results import FOLDER, command, save

from pointmask.io.files import write_whole
from pointmask.io.formats import read_points
from pointmask.io.images.array import read, read_mask
from pointmask.io.images.folder import list_images
from pointmask.io.points.by_frame import points_by_frame
from pointmask.io.points.names import natural_key
from pointmask.judgement.evidence import Clicked
from pointmask.judgement.sample import judge_some
from pointmask.judgement.statistic import Standout
from pointmask.judgement.verdict import Verdict
from pointmask.synth.scenes import KINDS, make_scene

Places = NDArray[np.int64]
SIZES = (20, 50, 200, 2000)
FEW = (4, 6, 8, 10)
SCENES = 96


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One image, its targets and its clicks by protocol."""

    name: str
    standout: Standout
    labels: NDArray[Any]
    points: dict[str, Places]

    def middles(self) -> Places:
        """Middle pixels of all targets, rounded to the nearest."""
        numbers = np.unique(self.labels[self.labels > 0])
        return rounded(
            *np.array(ndimage.center_of_mass(self.labels > 0, self.labels, numbers)).reshape(-1, 2).T
        )

    def corners(self) -> Places:
        """Top left pixels of the boxes of all targets."""
        boxes = [box for box in ndimage.find_objects(self.labels) if box is not None]
        return np.array([[side.start for side in box] for box in boxes], np.int64).reshape(-1, 2)


def rounded(rows: NDArray[Any], cols: NDArray[Any]) -> Places:
    """Pixels nearest to places."""
    return np.floor(np.stack([rows, cols], axis=1) + 0.5).astype(np.int64)


def moved(sample: Sample, rng: np.random.Generator) -> Places:
    """Centroids, each moved by up to 3 px."""
    axis = np.arange(-3, 4)
    disk = np.argwhere(axis[:, None] ** 2 + axis**2 <= 9) - 3
    points = sample.points["centroid"]
    steps = disk[rng.integers(len(disk), size=len(points))]
    return np.clip(points + steps, 0, np.array(sample.standout.shape) - 1)


def of_clicks(change: Callable[..., tuple[Any, Any]]) -> Callable[[Sample, str, np.random.Generator], Places]:
    """Plant a change of rows, columns, height and width into all clicks."""

    def plant(sample: Sample, protocol: str, rng: np.random.Generator) -> Places:
        rows, cols = sample.points[protocol].T.astype(float)
        return rounded(*change(rows, cols, *sample.standout.shape))

    return plant


def scaled_by(high: float, wide: float) -> Callable[..., tuple[Any, Any]]:
    """Give a change of scale about the corner of the image."""
    return lambda r, c, h, w: ((r + 0.5) * high - 0.5, (c + 0.5) * wide - 0.5)


def resized_to(side: int) -> Callable[..., tuple[Any, Any]]:
    """Give clicks made on images that were resized to a square."""
    return lambda r, c, h, w: ((r + 0.5) * side / h - 0.5, (c + 0.5) * side / w - 0.5)


# By the name that the verdict gives: what is planted, with a variant per draw.
ERRORS: dict[str, tuple[Callable[[Sample, str, np.random.Generator], Places], ...]] = {
    "swapped": (of_clicks(lambda r, c, h, w: (c, r)),),
    "mirrored": (of_clicks(lambda r, c, h, w: (r, w - 1 - c)),),
    "upside down": (of_clicks(lambda r, c, h, w: (h - 1 - r, c)),),
    "turned by 180 degrees": (of_clicks(lambda r, c, h, w: (h - 1 - r, w - 1 - c)),),
    "turned by 90 degrees": (
        of_clicks(lambda r, c, h, w: (c, h - 1 - r)),
        of_clicks(lambda r, c, h, w: (w - 1 - c, r)),
    ),
    "scaled": tuple(
        of_clicks(change)
        for change in (
            *(scaled_by(f, f) for f in (2, 0.5, 640 / 512, 1.7, 0.37)),
            resized_to(1024),
            resized_to(640),
        )
    ),
    "percents": (of_clicks(resized_to(100)),),
    "fractions": (of_clicks(resized_to(1)), of_clicks(lambda r, c, h, w: (r / h, c / w))),
    "shifted": tuple(
        of_clicks(lambda r, c, h, w, down=down, right=right: (r + down, c + right))
        for down, right in ((6, 0), (-10, 4), (20, -15), (0, -8), (5, 5))
    ),
    "corner of the box": (lambda sample, protocol, rng: sample.corners(),),
    "counted from 1": (lambda sample, protocol, rng: sample.middles() + 1,),
    "names off by one": (of_clicks(lambda r, c, h, w: (r, c)),),
}


def real(folder: Path, split: str, every: int) -> list[Sample]:
    """Read every n-th image of one list."""
    frames = sorted(read_frames(folder, (split,), every), key=lambda frame: natural_key(frame.name))
    return [
        Sample(f.name, Standout(f.image), f.labels, {p: _places(own) for p, own in f.points.items()})
        for f in frames
    ]


def wild(folder: Path) -> list[Sample]:
    """Read the images of one folder without lists."""
    names = sorted(list_images(folder / "images"), key=natural_key)
    paired = {p: points_by_frame(read_points(folder / f"points_{p}.csv"), names).points for p in PROTOCOLS}
    return [
        Sample(
            name,
            Standout(read(folder / "images" / name)),
            ndimage.label(read_mask(folder / "masks" / name), np.ones((3, 3)))[0],
            {p: _places([(q.row, q.col) for q in paired[p].get((name, 0), ())]) for p in PROTOCOLS},
        )
        for name in names
    ]


def built_in(contrast: float | None, side: int = 256) -> list[Sample]:
    """Make scenes; the clicks are the same for both protocols."""
    samples = []
    for index in range(SCENES):
        try:
            scene = make_scene(
                KINDS[index % len(KINDS)], shape=(side, side), seed=(77, index), contrast=contrast
            )
        except ValueError:
            continue  # targets that find no place
        points = _places(scene.points)
        samples.append(
            Sample(
                scene.name,
                Standout(scene.image),
                scene.instances.astype(np.int32),
                dict.fromkeys(PROTOCOLS, points),
            )
        )
    return samples


def _places(points: Sequence[tuple[int, int]]) -> Places:
    return np.array(points, np.int64).reshape(-1, 2)


def drawn(samples: Sequence[Sample], clicks: int, rng: np.random.Generator) -> list[Sample]:
    """Draw images with about so many clicks, in natural order."""
    chosen, count = [], 0
    for index in rng.permutation(len(samples)):
        if count < clicks:
            chosen.append(int(index))
            count += len(samples[index].points["centroid"])
    return [samples[index] for index in sorted(chosen)]


def verdict_of(samples: Sequence[Sample], clicks: Sequence[Places]) -> Verdict:
    """Judge images with these clicks."""
    none = np.empty((0, 2), np.int64)
    frames = [
        Clicked(
            s.standout,
            clicks[k],
            clicks[k - 1] if k else none,
            clicks[k + 1] if k + 1 < len(clicks) else none,
        )
        for k, s in enumerate(samples)
    ]
    return judge_some(frames, lambda frame: [frame])


def false_alarms(sets: dict[str, list[Sample]], draws: int) -> Iterator[dict[str, Any]]:
    """Judge right clicks: whole sets, and small draws of each."""
    for name, samples in sets.items():
        for kind in (*PROTOCOLS, "moved by up to 3 px"):
            alarms, judged = Counter[str](), 0
            for size in (*FEW, *SIZES[:3], None):
                for draw in range(draws if size else 1):
                    rng = np.random.default_rng((draw, size or 0))
                    own = drawn(samples, size, rng) if size else samples
                    clicks = [moved(s, rng) if kind not in PROTOCOLS else s.points[kind] for s in own]
                    verdict = verdict_of(own, clicks)
                    judged += 1
                    alarms[verdict.kind] += verdict.is_wrong
            yield {
                "set": name,
                "clicks": kind,
                "lists": judged,
                "alarms": sum(alarms.values()),
                "kinds": +alarms,
            }


def found(sets: dict[str, list[Sample]], draws: int) -> Iterator[dict[str, Any]]:
    """Plant each error into draws of each set, and count how often it is named."""
    for name, samples in sets.items():
        for error, variants in ERRORS.items():
            row: dict[str, Any] = {"set": name, "error": error}
            for size in SIZES:
                hits, told = 0, Counter[str]()
                count = draws if size <= 50 else max(draws // 4, 1)
                for draw in range(count):
                    rng = np.random.default_rng((draw, size, 5))
                    own = drawn(samples, size, rng)
                    plant = variants[draw % len(variants)]
                    clicks = [plant(s, PROTOCOLS[draw % 2], rng) for s in own]
                    if error == "names off by one":
                        clicks = [*clicks[1:], clicks[0]]
                    verdict = verdict_of(own, clicks)
                    cause = verdict.cause.name if verdict.cause else verdict.kind
                    hits += cause == error
                    told[cause] += 1
                row[str(size)] = {"draws": count, "named": hits, "told": told}
            yield row


def by_chance(sets: dict[str, list[Sample]], draws: int) -> Iterator[dict[str, Any]]:
    """Judge clicks at places chosen by chance, as many as the images have."""
    for name, samples in sets.items():
        row: dict[str, Any] = {"set": name}
        for size in (*FEW, *SIZES[:2]):
            told = Counter[str]()
            for draw in range(draws):
                rng = np.random.default_rng((draw, size, 6))
                own = drawn(samples, size, rng)
                clicks = [rng.integers(0, s.standout.shape, s.points["centroid"].shape) for s in own]
                told[verdict_of(own, clicks).kind] += 1
            row[str(size)] = {"draws": draws, "told": told}
        yield row


def sheet(
    alarms: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]], chance: Sequence[dict[str, Any]]
) -> str:
    """Write all tables as Markdown."""
    lines = [
        f"`{command()}`",
        "",
        "| right clicks of | clicks | lists judged | false alarms |",
        "|---|---|---:|---:|",
    ]
    lines += [f"| {a['set']} | {a['clicks']} | {a['lists']} | {a['alarms']} |" for a in alarms]
    lines += ["", "Share of draws in which the planted error is named, by number of clicks:", ""]
    lines += [f"| planted into | error | {' | '.join(map(str, SIZES))} |", "|---|---|" + "---:|" * len(SIZES)]
    for row in rows:
        shares = [f"{row[str(size)]['named'] / row[str(size)]['draws']:.2f}" for size in SIZES]
        lines.append(f"| {row['set']} | {row['error']} | {' | '.join(shares)} |")
    sizes = (*FEW, *SIZES[:2])
    lines += ["", "Share of draws of clicks at random places that are said to show no target; in brackets,"]
    lines += ["that are said to be too few to tell, by number of clicks:", ""]
    lines += [f"| images of | {' | '.join(map(str, sizes))} |", "|---|" + "---:|" * len(sizes)]
    for row in chance:
        told = [(row[str(size)]["told"], row[str(size)]["draws"]) for size in sizes]
        shares = [f"{t['nowhere'] / n:.2f} ({t['few'] / n:.2f})" for t, n in told]
        lines.append(f"| {row['set']} | {' | '.join(shares)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print and save all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wild", type=Path)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--every", type=int, default=1, help="Take every n-th image of the lists.")
    parser.add_argument("--out", type=Path, default=FOLDER)
    args = parser.parse_args()
    folder = Path(os.environ["POINTMASK_SIRST3"])
    lists = {f"SIRST3 {split}": real(folder, split, args.every) for split in ("train", "val")}
    scenes = built_in(None)
    parts = {}
    for prefix, group in (("Misc", "SIRST-v1"), ("XDU", "IRSTD-1k"), ("", "NUDT-SIRST")):
        every = [sample for own in lists.values() for sample in own]
        parts[group] = [s for s in every if (s.name.startswith(prefix) if prefix else s.name[0].isdigit())]
    others = {path.name: wild(path) for path in sorted(args.wild.iterdir())} if args.wild else {}
    dim = {f"built-in, SNR {snr}, {side} px": built_in(snr, side) for snr in (2, -2) for side in (256, 64)}
    alarms = list(false_alarms({**lists, **parts, **others, "built-in": scenes, **dim}, args.draws))
    rows = list(found({**lists, "built-in": scenes}, args.draws))
    chance = list(by_chance({**lists, "built-in": scenes}, 5 * args.draws))
    text = sheet(alarms, rows, chance)
    print(text)
    save("judgement", {"alarms": alarms, "found": rows, "chance": chance}, args.out)
    write_whole(args.out / "judgement.md", text)


if __name__ == "__main__":
    main()

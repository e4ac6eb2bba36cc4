"""Measure what `pointmask calibrate` gains from 5, 10 and 30 masks, over many draws, on data sets of others.

python benchmarks/calibration_draws.py --wild FOLDER      20 draws each; FOLDER holds mdvsfa/
python benchmarks/calibration_draws.py --draws 2 --every 6 --results /tmp      a quick test

Per source and number of masks, images are drawn, theta's style is fitted to them as a user would, and the
rest judges: gain in pooled IoU, mean and worst over draws. Sources are the folders of --wild that hold
images/, masks/ and points_centroid.csv, and SIRST3's three parts (train list, in the folder
POINTMASK_SIRST3) with their masks as drawn, shrunk by 1 px, and grown by 1 and 2 px. The confidence is
recalibrated on the same masks, and its mean over the rest compared with the true mean IoU there. Other
knobs than the style, which calibrate tries from 30 images on, are left out here. Writes
``calibration_draws.json``.
"""

import argparse
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np
from masks.data import read_frames
from numpy.typing import NDArray
from scipy import ndimage as ndi
from support.results import FOLDER, save

from pointmask.annotator.solved import BESIDE_SHARE
from pointmask.calibrate.certainty import recalibrated
from pointmask.calibrate.samples import Judged, Pair, Sample, cut, judged_targets, measure
from pointmask.calibrate.style import fit_style, tried_styles
from pointmask.io.formats import read_points
from pointmask.io.images.array import read, read_mask
from pointmask.io.images.folder import list_images
from pointmask.io.points.by_frame import points_by_frame
from pointmask.theta import Theta

SIZES = (5, 10, 30, 100)
Mask = NDArray[np.bool_]


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--wild", type=Path, help="folder of folders with images/, masks/, points_centroid.csv"
    )
    parser.add_argument("--only", help="only sources whose name has this in it")
    parser.add_argument("--theta", default="default", help="preset or file to start from")
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--every", type=int, default=1, help="take every n-th image")
    parser.add_argument("--results", type=Path, default=FOLDER)
    options = parser.parse_args()
    theta = Theta.load(options.theta)
    rows: list[dict[str, Any]] = []
    for name, pairs in sources(options.wild, options.every):
        if options.only and options.only not in name:
            continue
        found = measured(name, [cut(*pair, theta) for pair in pairs], theta, options.draws)
        print(text(found), flush=True)
        rows += found
    save("calibration_draws", {"theta": options.theta, "draws": options.draws, "rows": rows}, options.results)


def sources(wild: Path | None, every: int) -> Iterator[tuple[str, list[Pair]]]:
    """Yield named lists of pairs."""
    for folder in sorted(path for path in wild.iterdir() if (path / "images").is_dir()) if wild else []:
        yield folder.name, list(pairs_of(folder, every))
    root = Path(os.environ.get("POINTMASK_SIRST3", ""))
    if not (root / "images").is_dir():
        return
    parts: defaultdict[str, list[Pair]] = defaultdict(list)
    for frame in read_frames(root, ("train",), every):
        parts[frame.group].append((frame.image, frame.points["centroid"], frame.labels > 0))
    for style, redraw in STYLES.items():
        for part, pairs in sorted(parts.items()):
            yield (
                f"{part}, {style}",
                [(image, points, redraw(truth)) for image, points, truth in pairs if points],
            )


def pairs_of(folder: Path, every: int) -> Iterator[Pair]:
    """Yield the pairs of a folder of a data set."""
    names = list_images(folder / "images")
    points = points_by_frame(read_points(folder / "points_centroid.csv"), names).points
    for (name, frame), own in sorted(points.items())[::every]:
        yield (
            read(folder / "images" / name, frame),
            [(p.row, p.col) for p in own],
            read_mask(folder / "masks" / name),
        )


def shrunk(truth: Mask) -> Mask:
    """Erode by one pixel; targets that would vanish stay."""
    labels, _ = ndi.label(truth, np.ones((3, 3)))
    less = ndi.binary_erosion(truth)
    return np.asarray(less | (truth & ~np.isin(labels, np.unique(labels[less]))))


STYLES: dict[str, Callable[[Mask], Mask]] = {
    "as drawn": lambda truth: truth,
    "shrunk 1": shrunk,
    "grown 1": ndi.binary_dilation,
    "grown 2": lambda truth: ndi.binary_dilation(truth, iterations=2),
}


def measured(name: str, samples: list[Sample], theta: Theta, draws: int) -> list[dict[str, Any]]:
    """Fit to draws of every size and judge on the rest."""
    styles = tried_styles(theta.style)
    counters = np.stack([measure(samples, theta.with_(style=one), "bright") for one in styles], axis=1)
    judged: dict[float, list[list[Judged]]] = {}
    here = styles.index(theta.style)
    rows = []
    for size in SIZES:
        if size > len(samples) // 2:
            continue
        gains, chosen, gaps = [], [], []
        for draw in range(draws):
            order = np.random.default_rng((draw, size)).permutation(len(samples))
            given, rest = order[:size], order[size:]
            fit = fit_style(counters[given], styles, theta.style, seed=0)
            sums = counters[rest].sum(axis=0)
            pooled = sums[:, 0] / sums[:, 1]
            gains.append(float(pooled[styles.index(fit.style)] - pooled[here]))
            chosen.append(fit.style)
            if fit.style not in judged:
                styled = theta.with_(style=fit.style)
                judged[fit.style] = [judged_targets([sample], styled, "bright") for sample in samples]
            gaps.append(gap(theta, judged[fit.style], given, rest))
        rows.append(
            {
                "source": name,
                "masks": size,
                "images": len(samples),
                "before": float(counters[:, here, 0].sum() / counters[:, here, 1].sum()),
                "mean": mean(gains),
                "worst": min(gains),
                "kept": sum(style != theta.style for style in chosen),
                "style": median(chosen),
                "confidence_gap_before": mean(abs(before) for before, _ in gaps),
                "confidence_gap": mean(abs(after) for _, after in gaps),
                "confidence_gap_worst": max(abs(after) for _, after in gaps),
            }
        )
    return rows


def gap(
    theta: Theta, judged: list[list[Judged]], given: NDArray[np.int64], rest: NDArray[np.int64]
) -> tuple[float, float]:
    """Mean confidence less mean IoU of the rest, before and after a recalibration on the given images."""
    fitted, _ = recalibrated(theta, [one for k in given for one in judged[k]])
    slope, shift = relation(theta, fitted)
    targets = [one for k in rest for one in judged[k]]
    true = mean(one.iou for one in targets)
    logits = np.array([logit(one.confidence / (BESIDE_SHARE if one.is_beside else 1)) for one in targets])
    share = np.array([BESIDE_SHARE if one.is_beside else 1.0 for one in targets])
    after = share / (1 + np.exp(-(shift + slope * logits)))
    return mean(one.confidence for one in targets) - true, float(after.mean()) - true


def relation(before: Theta, after: Theta) -> tuple[float, float]:
    """Slope and shift between the logits of two thetas' confidences."""
    k = int(np.argmax(np.abs(before.confidence[1:]))) + 1
    slope = after.confidence[k] / before.confidence[k] if before.confidence[k] else 1.0
    return slope, after.confidence[0] - slope * before.confidence[0]


def logit(share: float) -> float:
    """Return ``log(share / (1 - share))``, of a share kept off 0 and 1."""
    share = min(max(share, 1e-9), 1 - 1e-9)
    return float(np.log(share / (1 - share)))


def text(rows: list[dict[str, Any]]) -> str:
    """Format rows."""
    lines = []
    for row in rows:
        gaps = f"{row['confidence_gap_before']:.3f} -> {row['confidence_gap']:.3f}"
        lines.append(
            f"{row['source']:22} {row['masks']:3} masks of {row['images']:4}  before {row['before']:.3f}  "
            f"mean gain {row['mean']:+.3f}  worst {row['worst']:+.3f}  kept {row['kept']:2}  style "
            f"{row['style']:+.2f}  |confidence - IoU| {gaps} (worst {row['confidence_gap_worst']:.3f})"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()

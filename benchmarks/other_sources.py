"""Compare both presets with published annotators on SIRST3's val list and on sources nothing was fitted on.

python benchmarks/other_sources.py --wild FOLDER                     FOLDER holds mdvsfa/ and crowded/
python benchmarks/other_sources.py --wild FOLDER --every 20 --results /tmp    a quick test

SIRST3 lies in the folder POINTMASK_SIRST3; its points are the published centroids. The other sources are
folders with images/, masks/ and points_centroid.csv. No method is told a size. Prints and writes
``other_sources.json``: pooled IoU, mean IoU of images and of targets, share of targets under 0.2, and for
ours the mean confidence less the mean IoU of targets, and Spearman's rank correlation of the two.
"""

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from calibration_draws import pairs_of
from masks.data import read_frames
from scipy.stats import spearmanr
from support.results import FOLDER, save

from pointmask.annotator.image import annotate
from pointmask.annotator.target import Annotation
from pointmask.bench.baselines.registry import make_baseline
from pointmask.calibrate.samples import Pair
from pointmask.metrics.counters import Score, binarise, score
from pointmask.metrics.targets import TargetTally, score_targets, true_targets
from pointmask.theta import PRESETS, Theta

BASELINES = ("mclc", "d2d")
FITTED_ON = {
    "default": "true masks of SIRST3's train list",
    "synthetic": "built-in scenes, no human mask",
    "paper": "nothing",
}


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--wild", type=Path, required=True, help="folder of the other sources")
    parser.add_argument("--every", type=int, default=1, help="take every n-th image")
    parser.add_argument("--results", type=Path, default=FOLDER)
    options = parser.parse_args()
    rows = []
    for source, pairs in sources(options.wild, options.every).items():
        for name, label, fitted_on, run in methods():
            rows.append({"source": source, "method": name, "label": label, "fitted_on": fitted_on})
            rows[-1] |= measured(pairs, run)
            print(text(rows[-1]), flush=True)
    save("other_sources", {"rows": rows}, options.results)


def sources(wild: Path, every: int) -> dict[str, list[Pair]]:
    """Read all images: SIRST3's val list, and the folders of the other sources."""
    root = Path(os.environ.get("POINTMASK_SIRST3", ""))
    if not (root / "images").is_dir():
        raise SystemExit("POINTMASK_SIRST3 must name the folder that holds images/, masks/ and splits/")
    frames = read_frames(root, ("val",), every)
    found = {"SIRST3 val": [(frame.image, frame.points["centroid"], frame.labels > 0) for frame in frames]}
    for folder in sorted(path for path in wild.iterdir() if (path / "images").is_dir()):
        found[folder.name] = list(pairs_of(folder, every))
    return found


def methods() -> list[tuple[str, str, str, Callable[[Any, Any], Annotation]]]:
    """Return name, label, what it was fitted on, and a function of image and points, of each method."""
    ours: list[tuple[str, str, str, Callable[[Any, Any], Annotation]]] = [
        (name, f"pointmask, {name}", FITTED_ON[name], _by_theta(name)) for name in PRESETS if name != "paper"
    ]
    others = [(name, make_baseline(name)) for name in BASELINES]
    return [*ours, *((name, one.label, "nothing", one.annotate) for name, one in others)]


def _by_theta(name: str) -> Callable[[Any, Any], Annotation]:
    theta = Theta.load(name)
    return lambda image, points: annotate(image if image.ndim == 2 else image[..., 0], points, theta=theta)


def measured(pairs: Sequence[Pair], run: Callable[[Any, Any], Annotation]) -> dict[str, Any]:
    """Annotate all pairs and count."""
    total, ious, tally = Score(), [], TargetTally()
    confidence, true = [], []
    for image, points, truth in pairs:
        found, mask = run(image, points), binarise(truth)
        one = score(found.mask, mask)
        total += one
        ious.append(one.iou)
        scores = score_targets(found, *true_targets(mask, points))
        tally += TargetTally.of([target for target in scores if target is not None])
        for target, own in zip(found.targets, scores, strict=True):
            if own is not None:
                confidence.append(target.confidence)
                true.append(own.iou)
    return {
        "images": len(pairs),
        "targets": tally.count,
        "iou": total.iou,
        "niou": float(np.mean(ious)),
        "target_iou": tally.mean_iou,
        "collapsed": tally.collapsed_share,
        "confidence_gap": float(np.mean(confidence) - np.mean(true)),
        "spearman": float(spearmanr(confidence, true)[0]) if np.ptp(confidence) else None,
    }


def text(row: dict[str, Any]) -> str:
    """Format one row."""
    rank = "-" if row["spearman"] is None else f"{row['spearman']:.2f}"
    return (
        f"{row['source']:12} {row['label']:26} IoU {row['iou']:.3f}  nIoU {row['niou']:.3f}  target IoU "
        f"{row['target_iou']:.3f}  under 0.2: {row['collapsed']:.1%}  confidence - IoU "
        f"{row['confidence_gap']:+.3f}  rank {rank}"
    )


if __name__ == "__main__":
    main()

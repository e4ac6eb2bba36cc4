"""Measure the gain of `pointmask calibrate` on SIRST3's real images, in the folder POINTMASK_SIRST3.

python benchmarks/calibration.py                        30 training images, from the default preset
python benchmarks/calibration.py --theta paper
python benchmarks/calibration.py --style dilated        masks 1 px larger on all sides, in fit and check
python benchmarks/calibration.py --images 12 --seeds 1 --limit 20 --results /tmp       a quick test

Per data set and seed: theta is fitted to random images of one list (--fit), as a user would fit it
to own images. The gain is measured on the images of that data set in another list (--check), or on the
rest if the list is the same. Prints a table; writes ``calibration-<theta>-<style>-<fit>-<check>.json``.
The default preset was trained on the train list, so only the images of val are new to it:

python benchmarks/calibration.py --fit val
"""

import argparse
import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from quality import split_sources
from scipy import ndimage as ndi
from support.results import FOLDER, save

from pointmask.annotator.image import annotate
from pointmask.bench.cases import Case
from pointmask.calibrate.fit import Calibration, calibrate
from pointmask.calibrate.samples import Pair
from pointmask.metrics.counters import Score, score
from pointmask.metrics.targets import TargetTally, score_targets, true_targets
from pointmask.theta import Theta

STYLES = {
    "drawn": lambda mask: mask,
    "dilated": ndi.binary_dilation,
    "eroded": lambda mask: ndi.binary_erosion(mask) | _too_thin(mask),
}
HEADER = (
    "data set    seed  kept  knobs moved" + " " * 37 + "pooled IoU before  gain   target IoU before  gain"
)


def main() -> None:
    """Fit, measure, print and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--theta", default="default", help="preset or file to start from")
    parser.add_argument("--protocol", choices=["centroid", "coarse"], default="centroid")
    parser.add_argument(
        "--style", choices=list(STYLES), default="drawn", help="what is done to the true masks"
    )
    parser.add_argument("--fit", choices=["train", "val"], default="train", help="list to fit on")
    parser.add_argument("--check", choices=["train", "val"], default="val", help="list to measure on")
    parser.add_argument("--images", type=int, default=30, help="images to fit to")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--limit", type=int, help="about so many images to measure on, per data set")
    parser.add_argument("--results", type=Path, default=FOLDER)
    options = parser.parse_args()

    folder = Path(os.environ.get("POINTMASK_SIRST3", ""))
    if not (folder / "images").is_dir():
        raise SystemExit("POINTMASK_SIRST3 must name the folder that holds images/, masks/ and splits/")
    pairs = {
        split: by_group(folder, split, options.protocol, options.style)
        for split in {options.fit, options.check}
    }
    print(HEADER)
    rows = []
    for group, fitting in sorted(pairs[options.fit].items()):
        for seed in range(options.seeds):
            order = np.random.default_rng((seed, 7)).permutation(len(fitting))
            chosen = [fitting[k] for k in order[: options.images]]
            rest = [fitting[k] for k in order[options.images :]]
            check = rest if options.check == options.fit else pairs["val"][group]
            if options.limit:
                check = check[:: max(1, len(check) // options.limit)]
            rows.append(row(group, seed, chosen, check, options.theta))
            print(table_line(rows[-1]), flush=True)
    print(summary(rows))
    name = f"calibration-{Path(options.theta).stem}-{options.style}-{options.fit}-{options.check}"
    save(name, {"protocol": options.protocol, "images": options.images, "rows": rows}, options.results)


def by_group(folder: Path, split: str, protocol: str, style: str) -> dict[str, list[Pair]]:
    """Images, published points and true masks of one list, by data set, with masks in a style."""
    groups: defaultdict[str, list[Pair]] = defaultdict(list)
    for source in split_sources(folder, split, protocol, 1):
        case: Case = source.load()
        groups[case.group].append((case.image, case.points[0], STYLES[style](case.truth)))
    return groups


def row(group: str, seed: int, chosen: Sequence[Pair], check: Sequence[Pair], theta: str) -> dict[str, Any]:
    """Fit once and measure start and outcome on images of the other list."""
    start = process_time()
    fit = calibrate(chosen, theta=theta, seed=seed)
    seconds = process_time() - start
    before = measure(check, fit.start)
    after = measure(check, fit.theta) if fit.kept else before
    return {
        "group": group,
        "seed": seed,
        **outcome(fit),
        "seconds": round(seconds, 2),
        "check_images": len(check),
        "pooled": (before[0], after[0]),
        "mean": (before[1], after[1]),
    }


def outcome(fit: Calibration) -> dict[str, Any]:
    """Return the fit's own report."""
    knobs = fit.knobs
    settings = {"style": fit.style.style} if fit.style.style != fit.style.start else {}
    return {
        "kept": fit.kept,
        "settings": settings | (dict(knobs.settings) if knobs and knobs.kept else {}),
        "tried": knobs.tried if knobs else 0,
        "style_pooled": fit.style.gain.pooled,
        "style_mean": fit.style.gain.mean,
    }


def measure(pairs: Sequence[Pair], theta: Theta) -> tuple[float, float]:
    """Return pooled IoU and mean target IoU, by the project's metrics on whole frames."""
    total, tally = Score(), TargetTally()
    for image, points, truth in pairs:
        annotation = annotate(image, points, theta=theta)
        total += score(annotation.mask, truth)
        scores = score_targets(annotation, *true_targets(truth, points))
        tally += TargetTally.of([target for target in scores if target is not None])
    return total.iou, tally.mean_iou


def table_line(row: dict[str, Any]) -> str:
    """Format one line of the table."""
    moved = ", ".join(f"{name} {setting:+g}" for name, setting in row["settings"].items()) or "-"
    figures = "   ".join(f"{a:14.4f} {b - a:+9.4f}" for a, b in (row["pooled"], row["mean"]))
    return f"{row['group']:<12}{row['seed']:>4}  {'yes' if row['kept'] else 'no':<4}  {moved:<44.44}{figures}"


def summary(rows: Sequence[dict[str, Any]]) -> str:
    """Summarise mean and worst gain per data set."""
    lines = []
    for group in sorted({row["group"] for row in rows}):
        mine = [row for row in rows if row["group"] == group]
        pooled, mean = (np.array([row[key][1] - row[key][0] for row in mine]) for key in ("pooled", "mean"))
        lines.append(
            f"{group}: kept {sum(row['kept'] for row in mine)} of {len(mine)}; gain in pooled IoU "
            f"{pooled.mean():+.4f} (worst {pooled.min():+.4f}), in target IoU {mean.mean():+.4f} (worst "
            f"{mean.min():+.4f}); {np.mean([row['seconds'] for row in mine]):.1f} s per fit"
        )
    return "\n".join(lines)


def _too_thin(mask: np.ndarray) -> np.ndarray:
    """Return the targets that erosion would remove entirely."""
    labels, count = ndi.label(mask, np.ones((3, 3)))
    remaining = set(np.unique(labels[ndi.binary_erosion(mask)]).tolist())
    return np.isin(labels, [k for k in range(1, count + 1) if k not in remaining])


if __name__ == "__main__":
    main()

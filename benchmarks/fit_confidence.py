"""Fit the weights of the confidence to the train list of SIRST3, in the folder POINTMASK_SIRST3.

python benchmarks/fit_confidence.py                     default preset; prints its line `confidence = [...]`
python benchmarks/fit_confidence.py --theta paper
python benchmarks/fit_confidence.py --quick             every 20th image; a quick test

A logistic model of the IoU with the drawn mask over `pointmask.theta.CONFIDENCE_MEASUREMENTS`, fitted to
train alone: published centroid and coarse clicks, and centroids moved by up to 3 px. Clicks beside the
target are reported and not fitted. NUDT renders few templates many times, and a model that memorises their
masks looks better than it is. Therefore targets with identical true masks share a fold in cross-validation,
and their total weight is at most that of five targets. Prints the weights and, for train in
cross-validation ("held out"), train and val: rank correlation of predicted and true IoU over all and by data
set, calibration error, and pooled IoU of all targets and without the least certain 5, 10 and 20 %. Writes
``confidence-<theta>.json``.
"""

import argparse
import os
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from masks.clicks import moved, outside
from masks.confidence import DROPPED, reliability
from masks.data import Frame, PointList, read_frames
from numpy.typing import NDArray
from scipy.stats import spearmanr
from support.logistic import logistic, logistic_weights
from support.results import FOLDER, save

from pointmask.annotator import confidence
from pointmask.annotator.image import annotate
from pointmask.annotator.target import Target, slices_of
from pointmask.measurements import CONFIDENCE_MEASUREMENTS
from pointmask.theta import Theta

Row = NDArray[np.float64]
Places = dict[str, tuple[str, Callable[..., PointList]]]

FITTED = ("centroid", "coarse", "moved")
KINDS = (*FITTED, "outside")
GROUPS = {"v1": "SIRST-v1", "NUDT": "NUDT-SIRST", "1k": "IRSTD-1k"}
FOLDS = 5
CAP = 5  # maximum total weight of the targets of one template
PENALTY = 1e-4  # on the squares of the standardised weights
QUICK = 20


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """One row per target and click: measurements and truth."""

    inputs: Row  # (n, k) CONFIDENCE_MEASUREMENTS
    hits: Row  # (n,) pixels of mask and truth together
    unions: Row  # (n,)
    templates: NDArray[np.int64]  # (n,) equal where the true masks are
    splits: NDArray[np.str_]
    groups: NDArray[np.str_]
    kinds: NDArray[np.str_]

    @property
    def iou(self) -> Row:
        """(n,) true IoU."""
        return self.hits / self.unions


def main() -> None:
    """Measure, fit, print and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--theta", default="default", help="a preset or a TOML file")
    parser.add_argument("--quick", action="store_true", help=f"every {QUICK}th image")
    parser.add_argument("--results", type=Path, default=FOLDER)
    options = parser.parse_args()
    folder = Path(os.environ.get("POINTMASK_SIRST3", ""))
    if not (folder / "images").is_dir():
        raise SystemExit("POINTMASK_SIRST3 must name the folder that holds images/, masks/ and splits/")
    frames = read_frames(folder, every=QUICK if options.quick else 1)
    samples = collect(frames, Theta.load(options.theta))
    weights, held_out = cross_validated(samples)
    predicted = logistic(samples.inputs @ weights)
    for name, weight in zip(CONFIDENCE_MEASUREMENTS, weights, strict=True):
        print(f"{name:20} {weight:10.5g}")
    print(f"confidence = [{', '.join(repr(w) for w in weights.tolist())}]")
    train = samples.splits == "train"
    lists = {"held out": (train, held_out), "train": (train, predicted), "val": (~train, predicted)}
    tables = {
        name: {kind: judged(samples, own & (samples.kinds == kind), values) for kind in KINDS}
        for name, (own, values) in lists.items()
    }
    print(table_text(tables))
    facts = {"theta": options.theta, "weights": weights.tolist(), "tables": tables}
    save(f"confidence-{Path(options.theta).stem}", facts, options.results)


def collect(frames: Sequence[Frame], theta: Theta) -> Samples:
    """Annotate every click of every kind separately, and record the measurements of its confidence."""
    places: Places = {
        "centroid": ("centroid", partial(published, protocol="centroid")),
        "coarse": ("coarse", partial(published, protocol="coarse")),
        "moved": ("centroid", partial(moved, radius=3)),
        "outside": ("centroid", outside),
    }
    recorded: list[tuple[float, ...]] = []
    measure = confidence.measure

    def recording(*words: Any) -> tuple[float, ...]:  # noqa: ANN401 - passed through
        recorded.append(measure(*words))
        return recorded[-1]

    rows = []
    with mock.patch.object(confidence, "measure", recording):
        for index, frame in enumerate(frames):
            for order, (kind, (protocol, place)) in enumerate(places.items()):
                points = place(frame, rng=np.random.default_rng((order, index)))
                for point, label in zip(points, frame.ids[protocol], strict=True):
                    recorded.clear()
                    target = annotate(frame.image, [point], theta=theta).targets[0]
                    if label and recorded:
                        chosen = chosen_measurements(recorded, target, theta)
                        rows.append((chosen, *compared(target, frame, label), kind))
    inputs, hits, unions, templates, splits, groups, kinds = (np.array(c) for c in zip(*rows, strict=True))
    return Samples(inputs, hits, unions, templates, splits, groups, kinds)


def chosen_measurements(
    recorded: Sequence[tuple[float, ...]], target: Target, theta: Theta
) -> tuple[float, ...]:
    """Return the measurements of the chosen solution among those of all that were tried."""
    return next(row for row in reversed(recorded) if confidence.predicted(row, theta) == target.confidence)


def published(frame: Frame, *, protocol: str, rng: np.random.Generator) -> PointList:
    """Return the published points."""
    return frame.points[protocol]


def compared(target: Target, frame: Frame, label: int) -> tuple[int, int, int, str, str]:
    """Return intersection and union of mask and truth, template number, list and data set."""
    truth = frame.labels == label
    area = int(np.count_nonzero(truth))
    hits = int(np.count_nonzero(truth[slices_of(target.window)] & target.mask))
    drawn = truth[np.ix_(truth.any(axis=1), truth.any(axis=0))]
    number = zlib.crc32(drawn.tobytes(), drawn.shape[1])
    return hits, target.area + area - hits, number, frame.split, frame.group


def cross_validated(samples: Samples) -> tuple[Row, Row]:
    """Return weights fitted to all of train, rounded as in a preset, and held-out predictions of train."""
    used = (samples.splits == "train") & np.isin(samples.kinds, FITTED)
    fold = samples.templates % FOLDS
    held_out = np.zeros(len(samples.hits))
    for k in range(FOLDS):
        own = fold == k
        held_out[own] = logistic(samples.inputs[own] @ fitted(samples, used & ~own))
    weights = np.array([float(f"{w:.5g}") for w in fitted(samples, used)])
    return weights, held_out


def fitted(samples: Samples, used: NDArray[np.bool_]) -> Row:
    """Minimise the logistic loss over some samples; the first measurement is the constant 1."""
    centroid = used & (samples.kinds == "centroid")
    names, counts = np.unique(samples.templates[centroid], return_counts=True)
    count = dict(zip(names.tolist(), counts.tolist(), strict=True))
    shares = np.array([min(1.0, CAP / count.get(t, 1)) for t in samples.templates[used].tolist()])
    return logistic_weights(samples.inputs[used], samples.iou[used], penalty=PENALTY, shares=shares)


def judged(samples: Samples, used: NDArray[np.bool_], predicted: Row) -> dict[str, Any]:
    """Compare predictions with the truth over some samples."""
    own, iou = predicted[used], samples.iou[used]
    bins = reliability(own, iou)
    order = np.argsort(-own, kind="stable")
    pooled = {}
    for share in (0.0, *DROPPED):
        sure = order[: len(order) - round(share * len(order))]
        pooled[f"{share:.0%}"] = float(samples.hits[used][sure].sum() / samples.unions[used][sure].sum())
    groups = {name: used & (samples.groups == group) for name, group in GROUPS.items()}
    return {
        "targets": len(own),
        "spearman": {
            "all": rank_correlation(own, iou),
            **{name: rank_correlation(predicted[g], samples.iou[g]) for name, g in groups.items()},
        },
        "error": sum(b["targets"] * abs(b["predicted"] - b["true"]) for b in bins) / len(own),
        "kept": pooled,
        "bins": bins,
    }


def rank_correlation(predicted: Row, true: Row) -> float | None:
    """Return Spearman's coefficient, or None for too few or equal values."""
    if len(true) < 3 or np.ptp(true) == 0 or np.ptp(predicted) == 0:
        return None
    return float(spearmanr(predicted, true)[0])


def table_text(tables: dict[str, dict[str, Any]]) -> str:
    """Format the figures as text."""
    shares = [f"{share:.0%}" for share in (0.0, *DROPPED)]
    lines = [
        f"{'list':9} {'clicks':9} targets  Spearman "
        + " ".join(f"{name:>5}" for name in GROUPS)
        + "   error   pooled IoU less "
        + "  ".join(f"{s:>4}" for s in shares)
    ]
    for name, kinds in tables.items():
        for kind, row in kinds.items():
            ranks = ["    -" if v is None else f"{v:5.2f}" for v in row["spearman"].values()]
            kept = "  ".join(f"{v:.3f}"[1:] for v in row["kept"].values())
            head = f"{name:9} {kind:9} {row['targets']:7}     {' '.join(ranks)}"
            lines.append(f"{head}   {row['error']:.3f} {'':18}{kept}")
    lines.append("\nreliability, val, centroid: predicted, true (targets)")
    lines += [
        f"  {b['predicted']:.3f} {b['true']:.3f} ({b['targets']})" for b in tables["val"]["centroid"]["bins"]
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()

"""Fit the score of proposals to the train list of SIRST3, in the folder POINTMASK_SIRST3.

python benchmarks/fit_proposals.py             prints both tables of pointmask/proposals/ranking.py
python benchmarks/fit_proposals.py --quick     every 20th image; a quick test

A logistic model over `pointmask.proposals.evidence.EVIDENCE` of whether the centroid of a candidate's mask
lies within 3 px of that of a true target; at least 32 candidates per frame. Figures are held out: the images
of each data set are divided into five blocks of neighbouring names, because NUDT-SIRST repeats its templates
in blocks, and each block is scored by weights fitted to the others. The false alarms at each score come from
these held-out scores. They are counted per frame, because that varies less between the data sets than per
megapixel: at a score of 0.2 from 0.32 to 0.48 a frame, and from 1.8 to 5.8 a megapixel.
"""

import argparse
import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from masks.data import Frame, read_frames
from numpy.typing import NDArray
from proposed.recall import NEAR, PER_FRAME, centroids, found_by, recall_lines
from support.logistic import logistic, logistic_weights

from pointmask.proposals.evidence import EVIDENCE
from pointmask.proposals.propose import apart, measured_candidates

Row = NDArray[np.float64]

FOLDS = 5
PENALTY = 5e-6  # on the squares of the standardised weights
MOST = (5, 10, 30)  # proposals per frame
RATES = (0.01, 0.03, 0.1, 0.3, 1, 3)  # false alarms per frame
QUICK = 20


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The candidates of one frame, by prominence."""

    frame: Frame
    inputs: Row  # (k, len(EVIDENCE))
    places: Row  # (k, 2) centroids
    truth: Row  # (k,) 1 for a target
    fold: int


def main() -> None:
    """Measure, fit, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help=f"every {QUICK}th image")
    options = parser.parse_args()
    folder = Path(os.environ.get("POINTMASK_SIRST3", ""))
    if not (folder / "images").is_dir():
        raise SystemExit("POINTMASK_SIRST3 must name the folder that holds images/, masks/ and splits/")
    frames = read_frames(folder, splits=("train",), every=QUICK if options.quick else 1)
    samples = collect(frames)
    weights = fitted(samples)
    held_out = []
    for fold in range(FOLDS):
        own = fitted([sample for sample in samples if sample.fold != fold])
        held_out += [(s, scores(s.inputs, own)) for s in samples if s.fold == fold]
    print("WEIGHTS = (")
    for name, weight in zip(("one", *EVIDENCE), weights.tolist(), strict=True):
        print(f"    {weight:.5g},  # {name}")
    print(")\nFALSE_ALARMS = (" + ", ".join(f"({r:g}, {s:.3g})" for r, s in false_alarms(held_out)) + ")")
    print(f"\nrecall within {NEAR:g} px at {PER_FRAME} proposals per frame, held out")
    ranked = [(s.frame, s.places[kept(s, scored)]) for s, scored in held_out]
    by_prominence = [(s.frame, s.places[kept(s, -np.arange(len(s.places)))]) for s in samples]
    print("\n".join(recall_lines(ranked)))
    print("by prominence alone")
    print("\n".join(recall_lines(by_prominence)))
    print("proposals and false alarms per frame, and recall, at the least score of each budget, held out")
    for rate, least in false_alarms(held_out):
        for most in MOST:
            print(
                f"  {rate:<5g} at most {most:<3}"
                + "  {:.2f}  {:.2f}  {:.3f}".format(*cut(held_out, least, most))
            )


def collect(frames: Sequence[Frame]) -> list[Sample]:
    """Find and measure the candidates of every frame."""
    names = defaultdict(list)
    for frame in frames:
        names[frame.group].append(frame.name)
    folds = {
        name: k * FOLDS // len(group) for group in names.values() for k, name in enumerate(sorted(group))
    }
    return [sample_of(frame, folds[frame.name]) for frame in frames]


def sample_of(frame: Frame, fold: int) -> Sample:
    """Measure the candidates of one frame."""
    measured = list(measured_candidates(frame.image, 1, "bright"))
    places = np.array([centre for _, centre, _ in measured]).reshape(-1, 2)
    inputs = np.array([values for values, _, _ in measured]).reshape(-1, len(EVIDENCE))
    true = centroids(frame)
    distance = np.linalg.norm(places[:, None] - true[None], axis=2)
    truth = (distance <= NEAR).any(axis=1).astype(np.float64)
    return Sample(frame, inputs, places, truth, fold)


def fitted(samples: Sequence[Sample]) -> Row:
    """Return the constant and a weight per measurement."""
    inputs = np.concatenate([sample.inputs for sample in samples])
    truth = np.concatenate([sample.truth for sample in samples])
    return logistic_weights(np.column_stack([np.ones(len(inputs)), inputs]), truth, penalty=PENALTY)


def scores(inputs: Row, weights: Row) -> Row:
    """Score candidates."""
    return logistic(weights[0] + inputs @ weights[1:])


def kept(sample: Sample, scored: Row) -> list[int]:
    """Order candidates by score, without those near a better one."""
    return apart([tuple(place) for place in sample.places.tolist()], scored, len(scored))


def false_alarms(held_out: Sequence[tuple[Sample, Row]]) -> list[tuple[float, float]]:
    """Return (false alarms per frame, least score that keeps to it) over all frames."""
    alarms = []
    for sample, scored in held_out:
        order = kept(sample, scored)
        found = found_by(sample.places[order], centroids(sample.frame))
        alarms += [scored[k] for rank, k in enumerate(order) if rank not in found]
    falling = np.sort(alarms)[::-1]
    return [(rate, float(falling[min(int(rate * len(held_out)), len(falling) - 1)])) for rate in RATES]


def cut(held_out: Sequence[tuple[Sample, Row]], least: float, most: int) -> tuple[float, float, float]:
    """Return proposals and false alarms per frame, and recall, of the first proposals above a score."""
    proposals = found = targets = 0
    for sample, scored in held_out:
        order = [k for k in kept(sample, scored) if scored[k] >= least][:most]
        true = centroids(sample.frame)
        proposals += len(order)
        found += len(found_by(sample.places[order], true))
        targets += len(true)
    frames = len(held_out)
    return proposals / frames, (proposals - found) / frames, found / targets


if __name__ == "__main__":
    main()

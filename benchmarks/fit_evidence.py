"""Fit the weights of `pointmask_trainer.inference.evidence.Evidence` to detectors' unseen images.

    # runs whose validation lists are parts of the train list of SIRST3; --points as for annotate
    python benchmarks/fit_evidence.py RUN RUN ... --points points_centroid.csv
    # images that a run, or the weights of the package, were not trained on
    python benchmarks/fit_evidence.py RUN=LIST builtin=LIST --data DATA --points points_centroid.csv

For each run, the images of its validation list, or of the list given with it, are predicted; every candidate
is annotated and measured. It is a target if a point lies on its mask, or less than 3 px from its centroid: no
mask is looked at. The weights are those of one logistic model of all runs, each run of the same total weight,
with a penalty on the squares of the standardised weights. Prints, for each run, the loss in cross-validation
over images and what is found and falsely found at 0.5, then the weights as TOML: a table of
``presets/evidence.toml``, of the network of the runs or, if they differ, of all that have none.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from support.logistic import logistic_weights

from pointmask.annotator.operator import assemble
from pointmask.annotator.target import Target, slices_of
from pointmask.io.formats import read_points
from pointmask.theta import Theta
from pointmask_trainer.data.folder import find_images, read_list
from pointmask_trainer.data.points import pair_points
from pointmask_trainer.data.split import Split, load_split
from pointmask_trainer.inference.evidence import MEASUREMENTS, OTHERS, find_candidates
from pointmask_trainer.inference.tiles import predict_pool
from pointmask_trainer.run.checkpoint import load_model
from pointmask_trainer.run.layout import RunFolder
from pointmask_trainer.run.source import read_source

FOLDS = 5
NEAR = 3.0  # px, as for Pd
PENALTY = 5e-3  # on the squares of the standardised weights

Rows = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Candidates of one detector.

    Attributes
    ----------
    name, network : str
    inputs : (n, 8) float64 array
        `MEASUREMENTS`.
    true : (n,) float64 array
        1 for targets, 0 for false alarms.
    image : (n,) int array
        Index of the image.
    missed : int
        Points without a candidate.
    """

    name: str
    network: str
    inputs: Rows
    true: Rows
    image: NDArray[np.int64]
    missed: int


def main() -> None:
    """Measure, fit and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", metavar="RUN[=LIST]", help="weights, and ids to predict")
    parser.add_argument("--points", required=True, type=Path)
    parser.add_argument("--data", type=Path, help="instead of each run's own folder")
    options = parser.parse_args()
    samples = [measure(run, options.points, options.data) for run in options.runs]
    for own in samples:
        odds = np.zeros(len(own.true))
        for fold in range(FOLDS):
            rest = own.image % FOLDS != fold
            weights = logistic_weights(own.inputs[rest], own.true[rest], penalty=PENALTY)
            odds[~rest] = own.inputs[~rest] @ weights
        loss = float(np.mean(np.logaddexp(0, odds) - own.true * odds))
        hits, false = int(((odds > 0) & (own.true > 0)).sum()), int(((odds > 0) & (own.true == 0)).sum())
        print(
            f"{own.name}: {len(odds)} candidates, {int(own.true.sum())} true, {own.missed} points without "
            f"one; held out: loss {loss:.3f}, {hits} hits, {false} false alarms"
        )
    share = np.concatenate([np.full(len(own.true), 1 / len(own.true)) for own in samples])
    weights = logistic_weights(
        np.concatenate([own.inputs for own in samples]),
        np.concatenate([own.true for own in samples]),
        penalty=PENALTY,
        shares=share,
    )
    networks = {own.network for own in samples}
    print(f"[{networks.pop() if len(networks) == 1 else OTHERS}]")
    print("".join(f"{name} = {value:.3f}\n" for name, value in zip(MEASUREMENTS, weights, strict=True)))


def measure(words: str, points: Path, data: Path | None) -> Samples:
    """Predict unseen images of a run or of a list given with it, and measure their candidates."""
    run, _, ids = words.partition("=")
    root = data or read_source(Path(run)).root
    images = find_images(root)
    listed = read_list(Path(ids) if ids else RunFolder(Path(run)).ids("val"), images)
    split = load_split("val", listed, images, pair_points(read_points(points), images, root), "cpu")
    model, card = load_model(run)
    operator = assemble(Theta.load("default"))
    inputs, true, image, missed = [], [], [], 0
    for index, probabilities in predict_pool(model, split.images, card.normalisation):
        found = find_candidates(split.images.stored(index), probabilities.numpy(), operator, "bright")
        hit = np.zeros((len(found), len(split.points[index])), np.bool_)
        for k, candidate in enumerate(found):
            hit[k] = _hits(split, index, candidate.target)
        inputs += [candidate.measurements for candidate in found]
        true += hit.any(1).tolist()
        image += [index] * len(found)
        missed += int((~hit.any(0)).sum())
    network = card.model.name
    return Samples(words, network, np.array(inputs), np.array(true, np.float64), np.array(image), missed)


def _hits(split: Split, index: int, target: Target) -> NDArray[np.bool_]:
    """Say for each point of an image whether it lies on a target's mask or near its centroid."""
    whole = np.zeros(split.images.shapes[index], np.bool_)
    whole[slices_of(target.window)] = target.mask
    points = split.points[index]
    centre = np.argwhere(whole).mean(0)
    return whole[points[:, 0], points[:, 1]] | (np.hypot(*(points - centre).T) < NEAR)


if __name__ == "__main__":
    main()

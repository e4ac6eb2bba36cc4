"""Scores of a run's training images, and selections of images by them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from pointmask.errors import PointsError
from pointmask.io.points.lists import read_ids
from pointmask.metrics.data_sets import data_set_of
from pointmask.regular import read_regular
from pointmask_trainer.analysis.epochs import check_length
from pointmask_trainer.config import Config, from_toml
from pointmask_trainer.errors import DataError
from pointmask_trainer.run.journal import EpochJournal
from pointmask_trainer.run.layout import RunFolder
from pointmask_trainer.selection.ranking import (
    MeanWeights,
    Scores,
    best,
    kept_count,
    mean_weights,
    overlap,
    random_scores,
    ranking,
)
from pointmask_trainer.strategies.base import Strategy
from pointmask_trainer.strategies.registry import make_strategy

ALPHA, DIFFICULTY, RANDOM = "alpha", "difficulty", "random"


@dataclass(frozen=True, slots=True)
class TrainedRun:
    """Train list of a run, with the scores that were learned or measured.

    Attributes
    ----------
    path : Path
    config : Config
    strategy : Strategy
        As it was configured; it has not seen the data.
    ids : tuple of str
        Its train list.
    weights : MeanWeights
    difficulty : tuple of float or None
        Prior difficulty of each image; None if the strategy measured none.
    """

    path: Path
    config: Config
    strategy: Strategy
    ids: tuple[str, ...]
    weights: MeanWeights
    difficulty: tuple[float | None, ...] | None


@dataclass(frozen=True, slots=True)
class Selection:
    """Lists of images of a run.

    Attributes
    ----------
    run : TrainedRun
    data_sets : tuple of str
        Of each image.
    scores : dict of str to scores
        By the name of the list: ``alpha``, ``difficulty``, ``random-0`` ...
    ranks : dict of str to list of int
        Indices, best first.
    kept : dict of str to list of int
        Indices, best first.
    """

    run: TrainedRun
    data_sets: tuple[str, ...]
    scores: Mapping[str, Scores]
    ranks: Mapping[str, Sequence[int]]
    kept: Mapping[str, Sequence[int]]

    @property
    def count(self) -> int:
        """Images in each list."""
        return len(next(iter(self.kept.values())))

    def per_data_set(self, name: str | None = None) -> dict[str, int]:
        """Images of a list, or of the whole train list, by data set."""
        indices = range(len(self.data_sets)) if name is None else self.kept[name]
        counts = Counter(self.data_sets[k] for k in indices)
        return {data_set: counts[data_set] for data_set in sorted(set(self.data_sets))}

    def overlaps(self) -> dict[tuple[str, str], float]:
        """Share of images that two lists have in common, for every two."""
        return {(a, b): overlap(self.kept[a], self.kept[b]) for a, b in combinations(self.kept, 2)}


def read_run(path: Path, last: int) -> TrainedRun:
    """Read the train list of a run and what was learned of its images.

    Parameters
    ----------
    path : Path
        Run folder.
    last : int
        Epochs to average the weights over, at most.

    Raises
    ------
    DataError
        If it is no run, or its files do not fit together.
    """
    files = RunFolder(path)
    try:
        config = from_toml(read_regular(files.config).decode(), str(files.config))
        ids = read_ids(files.ids("train")).ids
    except OSError as error:
        raise DataError(
            f"{path} is no run of pointmask train ({error.strerror}: {error.filename}); give its --out"
        ) from None
    except PointsError as error:
        raise DataError(f"{path} is no whole run of pointmask train: {error}; give its --out") from None
    lines = EpochJournal(files.strategy).read()
    found = next((line["difficulty"] for line in lines if "difficulty" in line), None)
    if found is not None:
        check_length(found, len(ids), "difficulty")
    difficulty = None if found is None else tuple(found)
    strategy = make_strategy(config.strategy.name, config.strategy.options)
    return TrainedRun(path, config, strategy, ids, mean_weights(lines, len(ids), last), difficulty)


def check_has(run: TrainedRun, by: str) -> None:
    """Raise DataError with what to do if a run cannot be ranked by a score."""
    name, strategy = run.config.strategy.name, run.strategy
    other = "take --by random"
    if by == DIFFICULTY and run.difficulty is None:
        why = f"was trained with strategy {name}, which measures none"
        if strategy.learns_weights:
            why = "keeps none, as it was begun by an earlier version"
        raise DataError(f"{run.path} {why}: train with --strategy d2d, or {other}")
    if by != ALPHA or run.weights.epochs:
        return
    if run.difficulty is not None:
        other = "take --by difficulty or --by random"
    if reason := strategy.why_not("weights"):
        raise DataError(
            f"{run.path} was trained with strategy {name} and has no sample weights ({reason}): train with "
            f"--strategy d2d, or {other}"
        )
    raise DataError(
        f"{run.path} has no sample weights yet, as its warm-up is not over: go on with "
        f"--resume, train with a lower strategy.options.warmup, or {other}"
    )


def select(run: TrainedRun, keep: float, seeds: Sequence[int], *, stratify: bool) -> Selection:
    """Rank the images of a run in every way it allows, and keep the first of each ranking.

    Parameters
    ----------
    run : TrainedRun
    keep : float
        Share up to 1, or number of images.
    seeds : sequence of int
        Of the random lists.
    stratify : bool
        Take the same share of every data set.

    Raises
    ------
    DataError
        If `keep` is neither.
    """
    count = kept_count(keep, len(run.ids))
    data_sets = tuple(data_set_of(key) for key in run.ids)
    scores: dict[str, Scores] = {}
    if run.weights.epochs:
        scores[ALPHA] = run.weights.alpha
    if run.difficulty is not None:
        scores[DIFFICULTY] = run.difficulty
    for seed in seeds:
        scores[f"{RANDOM}-{seed}"] = random_scores(run.ids, seed)
    ranks = {name: ranking(values) for name, values in scores.items()}
    kept = {name: best(order, count, data_sets if stratify else None) for name, order in ranks.items()}
    return Selection(run, data_sets, scores, ranks, kept)

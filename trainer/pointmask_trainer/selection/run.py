"""What ``pointmask select`` reads from a run and writes: id lists, a table, and the command to retrain."""

import csv
import io
import json
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from pointmask.errors import OutputError, PointsError
from pointmask.io.files import write_atomic
from pointmask.io.points.lists import read_ids
from pointmask.metrics.data_sets import data_set_of
from pointmask_trainer.config import Config, from_toml
from pointmask_trainer.errors import DataError
from pointmask_trainer.run.journal import Journal
from pointmask_trainer.run.source import Source
from pointmask_trainer.selection.ranking import (
    MeanWeights,
    Scores,
    best,
    check_length,
    kept_count,
    mean_weights,
    overlap,
    random_scores,
    ranking,
)

ALPHA, DIFFICULTY, RANDOM = "alpha", "difficulty", "random"
TABLE, FACTS = "selection.csv", "selection.json"

_WEIGHING = ("d2d", "joint")
# The same labels and settings, and no re-weighting: what the kept images are worth by themselves.
_PLAIN = ("alpha=off", "theta=frozen", "beta=0")


@dataclass(frozen=True, slots=True)
class Run:
    """What a run tells of its training images.

    Attributes
    ----------
    path : Path
    config : Config
    ids : tuple of str
        Its train list.
    weights : MeanWeights
    difficulty : tuple of float or None
        Prior difficulty of each image; None if the strategy measured none.
    """

    path: Path
    config: Config
    ids: tuple[str, ...]
    weights: MeanWeights
    difficulty: tuple[float | None, ...] | None


@dataclass(frozen=True, slots=True)
class Selection:
    """Lists of images of a run.

    Attributes
    ----------
    run : Run
    data_sets : tuple of str
        Of each image.
    scores : dict of str to scores
        By the name of the list: ``alpha``, ``difficulty``, ``random-0`` ...
    ranks : dict of str to list of int
        Indices, best first.
    kept : dict of str to list of int
        Indices, best first.
    """

    run: Run
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


def read_run(path: Path, last: int) -> Run:
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
    try:
        config = from_toml((path / "config.toml").read_text(encoding="utf-8"), str(path / "config.toml"))
        ids = read_ids(path / "train.txt").ids
    except OSError as error:
        raise DataError(
            f"{path} is no run of pointmask train ({error.strerror}: {error.filename}); give its --out"
        ) from None
    except PointsError as error:
        raise DataError(f"{path} is no whole run of pointmask train: {error}; give its --out") from None
    lines = Journal(path / "strategy.jsonl").read()
    found = next((line["difficulty"] for line in lines if "difficulty" in line), None)
    if found is not None:
        check_length(found, len(ids), "difficulty")
    difficulty = None if found is None else tuple(found)
    return Run(path, config, ids, mean_weights(lines, len(ids), last), difficulty)


def check_has(run: Run, by: str) -> None:
    """Raise DataError with what to do if a run cannot be ranked so."""
    strategy = run.config.strategy
    other = "take --by random"
    if by == DIFFICULTY and run.difficulty is None:
        why = f"was trained with strategy {strategy.name}, which measures none"
        if strategy.name in _WEIGHING:
            why = "keeps none, as it was begun by an earlier version"
        raise DataError(f"{run.path} {why}: train with --strategy d2d, or {other}")
    if by != ALPHA or run.weights.epochs:
        return
    if run.difficulty is not None:
        other = "take --by difficulty or --by random"
    if strategy.name not in _WEIGHING:
        why = f"was trained with strategy {strategy.name}, which learns no sample weights"
    elif strategy.options.get("alpha") == "off":
        why = "was trained with alpha = off, so it learned no sample weights"
    else:
        raise DataError(
            f"{run.path} has no sample weights yet, as its warm-up is not over: go on with pointmask train "
            f"... --resume, train with a lower strategy.options.warmup, or {other}"
        )
    raise DataError(f"{run.path} {why}: train with --strategy d2d, or {other}")


def select(run: Run, keep: float, seeds: Sequence[int], *, stratify: bool) -> Selection:
    """Rank the images of a run in every way it allows, and keep the first of each ranking.

    Parameters
    ----------
    run : Run
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


def retrain_command(selection: Selection, name: str, out: Path, source: Source) -> str:
    """Return the command, quoted for a shell, that trains on a list with the settings of the run.

    Parameters
    ----------
    selection : Selection
    name : str
        Of the list.
    out : Path
        Where the lists lie.
    source : Source
        What the run was trained on.
    """
    run = selection.run
    words = ["pointmask", "train", _word(source.root), "--config", _word(run.path / "config.toml")]
    words += ["--train-list", _word(out / f"{name}.txt"), "--val-list", _word(run.path / "val.txt")]
    strategy = run.config.strategy.name
    if source.masks is not None and strategy != "joint":  # which makes labels of its own
        words += ["--masks", _word(source.masks)]
    if source.points is not None:
        words += ["--points", _word(source.points)]
    if strategy in _WEIGHING:
        words += ["--strategy", "d2d"]
        for setting in _PLAIN:
            words += ["--set", f"strategy.options.{setting}"]
    path = run.path if run.path.name not in ("", "..") else run.path.resolve()
    words += ["--out", _word(path.with_name(f"{path.name}-{name}-{selection.count}"))]
    return shlex.join(words)


def write_selection(
    selection: Selection, out: Path, facts: Mapping[str, Any], *, overwrite: bool
) -> list[Path]:
    """Write a list per ranking, ``selection.csv`` with all scores and ranks, and ``selection.json``.

    Parameters
    ----------
    selection : Selection
    out : Path
        Folder; made if need be.
    facts : Mapping
        What else ``selection.json`` shall say.
    overwrite : bool
        Replace files that say something else.

    Returns
    -------
    list of Path

    Raises
    ------
    OutputError
        If a file exists and says something else, or cannot be written.
    """
    ids = selection.run.ids
    texts = {
        f"{name}.txt": "".join(f"{ids[k]}\n" for k in indices) for name, indices in selection.kept.items()
    }
    texts |= {TABLE: _table(selection), FACTS: json.dumps(_facts(selection) | dict(facts), indent=1) + "\n"}
    contents = {out / name: text.encode() for name, text in texts.items()}
    try:
        for path, content in contents.items():
            if not overwrite and path.exists() and path.read_bytes() != content:
                raise OutputError(
                    f"{path} exists already and holds another selection; choose another --out, or replace it "
                    "with --overwrite"
                )
        for path, content in contents.items():
            write_atomic(path, content, "select")
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"{out} cannot be written to ({error}); choose another --out") from error
    return list(contents)


def _facts(selection: Selection) -> dict[str, Any]:
    epochs = selection.run.weights.epochs
    return {
        "run": str(selection.run.path),
        "images": len(selection.run.ids),
        "kept": selection.count,
        "alpha_epochs": {"first": epochs[0], "last": epochs[-1], "count": len(epochs)} if epochs else None,
        "data_sets": {
            "all": selection.per_data_set(),
            **{name: selection.per_data_set(name) for name in selection.kept},
        },
        "overlap": {f"{a} {b}": share for (a, b), share in selection.overlaps().items()},
    }


def _table(selection: Selection) -> str:
    """One row per image, in the order of the train list."""
    places = {name: {k: place for place, k in enumerate(order, 1)} for name, order in selection.ranks.items()}
    kept = {name: set(indices) for name, indices in selection.kept.items()}
    learned = [name for name in selection.scores if not name.startswith(RANDOM)]
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    ranked = [f"{what}_{name}" for name in selection.ranks for what in ("rank", "kept")]
    writer.writerow(["image", "data_set", *learned, *ranked])
    for index, key in enumerate(selection.run.ids):
        scores = [selection.scores[name][index] for name in learned]
        row: list[object] = [key, selection.data_sets[index]]
        row += ["" if score is None else f"{score:.6g}" for score in scores]
        for name in selection.ranks:
            row += [places[name][index], int(index in kept[name])]
        writer.writerow(row)
    return file.getvalue()


def _word(path: Path) -> str:
    """Return a path that no command takes for an option."""
    return f"./{path}" if str(path).startswith("-") else str(path)

"""What ``pointmask select`` writes: id lists, a table, facts, and the command to retrain on a list."""

import csv
import io
import json
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pointmask.errors import OutputError
from pointmask.io.files import write_whole
from pointmask.io.own import check_set, is_json_of
from pointmask_trainer.run.layout import RunFolder
from pointmask_trainer.run.source import Source
from pointmask_trainer.selection.run import RANDOM, Selection

TABLE, FACTS = "selection.csv", "selection.json"


def retrain_command(selection: Selection, name: str, out: Path, source: Source) -> str:
    """Return the command, quoted for a shell, that trains on a list with the settings of the run.

    Weights are equal and nothing is learned beside the detector, so that only the images make a difference.

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
    files = RunFolder(run.path)
    words = ["pointmask", "train", _word(source.root), "--config", _word(files.config)]
    words += ["--train-list", _word(out / f"{name}.txt"), "--val-list", _word(files.ids("val"))]
    if source.masks is not None and run.strategy.reads_masks:
        words += ["--masks", _word(source.masks)]
    if source.points is not None:
        words += ["--points", _word(source.points)]
    words += run.strategy.unweighted
    path = run.path if run.path.name not in ("", "..") else run.path.resolve()
    words += ["--out", _word(path.with_name(f"{path.name}-{name}-{selection.count}"))]
    return shlex.join(words)


def write_selection(
    selection: Selection,
    out: Path,
    facts: Mapping[str, Any],
    *,
    overwrite: bool,
    reads: Iterable[Path | None] = (),
) -> list[Path]:
    """Write a list per ranking, ``selection.csv`` with all scores and ranks, and ``selection.json``.

    Parameters
    ----------
    selection : Selection
    out : Path
        Folder; made if need be.
    facts : Mapping
        Further entries of ``selection.json``.
    overwrite : bool
        Replace files of another selection.
    reads : iterable of Path or None
        Files and folders that are read, which must not be replaced.

    Returns
    -------
    list of Path

    Raises
    ------
    OutputError
        If a file of another selection exists, or one that is of none, or one cannot be written.
    """
    ids = selection.run.ids
    texts = {FACTS: json.dumps(_facts(selection) | dict(facts), indent=1) + "\n", TABLE: _table(selection)}
    texts |= {
        f"{name}.txt": "".join(f"{ids[k]}\n" for k in indices) for name, indices in selection.kept.items()
    }
    contents = {out / name: text.encode() for name, text in texts.items()}
    check_set(out, list(texts), reads, _is_selection, overwrite=True)
    for path, content in contents.items():
        if not overwrite and _holds_other(path, content):
            raise OutputError(
                f"{path} exists already and holds another selection; choose another --out, or replace it "
                "with --overwrite"
            )
    for path, content in contents.items():
        write_whole(path, content)
    return list(contents)


def _is_selection(path: Path) -> bool:
    return is_json_of(path, ("run", "images", "kept", "data_sets", "overlap"))


def _holds_other(path: Path, content: bytes) -> bool:
    """Whether something else than a content is there; what cannot be read counts as something else."""
    try:
        return path.read_bytes() != content
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True


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
    """Return a path that a command cannot mistake for an option."""
    return f"./{path}" if str(path).startswith("-") else str(path)

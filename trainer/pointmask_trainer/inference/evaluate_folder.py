"""Weights and a folder of images with true masks in, figures out."""

import fnmatch
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pointmask_trainer.data.folder import read_list
from pointmask_trainer.data.layout import find_images, layout_note, true_masks
from pointmask_trainer.data.lists import list_for
from pointmask_trainer.data.split import load_masks, load_split
from pointmask_trainer.distributed import choose_device
from pointmask_trainer.errors import DataError
from pointmask_trainer.inference.evaluate import Evaluation, Probabilities, evaluate
from pointmask_trainer.inference.seen import run_of, seen_by
from pointmask_trainer.run.checkpoint import load_model, weights_path
from pointmask_trainer.run.layout import RunFolder
from pointmask_trainer.run.source import read_source

_LISTS = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class FolderEvaluation:
    """What `evaluate_folder` measured, and on what.

    Attributes
    ----------
    evaluation : Evaluation
        Counters of all images and of each data set.
    facts : dict
        ``weights``, ``model``, ``epoch``, ``data``, ``list`` and ``include``, and, if there are any, the
        images ``known`` to the run, for ``metrics.json``.
    notes : tuple of str
        What a user should know of the images, first of all which the run has trained or validated on.
    """

    evaluation: Evaluation
    facts: dict[str, Any]
    notes: tuple[str, ...] = ()


def evaluate_folder(
    weights: str | Path,
    data: str | Path,
    listed: str = "val",
    *,
    masks: Path | None = None,
    include: str = "*",
    device: str = "auto",
    seen: Callable[[str, int, Probabilities], None] | None = None,
) -> FolderEvaluation:
    """Score a detector on images with true masks, at native resolution.

    Parameters
    ----------
    weights : str or Path
        Run folder, of which the best epoch is taken, or a ``.safetensors`` file.
    data : str or Path
        Training folder.
    listed, include
        Which images; see `listed_ids`.
    masks : Path, optional
        True masks; ``data/masks`` by default.
    device : str
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` ...
    seen : callable, optional
        Called with each image's id, how many images there are, and its (H, W) float32 probabilities, not in
        the order of the list.

    Returns
    -------
    FolderEvaluation

    Raises
    ------
    CheckpointError
        If the weights cannot be read.
    DataError
        If there is no such list, or images and masks do not fit.
    """
    weights, data = Path(weights), Path(data)
    where = choose_device(device)
    model, card = load_model(weights, where)
    images = find_images(data)
    run = run_of(weights)
    ids = listed_ids(data, images, listed, include=include, run=run)
    split = load_split(listed, ids, images, None, where)
    known = seen_by(run, images, ids)
    notes = [known.line()] if known else []
    if note := layout_note(data):
        notes.append(note)
    truths = load_masks(split, masks or true_masks(data), notes.append)

    def tell(index: int, probabilities: Probabilities) -> None:
        if seen is not None:
            seen(split.ids[index], len(split), probabilities)

    facts = {
        "weights": str(weights_path(weights)),
        "model": card.model.name,
        "epoch": card.facts.get("epoch"),
        "data": str(data),
        "list": listed,
        "include": include,
    }
    if known:
        facts["known"] = known.facts()
    found = evaluate(model, card.normalisation, split, truths, known=known.ids, seen=tell)
    return FolderEvaluation(found, facts, tuple(notes))


def listed_ids(
    root: Path, images: Mapping[str, Path], wanted: str, *, include: str = "*", run: Path | None = None
) -> list[str]:
    """Ids of a list that is asked for by name.

    Parameters
    ----------
    root : Path
        Training folder.
    images : Mapping
        From `pointmask_trainer.data.folder.find_images`.
    wanted : str
        ``train``, ``val`` or ``test``, as found in the folder, or else in the run; ``all``; or the path of
        a list.
    include : str
        Shell pattern that ids must match.
    run : Path, optional
        Run folder, which holds the lists it was trained with.

    Raises
    ------
    DataError
        If there is no such list, or nothing of it is left.
    """
    ids = sorted(images) if wanted == "all" else read_list(_list_file(root, images, wanted, run), images)
    ids = [key for key in ids if fnmatch.fnmatchcase(key, include)]
    if not ids:
        raise DataError(f"no image is left to evaluate; check --list {wanted} and --include {include!r}")
    return ids


def _train_list(run: Path | None, root: Path) -> Path | None:
    """Return the train list that the run was given, if it was trained on the same folder."""
    if run is None or not RunFolder(run).source.is_file():
        return None
    source = read_source(run)
    is_same = source.root.is_dir() and source.root.samefile(root)
    return source.train_list if is_same else None


def _list_file(root: Path, images: Mapping[str, Path], wanted: str, run: Path | None) -> Path:
    if wanted not in _LISTS:
        return Path(wanted)
    found = list_for(root, images, wanted, _train_list(run, root))
    if found is None and run is not None and RunFolder(run).ids(wanted).is_file():
        found = RunFolder(run).ids(wanted)
    if found is None:
        raise DataError(
            f"{root} holds no {wanted} list; name a file with --list FILE, or take all images: --list all"
        )
    return found

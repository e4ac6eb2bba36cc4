"""Evaluation of weights on a folder of images with true masks."""

import fnmatch
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pointmask.defects import DeadPixels
from pointmask.metrics.points import WITHIN
from pointmask_trainer.data.folder import read_list
from pointmask_trainer.data.layout import find_images, layout_note, true_masks
from pointmask_trainer.data.lists import list_for
from pointmask_trainer.data.split import load_masks, load_split
from pointmask_trainer.detectors.flips import average_flips
from pointmask_trainer.distributed import choose_device
from pointmask_trainer.errors import DataError
from pointmask_trainer.inference.evaluate import Evaluation, Probabilities, evaluate
from pointmask_trainer.inference.known_images import known_images, run_of
from pointmask_trainer.inference.operator_masks import OperatorMasks
from pointmask_trainer.inference.report.worst import WorstPredictions
from pointmask_trainer.run.checkpoint import load_model, weights_path
from pointmask_trainer.run.layout import UNSEEN, RunFolder
from pointmask_trainer.run.mask_settings import MaskSource
from pointmask_trainer.run.source import Source, read_source

_LISTS = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class FolderEvaluation:
    """Result of `evaluate_folder`.

    Attributes
    ----------
    evaluation : Evaluation
        Counters of all images and of each data set.
    facts : dict
        ``weights``, ``model``, ``epoch``, ``data``, ``list``, ``include`` and ``masks_by``, and, if there are
        any, the images ``known`` to the run, for ``metrics.json``.
    notes : tuple of str
        Messages about the images; the first names those the run was trained or validated on, if any.
    worst : WorstPredictions or None
        The worst predictions, if they were asked for.
    """

    evaluation: Evaluation
    facts: dict[str, Any]
    notes: tuple[str, ...] = ()
    worst: WorstPredictions | None = None


def evaluate_folder(
    weights: str | Path,
    data: str | Path,
    listed: str | None = None,
    *,
    masks: Path | None = None,
    masks_by: MaskSource | None = None,
    dead_pixels: DeadPixels | None = None,
    flips: bool = False,
    include: str | None = None,
    within: float = WITHIN,
    device: str = "auto",
    on_prediction: Callable[[str, int, Probabilities], None] | None = None,
    keep_worst: bool = False,
) -> FolderEvaluation:
    """Score a detector on images with true masks, at native resolution.

    Parameters
    ----------
    weights : str or Path
        Run folder, whose best epoch is used, or a ``.safetensors`` file.
    data : str or Path
        Training folder.
    listed, include : str, optional
        Selection of the images; see `listed_ids`. By default the run's own: its validation list, as it was
        drawn, and its pattern of names; in another folder than the run's, and for weights without a run, all
        images.
    masks : Path, optional
        True masks; ``data/masks`` by default.
    masks_by : {"network", "operator"}, optional
        Who draws the predicted masks; as the detector was validated by default. Beside the operator's, the
        network's own are scored too.
    dead_pixels : {"replace", "keep"}, optional
        As the detector was trained by default.
    flips : bool
        Average over mirror images; see `pointmask_trainer.detectors.flips.average_flips`.
    within : float
        Largest distance in px at which a predicted point is right.
    device : str
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` ...
    on_prediction : callable, optional
        Called with each image's id, the number of images, and its (H, W) float32 probabilities, in arbitrary
        order.
    keep_worst : bool
        Keep the worst predictions, to draw a page of them.

    Returns
    -------
    FolderEvaluation

    Raises
    ------
    CheckpointError
        If the weights cannot be read.
    DataError
        If the list does not exist, or images and masks do not match.
    """
    weights, data = Path(weights), Path(data)
    torch_device = choose_device(device)
    model, card = load_model(weights, torch_device)
    if flips:
        average_flips(model)
    images = find_images(data)
    run = run_of(weights)
    listed, include, said = _selection(run, data, listed, include)
    ids = listed_ids(data, images, listed, include=include, run=run)
    dead_pixels = card.model.dead_pixels if dead_pixels is None else dead_pixels
    split = load_split(listed, ids, images, None, torch_device, dead_pixels=dead_pixels)
    known = known_images(run, images, ids)
    notes = [known.line(_other_list(data, images, listed, run))] if known else []
    notes += [f"{said}: {len(ids):,} images"] if said else []
    if note := layout_note(data):
        notes.append(note)
    truths = load_masks(split, masks or true_masks(data), notes.append)

    def with_id(index: int, probabilities: Probabilities) -> None:
        if on_prediction is not None:
            on_prediction(split.ids[index], len(split), probabilities)

    facts = {
        "weights": str(weights_path(weights)),
        "model": card.model.name,
        "epoch": card.facts.get("epoch"),
        "data": str(data),
        "list": _name_of(listed, run),
        "include": include,
        "masks_by": card.masks.by if masks_by is None else masks_by,
        "dead_pixels": dead_pixels,
        "flips": flips,
    }
    operator = OperatorMasks.of(card.masks, card.model.name, masks_by)
    if known:
        facts["known"] = known.facts()
    worst = WorstPredictions(split, truths) if keep_worst else None
    evaluation = evaluate(
        model,
        card.normalisation,
        split,
        truths,
        operator=operator,
        known=known.ids,
        within=within,
        on_prediction=with_id,
        on_mask=None if worst is None else worst.see,
    )
    return FolderEvaluation(evaluation, facts, tuple(notes), worst)


def _other_list(root: Path, images: Mapping[str, Path], listed: str, run: Path | None) -> str:
    """Return what ``--list`` takes for unseen images: the test list of the folder, if it has one."""
    try:
        has_test = listed != "test" and list_for(root, images, "test", _train_list(run, root)) is not None
    except DataError:
        has_test = False
    return "test" if has_test else "FILE"


def _name_of(listed: str, run: Path | None) -> str:
    """Return what a list of the run is called, or else the list as given."""
    own = {} if run is None else {str(RunFolder(run).ids(name)): name for name in ("val", UNSEEN)}
    return own.get(listed, listed)


def _selection(run: Path | None, data: Path, listed: str | None, include: str | None) -> tuple[str, str, str]:
    """Return list and pattern, those that were not given from the run, and what to say of it."""
    source = _source_in(run, data)
    own_include = source.include if source is not None else "*"
    if listed is None and run is not None and source is not None and RunFolder(run).ids(UNSEEN).is_file():
        said = "evaluated are the validation images that the run never saw (--list val takes the others)"
        return str(RunFolder(run).ids(UNSEEN)), include or "*", said
    if listed is None and run is not None and source is not None and RunFolder(run).ids("val").is_file():
        return str(RunFolder(run).ids("val")), include or "*", "evaluated is the run's own validation list"
    if listed is None:
        why = "no run says which list" if run is None else f"{data} is not the folder of the run"
        return "all", include or "*", f"evaluated are all images, as {why} (--list takes a list)"
    if include is None and own_include != "*":
        return listed, own_include, f"only names that the run was given, --include {own_include!r}"
    return listed, include or "*", ""


def listed_ids(
    root: Path, images: Mapping[str, Path], name: str, *, include: str = "*", run: Path | None = None
) -> list[str]:
    """Return the ids of a list, given by name or path.

    Parameters
    ----------
    root : Path
        Training folder.
    images : Mapping
        From `pointmask_trainer.data.folder.find_images`.
    name : str
        ``train``, ``val`` or ``test`` for a list of the folder, or else of the run; ``all``; or the path of
        a list.
    include : str
        Shell pattern that ids must match.
    run : Path, optional
        Run folder, which contains the lists used for its training.

    Raises
    ------
    DataError
        If the list does not exist, or no image remains.
    """
    ids = sorted(images) if name == "all" else read_list(_list_file(root, images, name, run), images)
    ids = [key for key in ids if fnmatch.fnmatchcase(key, include)]
    if not ids:
        raise DataError(f"no image is left to evaluate; check --list {name} and --include {include!r}")
    return ids


def _source_in(run: Path | None, root: Path) -> Source | None:
    """Return where the data of a run lie, if it was trained on this folder."""
    if run is None or not RunFolder(run).source.is_file():
        return None
    source = read_source(run)
    return source if source.root.is_dir() and source.root.samefile(root) else None


def _train_list(run: Path | None, root: Path) -> Path | None:
    source = _source_in(run, root)
    return None if source is None else source.train_list


def _list_file(root: Path, images: Mapping[str, Path], name: str, run: Path | None) -> Path:
    if name not in _LISTS:
        return Path(name)
    path = list_for(root, images, name, _train_list(run, root))
    if path is None and run is not None and RunFolder(run).ids(name).is_file():
        path = RunFolder(run).ids(name)
    if path is None:
        raise DataError(
            f"{root} holds no {name} list; name a file with --list FILE, or take all images: --list all"
        )
    return path

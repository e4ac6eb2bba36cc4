"""How good weights of a cell are on the validation list of the training folder, by data set."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cells.cells import Grid
from cells.rows import DATA_SETS, Cell

if TYPE_CHECKING:
    from pointmask_trainer.inference.evaluate import Evaluation, EvaluationTally

Figures = dict[str, float | None]


def by_data_set(cell: Cell, data_sets: "Mapping[str, EvaluationTally]") -> dict[str, Figures] | None:
    """Return IoU, nIoU, Pd and Fa by data set; None if the cell was trained on one data set."""
    if DATA_SETS[cell.data_set] != "*":
        return None
    from pointmask_trainer.inference.report.tables import figures

    return {name: figures(tally.score) for name, tally in data_sets.items()}


def evaluation_of(grid: Grid, cell: Cell, weights: Path) -> "tuple[Evaluation, Evaluation]":
    """Score weights on the folder's validation list against true masks, in float32 at the images' own size.

    Parameters
    ----------
    grid : Grid
    cell : Cell
    weights : Path
        A run, of which the best epoch is taken, or a checkpoint.

    Returns
    -------
    network, operator : Evaluation
        By who draws the masks.
    """
    from pointmask_trainer.data.folder import find_images, split_ids
    from pointmask_trainer.data.split import load_masks, load_split
    from pointmask_trainer.distributed import choose_device
    from pointmask_trainer.inference.evaluate import evaluate
    from pointmask_trainer.inference.operator_masks import OperatorMasks
    from pointmask_trainer.run.checkpoint import load_model

    device = choose_device(grid.config(cell).run.device)
    model, card = load_model(weights, device)
    images = find_images(grid.root)
    _, ids = split_ids(grid.root, images, include=DATA_SETS[cell.data_set])
    split = load_split("val", ids, images, None, device)
    truths = load_masks(split, grid.root / "masks")
    operator = evaluate(
        model,
        card.normalisation,
        split,
        truths,
        operator=OperatorMasks.of(card.masks, card.model.name, "operator"),
    )
    assert operator.network is not None  # tables are of networks that draw masks
    return operator.network, operator

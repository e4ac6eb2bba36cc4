"""How good weights of a cell are on the validation list of the training folder, by data set."""

from pathlib import Path

from cells.cells import Grid
from cells.rows import DATA_SETS, Cell
from pointmask.metrics.counters import Score, score
from pointmask.metrics.data_sets import data_set_of


def by_data_set(grid: Grid, cell: Cell) -> dict[str, dict[str, float | None]] | None:
    """Score the best weights; None if the cell was trained on one data set.

    Returns
    -------
    dict or None
        IoU, nIoU, Pd and Fa by data set.
    """
    if DATA_SETS[cell.data_set] != "*":
        return None
    from pointmask_trainer.inference.evaluation_report import figures

    return {name: figures(found) for name, found in scores_of(grid, cell, grid.folder(cell)).items()}


def scores_of(grid: Grid, cell: Cell, weights: Path, masks_by: str = "network") -> dict[str, Score]:
    """Score weights on the folder's validation list, by data set.

    Parameters
    ----------
    grid : Grid
    cell : Cell
    weights : Path
        A run, of which the best epoch is taken, or a checkpoint.
    masks_by : {"network", "operator"}, optional
        Who draws the masks.

    Returns
    -------
    dict of str to Score
        Against true masks, in float32 at the images' own size.
    """
    from pointmask_trainer.data.folder import find_images, split_ids
    from pointmask_trainer.data.split import load_masks, load_split
    from pointmask_trainer.distributed import choose_device
    from pointmask_trainer.inference.operator_masks import OperatorMasks
    from pointmask_trainer.inference.tiles import predict_pool
    from pointmask_trainer.run.checkpoint import load_model

    device = choose_device(grid.config(cell).run.device)
    model, card = load_model(weights, device)
    images = find_images(grid.root)
    _, ids = split_ids(grid.root, images, include=DATA_SETS[cell.data_set])
    split = load_split("val", ids, images, None, device)
    truths = load_masks(split, grid.root / "masks")
    operator = OperatorMasks.of(card.masks, masks_by)
    totals: dict[str, Score] = {}
    for index, probabilities in predict_pool(model, split.images, card.normalisation):
        name = data_set_of(split.ids[index])
        found = probabilities.cpu().numpy()
        drawn = found if operator is None else operator(split.images.stored(index), found)
        counted = score(drawn > 0.5, truths[index])
        totals[name] = totals.get(name, Score()) + counted
    return dict(sorted(totals.items()))

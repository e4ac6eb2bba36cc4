"""How good the chosen weights of a cell are on each data set of its validation list."""

from _cells import Grid
from _rows import DATA_SETS, Cell

from pointmask.data_sets import data_set_of
from pointmask.metrics import Score, score


def by_data_set(grid: Grid, cell: Cell) -> dict[str, dict[str, float | None]] | None:
    """Score the best weights on the validation list, once.

    Parameters
    ----------
    grid : Grid
    cell : Cell
        Finished.

    Returns
    -------
    dict or None
        IoU, nIoU, Pd and Fa against true masks, in float32 at the images' own size, by data set; None if the
        cell was trained on one data set.
    """
    if DATA_SETS[cell.data_set] != "*":
        return None
    from pointmask_trainer.checkpoint import load_model
    from pointmask_trainer.data import find_images, load_masks, load_split, read_list
    from pointmask_trainer.distributed import choose_device
    from pointmask_trainer.evaluation_report import figures
    from pointmask_trainer.inference import predict_pool

    device = choose_device(grid.config(cell).run.device)
    model, card = load_model(grid.folder(cell), device)
    images = find_images(grid.root)
    split = load_split("val", read_list(grid.folder(cell) / "val.txt", images), images, None, device)
    truths = load_masks(split, grid.root / "masks")
    totals: dict[str, Score] = {}
    for index, probabilities in predict_pool(model, split.images, card.normalisation):
        name = data_set_of(split.ids[index])
        counted = score((probabilities > 0.5).cpu().numpy(), truths[index])
        totals[name] = totals.get(name, Score()) + counted
    return {name: figures(totals[name]) for name in sorted(totals)}

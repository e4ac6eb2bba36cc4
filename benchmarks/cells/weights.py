"""Weights of finished cells, small enough to be kept beside the results."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from support.results import command

from cells.cells import CellError, Grid
from cells.rows import DATA_SETS, ROWS, Cell
from pointmask.io.files import write_whole

LARGEST = 12_000_000
"""Bytes of a weights file at most."""

LICENCES = {
    "SIRST-v1": "github.com/YimianDai/sirst: no licence stated",
    "NUDT": (
        "github.com/YeRen123455/Infrared-Small-Target-Detection: the repository's licence is MIT; "
        "none is stated for the images by themselves"
    ),
    "IRSTD-1k": (
        "github.com/RuiZhang97/ISNet: the repository's licence is MIT; none is stated for the images by "
        "themselves"
    ),
}
"""What is known of the licence of each data set's images and masks."""


def keep(grid: Grid, cell: Cell, entry: Mapping[str, Any], folder: Path) -> Path:
    """Write the best weights of a finished cell in bfloat16, and a card beside them.

    Tensors of one dimension (biases, statistics of norms) stay as they are: they weigh nothing, and rounding
    them costs most.

    Parameters
    ----------
    grid : Grid
    cell : Cell
    entry : Mapping
        Its figures, which go into the card.
    folder : Path

    Returns
    -------
    Path
        ``<folder>/<cell>.safetensors``, which ``pointmask predict`` takes; ``.json`` lies beside it.

    Raises
    ------
    CellError
        If the file would be larger than `LARGEST`.
    """
    import torch

    from pointmask.settings import to_table
    from pointmask_trainer.run.checkpoint import ModelCard, load_model, save_model

    model, card = load_model(grid.folder(cell))
    for parameter in model.parameters():
        if parameter.ndim > 1:
            parameter.data = parameter.data.to(torch.bfloat16)
    size = sum(value.numel() * value.element_size() for value in model.state_dict().values())
    if size > LARGEST:
        raise CellError(
            f"{cell.name}: the weights would take {size / 1e6:.1f} MB, and {LARGEST / 1e6:g} MB is the most "
            "that is kept beside the results; take them from the run folder"
        )
    path = folder / f"{cell.name}.safetensors"
    save_model(path, model, ModelCard(card.model, card.normalisation, {**card.facts, "cell": cell.name}))
    content = {
        "weights": path.name,
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "dtype": "bfloat16; biases and norms float32",
        "model": to_table(card.model),
        "normalisation": asdict(card.normalisation),
        "supervision": ROWS[cell.row].label,
        "figures": "of the float32 weights, shares in [0, 1], on the val list",
        **entry,
        "licence_of_training_data": licences(cell.data_set),
        "command": command(),
    }
    write_whole(path.with_suffix(".json"), json.dumps(content, indent=2) + "\n")
    return path


def licences(data_set: str) -> dict[str, Any]:
    """Say what is known of the licence of a data set, or of its parts."""
    return dict(LICENCES) if DATA_SETS[data_set] == "*" else {data_set: LICENCES[data_set]}

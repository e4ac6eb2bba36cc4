"""Places that a command was given: weights and training folders, or what was meant instead."""

from collections.abc import Sequence
from pathlib import Path


def check_weights(weights: Path, others: Sequence[Path] = ()) -> None:
    """
    Refuse a place of weights that holds none, and say what was meant.

    Parameters
    ----------
    weights : Path
        Run or file, as the user gave it.
    others : sequence of Path
        The other places of the command: one of them may be the run.

    Raises
    ------
    CheckpointError
        As said.
    """
    from pointmask.advice import command
    from pointmask.places import kind_of
    from pointmask_trainer.errors import CheckpointError
    from pointmask_trainer.run.checkpoint import weights_path
    from pointmask_trainer.run.layout import RunFolder
    from pointmask_trainer.run.source import read_source

    try:
        weights_path(weights)
    except CheckpointError as error:
        run = next((other for other in others if kind_of(other) == "run"), None)
        if run is not None and kind_of(weights) != "run":
            raise CheckpointError(f"{weights} is no run, but {run} is: exchange the two") from None
        if kind_of(weights) == "run":
            data = read_source(weights).root if RunFolder(weights).source.is_file() else "DATA"
            again = command("train", data, "--out", weights, "--resume")
            raise CheckpointError(
                f"{weights} is a run without weights: it ended before its first epoch; go on with: {again}"
            ) from None
        what = {"output": "masks that pointmask made", "detections": "what a detector found"}
        if kind_of(weights) in what:
            raise CheckpointError(
                f"{weights} holds {what[kind_of(weights)]}, no weights; give the folder that pointmask train "
                "wrote (its --out)"
            ) from None
        raise error from None


def check_data(data: Path, masks: Path | None) -> None:
    """
    Refuse a training folder that is none, and masks that are the images, and say what was meant.

    Raises
    ------
    DataError
        As said.
    """
    from pointmask.advice import command
    from pointmask.places import kind_of, training_folder_of
    from pointmask_trainer.data.layout import image_folder, mask_folder
    from pointmask_trainer.errors import DataError

    kind = kind_of(data)
    if kind == "output":
        line = command("train", "DATA", "--strategy", "masks", "--masks", data)
        raise DataError(
            f"{data} holds masks that pointmask made, and no images; give the training folder, and these as "
            f"its masks: {line}"
        )
    if kind == "run":
        raise DataError(f"{data} is a run of pointmask train; give the folder of images and labels")
    if (whole := training_folder_of(data)) is not None:
        raise DataError(f"{data} is a part of a training folder; give it whole: {whole}")
    if masks is not None and masks.resolve() == image_folder(data).resolve():
        raise DataError(f"--masks {masks} are the images themselves; true masks are in {mask_folder(data)}")

"""``pointmask import-weights``: weights that others published in; weights for predict and evaluate out."""

from pathlib import Path

import click

from pointmask.advice import command, unused
from pointmask.cli import advise, say
from pointmask.cli.plugins import NamesOption
from pointmask_trainer.detectors.registry import DETECTORS

TRAINED_ON = {
    "NUAA-SIRST": (101.06385040283203, 34.619606018066406),
    "NUDT-SIRST": (107.80905151367188, 33.02274703979492),
    "IRSTD-1K": (87.4661865234375, 39.71953201293945),
    "SIRST3": (95.010, 41.511),
}
"""Mean and deviation of grey values with which BasicIRSTD and LESPS standardise images, by training data."""


@click.command("import-weights", short_help="Published weights for predict and evaluate.")
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE")
@click.option(
    "--model", cls=NamesOption, registry=DETECTORS, required=True, help="Whose weights they are; one of"
)
@click.option(
    "--trained-on",
    type=click.Choice(list(TRAINED_ON)),
    help="Data of the training, whose published mean and deviation standardise images.",
)
@click.option("--mean", type=float, help="Mean of grey values, if not of --trained-on.")
@click.option("--std", type=click.FloatRange(0, min_open=True), help="Their deviation.")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="File to write, such as acm.safetensors."
)
@click.option("--overwrite", is_flag=True, help="Replace the file if it holds weights of pointmask.")
def import_weights(
    source: Path,
    model: str,
    trained_on: str | None,
    mean: float | None,
    std: float | None,
    out: Path,
    overwrite: bool,
) -> None:
    """Turn FILE, published weights such as the .pth.tar of BasicIRSTD or LESPS, into weights of pointmask.

    Nothing in FILE is run: tensors are read, and nothing else. Every tensor must fit the detector by name and
    shape. Published names are known of ACM (acm_unet), ALCNet (alcnet), DNANet (dnanet,
    with deep supervision), MSHNet (mshnet) and UIU-Net (uiunet).

    \b
    pointmask import-weights ACM_full.pth.tar --model acm_unet --trained-on SIRST3 --out acm.safetensors
    pointmask predict acm.safetensors images/ --out detections
    """  # noqa: D301 - click wants the character
    from pointmask.io.own import check_file
    from pointmask_trainer.config import ModelConfig
    from pointmask_trainer.data.normalisation import Normalisation
    from pointmask_trainer.detectors.registry import build
    from pointmask_trainer.published.detectors import channels_of, detector_weights
    from pointmask_trainer.published.files import read_weights
    from pointmask_trainer.run.checkpoint import ModelCard, save_model

    if (trained_on is None) == (mean is None and std is None) or (mean is None) != (std is None):
        raise click.UsageError("give --trained-on, or --mean and --std: how the images were standardised")
    check_file(out, [source], is_our_weights, overwrite=overwrite)
    first, second = TRAINED_ON[trained_on] if trained_on is not None else (mean, std)
    assert first is not None
    assert second is not None
    weights = read_weights(source)
    channels = channels_of(weights, model)
    network = build(model, in_channels=channels)
    network.load_state_dict(detector_weights(weights, model, network))
    card = ModelCard(
        ModelConfig(name=model, in_channels=channels),
        Normalisation(first, second),
        {"imported": source.name, "digest": weights.digest},
    )
    save_model(out, network, card)
    say(f"Weights: {out} ({model}, {len(weights.tensors):,} tensors, input channels: {channels})")
    advise(command("predict", out, "IMAGES", "--out", unused("detections")), command("evaluate", out, "DATA"))


def is_our_weights(path: Path) -> bool:
    """Say whether a file holds weights with a card of ours."""
    from pointmask_trainer.errors import CheckpointError
    from pointmask_trainer.run.checkpoint import load_model

    try:
        load_model(path)
    except CheckpointError:
        return False
    return True

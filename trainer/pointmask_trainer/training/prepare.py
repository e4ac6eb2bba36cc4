"""Build the loop of a training, ready for its first epoch, from a configuration and a folder."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch

from pointmask.annotator.proof import proved
from pointmask.io.clicks import notes_of_masks
from pointmask.io.layout import THETA
from pointmask.theta import Theta
from pointmask_trainer.config import Config, ModelConfig
from pointmask_trainer.data.folder import find_images, split_ids
from pointmask_trainer.data.labels import LabelStore
from pointmask_trainer.data.layout import layout_note, mask_folder, true_masks
from pointmask_trainer.data.normalisation import normalisation_of
from pointmask_trainer.data.points import lists_with_points, points_of
from pointmask_trainer.data.split import Mask, known_masks, load_split
from pointmask_trainer.detectors.base import Detector, ImageNetwork
from pointmask_trainer.detectors.locators.base import Locator
from pointmask_trainer.detectors.prior import start_from
from pointmask_trainer.detectors.registry import build_network
from pointmask_trainer.distributed import ProcessGroup, share_statistics
from pointmask_trainer.errors import ConfigError
from pointmask_trainer.run.checkpoint import load_weights, read_weights, weights_path
from pointmask_trainer.run.mask_settings import MaskSettings, MaskSource
from pointmask_trainer.run.source import Source
from pointmask_trainer.strategies.base import Folder, Strategy
from pointmask_trainer.strategies.registry import make_strategy
from pointmask_trainer.training.loop import Loop
from pointmask_trainer.training.unseen import Unseen, kept_apart, unseen_of

SEEN = (
    "the clicks of the validation images train the detector too (strategy.options.beta), so its figures on "
    "them flatter: quote those of images that it never saw, with pointmask evaluate RUN DATA --list FILE"
)
"""What is said of strategies that are trained on all validation images."""


def said_of(unseen: int) -> str:
    """Return what is said if some validation images are kept apart."""
    return (
        "the clicks of the validation images train the detector too, so its figures on them flatter; "
        f"{unseen} others of the list are kept apart, and their figure comes first (strategy.options.unseen)"
    )


class Prepared(NamedTuple):
    """A training before its first epoch.

    Attributes
    ----------
    loop : Loop
    truths : list of (H, W) bool arrays or None
        True masks of the validation list, if the training folder has them all.
    unseen : Unseen or None
        Validation images that are kept apart.
    """

    loop: Loop
    truths: list[Mask] | None
    unseen: Unseen | None


def prepare(
    config: Config,
    source: Source,
    device: torch.device,
    group: ProcessGroup,
    say: Callable[[str], None],
    *,
    keeps_unseen: bool = True,
) -> Prepared:
    """Read the data and build strategy, detector and loop.

    Parameters
    ----------
    config : Config
    source : Source
    device : torch.device
    group : ProcessGroup
    say : callable
        Called with one line of text about each fact worth knowing of the data.
    keeps_unseen : bool
        False for a run that was begun without: all of its validation list stays what it was.

    Returns
    -------
    Prepared

    Raises
    ------
    ConfigError, DataError, PointsError, DetectorError, CheckpointError
        If settings, data or the weights to start from do not fit.
    """
    say = _once(say)
    torch.manual_seed(config.seed)
    strategy = make_strategy(config.strategy.name, config.strategy.options)
    model = first_weights(config.model, say).to(device)
    if group.size > 1:
        share_statistics(model)
    images = find_images(source.root)
    if note := layout_note(source.root):
        say(note)
    for note in notes_of_masks(source.masks or mask_folder(source.root)):
        say(note)
    needed_by = config.strategy.name if strategy.needs_points else None
    paired = points_of(source.root, source.points, images, needed_by, say)
    draw = partial(
        split_ids,
        source.root,
        images,
        train_list=source.train_list,
        val_list=source.val_list,
        include=source.include,
        seed=config.seed,
        say=say,
    )
    ids = lists_with_points(draw, paired, say) if paired and needed_by else draw()
    share = strategy.unseen_share if keeps_unseen else 0.0
    val_ids, unseen_ids = kept_apart(ids[1], share, config.seed)
    train_split, val_split, unseen_split = (
        load_split(name, listed, images, paired, device, say, dead_pixels=config.model.dead_pixels)
        if listed
        else None
        for name, listed in (("train", ids[0]), ("val", val_ids), ("unseen", unseen_ids))
    )
    assert train_split is not None
    assert val_split is not None
    folder = Folder(
        source.root, {"train": train_split, "val": val_split}, source.masks, paired is not None, say
    )
    labels = LabelStore(strategy.prepare(folder), device)
    normalisation = normalisation_of(train_split.images, per_image=config.model.normalisation == "image")
    say(
        f"{len(train_split)} images to train and {len(val_split)} to validate on, mean "
        f"{normalisation.mean:.4g}, deviation {normalisation.std:.4g}; {device}"
    )
    if strategy.sees_validation:
        say(SEEN if unseen_split is None else said_of(len(unseen_split)))
    by: MaskSource = "operator" if isinstance(model, Locator) else config.masks.by
    masks = MaskSettings(by, config.masks.polarity, _theta(config, strategy, source, say))
    loop = Loop(config, folder.splits, labels, strategy, model, normalisation, group, masks)
    truths = known_masks(val_split, true_masks(source.root))
    if unseen_split is None:
        return Prepared(loop, truths, None)
    return Prepared(loop, truths, unseen_of(unseen_split, source, masks.theta, masks.polarity))


def _theta(config: Config, strategy: Strategy, source: Source, say: Callable[[str], None]) -> Theta:
    """Return the parameters with which the annotator draws detected targets: those that drew the labels."""
    if config.masks.theta:
        return proved(config.masks.theta)
    theta = strategy.first_theta()
    if theta is None and source.masks is not None and (source.masks / THETA).is_file():
        theta = proved(source.masks / THETA)
        if config.masks.by == "operator":
            say(f"detected targets are drawn with the parameters of the labels, {source.masks / THETA}")
    return Theta.load("default") if theta is None else theta


def _once(say: Callable[[str], None]) -> Callable[[str], None]:
    """Pass on each text once: lists are drawn twice where images without points are left out."""
    said: set[str] = set()

    def tell(text: str) -> None:
        if text not in said:
            said.add(text)
            say(text)

    return tell


def first_weights(config: ModelConfig, say: Callable[[str], None]) -> ImageNetwork:
    """Build a network with the weights from which its training starts, on the processor.

    Raises
    ------
    CheckpointError
        If the weights to start from cannot be read, or are another network's.
    """
    model = fresh(config)
    if config.init:
        path = weights_path(Path(config.init))
        weights, card = read_weights(path)
        load_weights(model, model.adopted(weights), str(path))
        say(f"starting from the weights of {path}")
        if card.normalisation.per_image != (config.normalisation == "image"):
            own = "image" if card.normalisation.per_image else "list"
            say(f'they were trained with model.normalisation = "{own}", now it is "{config.normalisation}"')
    return model


def fresh(config: ModelConfig) -> ImageNetwork:
    """Build a network with its initial weights, on the processor.

    Raises
    ------
    ConfigError
        If a prior is set for a network that has none.
    """
    model = build_network(config.name, in_channels=config.in_channels, **config.options)
    model.tile = config.tile
    if config.prior != 0.5:
        if not isinstance(model, Detector):
            raise ConfigError(
                f"model.prior = {config.prior} is the first probability of a detector's pixels, and "
                f"{config.name} finds points; set model.prior to 0.5"
            )
        start_from(model, config.prior)
    return model

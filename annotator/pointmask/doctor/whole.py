"""Masks, judged as a whole on a sample of their images; see `pointmask.judgement`."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pointmask.components import middles
from pointmask.errors import ImageError
from pointmask.io.images.masks import resized, size_relation
from pointmask.io.images.source import ImageSource
from pointmask.io.notes import gathering
from pointmask.io.points.names import natural_key
from pointmask.judgement.evidence import Clicked, Places
from pointmask.judgement.sample import judge_some
from pointmask.judgement.verdict import Verdict


def judge_masks(images: ImageSource, masks: ImageSource, single: Mapping[str, str]) -> Verdict:
    """
    Judge whether masks lie on the targets of their images, with the middles of their targets as clicks.

    Parameters
    ----------
    images, masks : ImageSource
    single : Mapping
        Image names, each with its one mask; others are not judged.

    Returns
    -------
    Verdict
        Of masks. Files that cannot be read are passed over.
    """
    names = sorted(single, key=natural_key)
    with gathering():  # the files are read again, and what is assumed is said then
        return judge_some(range(len(names)), partial(_look, images, masks, single, names), "masks")


def _look(
    images: ImageSource, masks: ImageSource, single: Mapping[str, str], names: Sequence[str], at: int
) -> Iterator[Clicked]:
    pixels = _read(images, names[at])
    if pixels is None:
        return
    clicks = _clicks(masks, single, names, at, pixels.shape)
    if len(clicks):
        before = _clicks(masks, single, names, at - 1, pixels.shape)
        after = _clicks(masks, single, names, at + 1, pixels.shape)
        yield Clicked(pixels, clicks, before, after)


def _read(images: ImageSource, name: str) -> NDArray[np.generic] | None:
    try:
        with images.open(name) as file:
            return None if file.frames > 1 else file.decode(0)
    except ImageError:
        return None


def _clicks(
    masks: ImageSource, single: Mapping[str, str], names: Sequence[str], at: int, shape: tuple[int, ...]
) -> Places:
    """Return the middles of the targets of one mask, in pixels of its image; none if it fits none."""
    none = np.empty((0, 2), np.int64)
    if not 0 <= at < len(names):
        return none
    try:
        with masks.open(single[names[at]]) as file:
            mask = file.mask()
    except ImageError:
        return none
    own, wanted = (mask.shape[0], mask.shape[1]), (shape[0], shape[1])
    if own == wanted:
        return middles(mask)
    return middles(resized(mask, wanted)) if size_relation(own, wanted) == "resized" else none

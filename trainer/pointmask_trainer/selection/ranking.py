"""Rank images by a score, keep the best, and compare lists."""

import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pointmask_trainer.analysis.epochs import image_table, last_epochs, mean_over_epochs
from pointmask_trainer.errors import DataError

Scores = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class MeanWeights:
    """Sample weights of a run.

    Attributes
    ----------
    alpha : tuple of float or None
        Mean weight of each image of the train list; None for one without a weight.
    epochs : tuple of int
        Those that were averaged; none if no image was ever weighed.
    """

    alpha: tuple[float | None, ...]
    epochs: tuple[int, ...]


def mean_weights(lines: Sequence[Mapping[str, Any]], images: int, last: int) -> MeanWeights:
    """Average the sample weights over the last epochs that have any.

    Parameters
    ----------
    lines : sequence of dict
        Of ``strategy.jsonl``: ``epoch`` and perhaps ``alpha``, a list with None where an image was not seen.
    images : int
        Length of the train list.
    last : int
        Epochs to average at most.

    Raises
    ------
    DataError
        If a line has weights for another number of images.
    """
    table = image_table(lines, "alpha", images)
    chosen = last_epochs(table, last)
    means = mean_over_epochs(table[chosen])
    return MeanWeights(
        tuple(None if np.isnan(mean) else float(mean) for mean in means),
        tuple(int(line["epoch"]) for line, is_chosen in zip(lines, chosen, strict=True) if is_chosen),
    )


def random_scores(ids: Sequence[str], seed: int) -> list[float]:
    """Draw a score in [0, 1) for each image, from the seed and its own name alone."""
    digests = (hashlib.blake2b(f"{seed}:{key}".encode(), digest_size=8).digest() for key in ids)
    return [int.from_bytes(digest, "big") / 2**64 for digest in digests]


def ranking(scores: Scores) -> list[int]:
    """Return indices by descending score; ties keep their order, None comes last."""
    return sorted(
        range(len(scores)), key=lambda k: -math.inf if (s := scores[k]) is None else s, reverse=True
    )


def kept_count(keep: float, images: int) -> int:
    """Turn a share, up to 1, or a count, above 1, into a count of at least 1.

    Raises
    ------
    DataError
        If it is neither, or more than there are.
    """
    if 0 < keep <= 1:
        return max(1, math.floor(keep * images + 0.5))
    if keep > images:
        raise DataError(f"--keep {keep:g} is more than the {images} images of the train list; keep fewer")
    if not (keep > 1 and keep == int(keep)):
        raise DataError(f"--keep {keep:g} is neither a share from 0 to 1 nor a number of images; correct it")
    return int(keep)


def quotas(groups: Sequence[str], count: int) -> dict[str, int]:
    """Divide a count among groups by their size, to whole images by the largest remainders.

    Parameters
    ----------
    groups : sequence of str
        Group of each image.
    count : int
        At most their number.

    Returns
    -------
    dict of str to int
        By name; the sum is `count`.
    """
    sizes = dict(sorted(Counter(groups).items()))
    shares = {name: count * size / len(groups) for name, size in sizes.items()}
    given = {name: math.floor(share) for name, share in shares.items()}
    rest = sorted(given, key=lambda name: given[name] - shares[name])[: count - sum(given.values())]
    return {name: number + (name in rest) for name, number in given.items()}


def best(order: Sequence[int], count: int, groups: Sequence[str] | None = None) -> list[int]:
    """Take the first of a ranking.

    Parameters
    ----------
    order : sequence of int
        From `ranking`.
    count : int
    groups : sequence of str, optional
        Group of each image, of which the same share is taken.

    Returns
    -------
    list of int
        In the order of the ranking.
    """
    if groups is None:
        return list(order[:count])
    left = quotas(groups, count)
    taken = []
    for index in order:
        if left[groups[index]]:
            left[groups[index]] -= 1
            taken.append(index)
    return taken


def overlap(one: Sequence[int], other: Sequence[int]) -> float:
    """Share of images that two lists of one length have in common, in [0, 1]."""
    return len(set(one) & set(other)) / len(one)

"""A sample of images, on which a whole list is judged: some hundred clicks tell of a million."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from pointmask.judgement.evidence import Clicked
from pointmask.judgement.verdict import Subject, Verdict, judge

T = TypeVar("T")

MOST_IMAGES = 128
"""Of one sample."""

_CLICKS = 1000
_MOST_PIXELS = 2**24  # of all images that are read
_FEWEST_CLICKS = 100  # for these even more are read


def judge_some(items: Sequence[T], look: Callable[[T], Iterable[Clicked]], of: Subject = "clicks") -> Verdict:
    """
    Judge a list on images that are spread evenly over it.

    Parameters
    ----------
    items : sequence
        Whatever names the images that have clicks, in natural order.
    look : callable
        Reads an image and its clicks; called for at most `MOST_IMAGES` items, fewer where images are large or
        have many clicks. It yields nothing for what cannot be read, and may yield several frames.
    of : {"clicks", "masks"}
        What is judged.

    Returns
    -------
    Verdict
        The same for the same items.
    """
    return judge(_sample(items, look), of)


def _sample(items: Sequence[T], look: Callable[[T], Iterable[Clicked]]) -> Iterator[Clicked]:
    count = min(len(items), MOST_IMAGES)
    chosen = np.unique(np.linspace(0, len(items) - 1, count).round().astype(np.intp)).tolist()
    # The most distant first, so that wherever the work ends, the sample is spread evenly.
    order = sorted(range(len(chosen)), key=lambda k: int(f"{k:010b}"[::-1], 2))
    pixels = clicks = 0
    for at in order:
        enough = clicks >= _CLICKS or (pixels >= _MOST_PIXELS and clicks >= _FEWEST_CLICKS)
        if enough or pixels >= 4 * _MOST_PIXELS:
            return
        for clicked in look(items[chosen[at]]):
            yield clicked
            pixels += math.prod(clicked.pixels.shape)
            clicks += len(clicked.clicks)

"""A sample of images, on which a whole list is judged: some hundred clicks tell of a million."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Literal, Protocol, TypeVar

import numpy as np

from pointmask.judgement.evidence import Clicked
from pointmask.judgement.statistic import Standout
from pointmask.judgement.verdict import Subject, Verdict, judge

T = TypeVar("T")

MOST_IMAGES = 128
"""Of one sample."""

_ENOUGH_IMAGES = 64  # with _FEWEST_CLICKS: from 50 clicks on, no planted error went unnamed
_CLICKS = 1000
_MOST_PIXELS = 2**24  # of all images that are read
_FEWEST_CLICKS = 100  # for these even more are read
_MOST_IN_ONE = 2**23  # pixels of an image; their contrast takes 32 bytes each while it is measured
_SIDE = 2896  # of the part of a larger one


class Each(Protocol):
    """Calls a function with every item, as `map` does: perhaps in threads, but with results in order."""

    def __call__(
        self, function: Callable[[int], list[Clicked]], items: Iterable[int], /
    ) -> Iterator[list[Clicked]]:
        """Yield the results."""
        ...


def judge_some(
    items: Sequence[T],
    look: Callable[[T], Iterable[Clicked]],
    of: Subject = "clicks",
    each: Each = map,
    polarity: Literal["bright", "dark", "auto"] = "auto",
) -> Verdict:
    """
    Judge a list on images that are spread evenly over it.

    Parameters
    ----------
    items : sequence
        Whatever names the images that have clicks, in natural order.
    look : callable
        Reads an image and its clicks; called for at most `MOST_IMAGES` items, fewer where images are large or
        have many clicks. It yields nothing for what cannot be read, and may yield several frames. Of a very
        large one the part with most clicks is judged, so that no error is recognised that leads out of it,
        such as that of axes exchanged; of many clicks every n-th counts.
    of : {"clicks", "masks"}
        What is judged.
    each : callable
        How items are read and measured; the last few that threads have looked at may count for nothing.
    polarity : {"bright", "dark", "auto"}
        Of the targets that are looked for.

    Returns
    -------
    Verdict
        The same for the same items.
    """
    return judge(_sample(items, look, each), of, polarity)


def _sample(items: Sequence[T], look: Callable[[T], Iterable[Clicked]], each: Each) -> Iterator[Clicked]:
    count = min(len(items), MOST_IMAGES)
    chosen = np.unique(np.linspace(0, len(items) - 1, count).round().astype(np.intp)).tolist()
    # The most distant first, so that wherever the work ends, the sample is spread evenly.
    order = sorted(range(len(chosen)), key=lambda k: int(f"{k:010b}"[::-1], 2))
    pixels = clicks = 0
    for seen, frames in enumerate(each(lambda at: list(map(_measured, look(items[chosen[at]]))), order), 1):
        for clicked in frames:
            yield clicked
            pixels += math.prod(clicked.pixels.shape)
            clicks += len(clicked.clicks)
        is_much = pixels >= _MOST_PIXELS or seen >= _ENOUGH_IMAGES
        if clicks >= _CLICKS or (is_much and clicks >= _FEWEST_CLICKS) or pixels >= 4 * _MOST_PIXELS:
            return


def _measured(whole: Clicked) -> Clicked:
    clicked = _part(whole)
    if isinstance(clicked.pixels, Standout):
        return clicked
    return replace(clicked, pixels=Standout(clicked.pixels))


def _part(clicked: Clicked) -> Clicked:
    """Return what is judged of one image: of a very large one a part, and not all of many clicks."""
    pixels, clicks = clicked.pixels, clicked.clicks
    parts = (clicked.clicks, clicked.previous, clicked.following)
    if not isinstance(pixels, Standout) and pixels.size > _MOST_IN_ONE:
        height, width = pixels.shape
        cells, counts = np.unique(clicks // (_SIDE // 2), axis=0, return_counts=True)
        middle = (cells[np.argmax(counts)] if len(cells) else np.zeros(2, np.int64)) * (
            _SIDE // 2
        ) + _SIDE // 4
        start = np.clip(middle - _SIDE // 2, 0, np.maximum(np.array(pixels.shape) - _SIDE, 0))
        stop = np.minimum(start + _SIDE, (height, width))
        pixels = pixels[start[0] : stop[0], start[1] : stop[1]]
        parts = tuple(part[((part >= start) & (part < stop)).all(axis=1)] - start for part in parts)
    return Clicked(pixels, *(part[:: max(1, -(-len(part) // _CLICKS))] for part in parts))

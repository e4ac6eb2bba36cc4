"""Masks and points that show nothing in their own image and fit another one: files that were mixed up."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pointmask.doctor import visibility as evidence
from pointmask.doctor.findings import Note
from pointmask.doctor.frame import Seen, Shape
from pointmask.doctor.targets import is_inside, spots_of
from pointmask.doctor.visibility import Evidence
from pointmask.errors import ImageError
from pointmask.io.images.source import ImageSource
from pointmask.io.points.names import natural_key
from pointmask.io.points.points import Point

_WEAK = 1.5  # deviations below which all targets of an image together show nothing
_NOTHING = 0.5  # below which that is worth a word even if they fit nowhere else
_CLEAR = 3.0  # deviations that each target must reach in the image it is said to belong to
_MOST_TRIED = 40  # images per suspect, the nearest by name: files are mixed up with their neighbours
_CACHED = 128  # images


class _Suspect(NamedTuple):
    name: str
    shape: Shape
    shown: Evidence | None  # None for an image that has no mask, or no points, of its own


_Measure = Callable[[NDArray[Any]], Evidence | None]
_Claims = dict[str, tuple[str, float]]  # by suspect: the image that it fits, and how clearly


class Suspects:
    """
    Gathers the images whose masks, or points, show little, and those that have none.

    Files that were mixed up leave at least two such images. So only these are compared, which keeps chance
    out: a few images in a hundred are so faint, and a foreign mask stands out in one or two in a hundred.
    """

    def __init__(self) -> None:
        self._found: list[_Suspect] = []
        self._brighter = 0

    def add(self, seen: Seen, shown: Evidence | None) -> None:
        """Take note of how the targets of an image of one frame show."""
        if seen.shape is None:
            return
        if shown is not None:
            self._brighter += 1 if shown.brightest >= -shown.darkest else -1
        if shown is None or shown.brightest < _WEAK or shown.darkest > -_WEAK:
            self._found.append(_Suspect(seen.name, seen.shape, shown))

    def strength(self, shown: Evidence) -> float:
        """Strongest of the targets, in the polarity that most images have."""
        return shown.brightest if self._brighter >= 0 else -shown.darkest

    def own(self, suspect: _Suspect) -> float:
        """Strength of the targets in the suspect's own image."""
        return 0.0 if suspect.shown is None else self.strength(suspect.shown)

    def least(self, shown: Evidence) -> float:
        """Weakest of the targets, in that polarity."""
        return shown.least_bright if self._brighter >= 0 else -shown.least_dark

    def weak(self) -> list[_Suspect]:
        """Return the images whose targets show nothing, in natural order."""
        found = (s for s in self._found if s.shown is None or self.strength(s.shown) < _WEAK)
        return sorted(found, key=lambda suspect: natural_key(suspect.name))


class Reader:
    """Reads images of one frame, and keeps the last ones."""

    def __init__(self, images: ImageSource) -> None:
        def read(name: str) -> NDArray[Any] | None:
            try:
                with images.open(name) as file:
                    return file.decode()
            except ImageError:  # it could be read before; whoever took it away knows
                return None

        self.read = lru_cache(maxsize=_CACHED)(read)


def mask_pairs(
    suspects: Suspects, reader: Reader, mask_of: Callable[[str], NDArray[np.bool_] | None]
) -> Iterator[Note]:
    """Say which masks fit another image."""
    weak = suspects.weak()
    measures = {}
    for suspect in weak:
        mask = None if suspect.shown is None else mask_of(suspect.name)
        if mask is not None and mask.shape == suspect.shape:
            measures[suspect.name] = partial(_of_mask, mask)
    claims = _claims(suspects, reader, weak, measures)
    for suspect in weak:
        if suspect.name in claims:
            yield "mask pair", f"the mask of {_claim(suspects, suspect, claims)}"
        elif suspect.name in measures and (own := suspects.own(suspect)) < _NOTHING:
            yield "mask flat", f"{suspect.name}: {own:+.1f} deviations"


def point_pairs(
    suspects: Suspects, reader: Reader, points_of: Callable[[str], Sequence[Point]]
) -> Iterator[Note]:
    """Say which points fit another image, or their own if x and y are exchanged."""
    weak = suspects.weak()
    points = {suspect.name: points_of(suspect.name) for suspect in weak if suspect.shown is not None}
    exchanged = dict(_exchanged(suspects, reader, points))
    if 2 * len(exchanged) > len(points):
        for suspect in weak:
            if suspect.name in exchanged:
                yield "point swapped", f"{suspect.name}: {exchanged[suspect.name]:+.1f} deviations exchanged"
        return
    claims = _claims(suspects, reader, weak, {name: partial(_of_points, own) for name, own in points.items()})
    for suspect in weak:
        if suspect.name in claims:
            yield "point pair", f"the points of {_claim(suspects, suspect, claims)}"


def _exchanged(
    suspects: Suspects, reader: Reader, points: Mapping[str, Sequence[Point]]
) -> Iterator[tuple[str, float]]:
    """
    Yield the images whose points are clear when x and y are exchanged, and how clear.

    Who exchanges them does so throughout: if most doubtful images do not gain, those that do are chance.
    """
    for name, listed in points.items():
        pixels = reader.read(name)
        shown = None if pixels is None else _of_points([Point(p.col, p.row) for p in listed], pixels)
        if shown is not None and suspects.least(shown) >= _CLEAR:
            yield name, suspects.least(shown)


def _claim(suspects: Suspects, suspect: _Suspect, claims: _Claims) -> str:
    name, clear = claims[suspect.name]
    return f"{suspect.name} ({suspects.own(suspect):+.1f} deviations) fits {name} ({clear:+.1f})"


def _claims(
    suspects: Suspects, reader: Reader, weak: Sequence[_Suspect], measures: Mapping[str, _Measure]
) -> _Claims:
    """
    Find for each suspect the image that it fits.

    Files that were mixed up take each other's places: whoever owns the place must have gone to another,
    or have nothing. Claims that end otherwise are chance: a busy image in which anything stands out.
    """
    claims: _Claims = {}
    for place, suspect in enumerate(weak):
        if suspect.name in measures:
            best = _best(suspects, reader, weak, place, measures[suspect.name])
            if best is not None:
                claims[suspect.name] = best
    empty = {suspect.name for suspect in weak if suspect.shown is None}
    while True:
        clearest: dict[str, tuple[float, str]] = {}
        for name, (place_of, clear) in claims.items():
            clearest[place_of] = max((clear, name), clearest.get(place_of, (0.0, "")))
        winners = {name for _, name in clearest.values()}
        held = {
            name: (to, clear)
            for name, (to, clear) in claims.items()
            if name in winners and (to in claims or to in empty)
        }
        if len(held) == len(claims):
            return claims
        claims = held


def _of_mask(mask: NDArray[np.bool_], pixels: NDArray[Any]) -> Evidence | None:
    return evidence.of_mask(pixels, mask)


def _of_points(points: Sequence[Point], pixels: NDArray[Any]) -> Evidence | None:
    if not all(is_inside(p, pixels.shape) for p in points):
        return None
    return evidence.summed(spots_of(pixels, points))


def _best(
    suspects: Suspects,
    reader: Reader,
    weak: Sequence[_Suspect],
    place: int,
    measure: _Measure,
) -> tuple[str, float] | None:
    """Name of the image in which what was measured is clearest, and how clear; None if in none."""
    shape = weak[place].shape
    near = sorted(range(len(weak)), key=lambda other: abs(other - place))
    others = [weak[k].name for k in near if k != place and weak[k].shape == shape][:_MOST_TRIED]
    best: tuple[str, float] | None = None
    for name in others:
        pixels = reader.read(name)
        shown = None if pixels is None else measure(pixels)
        if shown is not None and (least := suspects.least(shown)) >= max(_CLEAR, best[1] if best else 0.0):
            best = name, least
    return best

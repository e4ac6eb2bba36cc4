"""A beginning or an ending in which all names of one list differ from those of another, such as ``_v2``."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pointmask.io.points.names import ImageFrame, without_suffix

_END = re.compile(r"[ _-][^/]*\Z")
_START = re.compile(r"[^/]*[ _-]")
# More than a number or a single letter.
_TELLS = re.compile(
    r"_[0-9]*[^\W\d_]\w+|\w*[^\W\d_]\w+_|[^\W\d_].*[^\W\d_]"
)  # more than a number or a letter


@dataclass(frozen=True, slots=True)
class Trimmed:
    """Keys that fit an image without a common beginning or ending, and what is to be said of it."""

    by_key: dict[str, ImageFrame] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def without_common_ends(keys: Sequence[str], names: Sequence[str], taken: Collection[ImageFrame]) -> Trimmed:
    """
    Pair keys with names after what all keys, or all names, share at an end is taken off.

    Parameters
    ----------
    keys : sequence of str
        That fit no image otherwise, each once.
    names : sequence of str
        All images.
    taken : collection of (name, frame)
        What other keys fit already.

    Returns
    -------
    Trimmed
        Empty unless at least half of the keys, and two, fit an image each that no other fits.
    """
    stems = [without_suffix(key) for key in keys]
    free = [name for name in names if (name, 0) not in taken]
    images = [without_suffix(name) for name in free]
    for whose, of_all in (("of all names", stems), ("of all images", images)):
        for what, end in (("ending", _ending(of_all)), ("beginning", _beginning(of_all))):
            if not end:
                continue
            is_ours = of_all is stems
            ours = dict(zip(keys, _cut(stems, what, end) if is_ours else stems, strict=True))
            theirs = zip(free, images if is_ours else _cut(images, what, end), strict=True)
            fits = _fits(ours, theirs)
            if len(fits) >= max(2, len(keys) / 2):
                first = next(iter(fits))
                told = f"{len(fits):,}, such as {first} as {fits[first]}"
                by_key = {key: (fits[key], 0) for key in fits}
                return Trimmed(by_key, (f"names paired but for the {what} {end} {whose}: {told}",))
    return Trimmed()


def _ending(stems: Sequence[str]) -> str:
    """Return the longest ending of all that begins with a sign and says something."""
    found = _END.search(_shared([stem[::-1] for stem in stems])[::-1])
    return found[0] if found and _TELLS.search(found[0]) else ""


def _beginning(stems: Sequence[str]) -> str:
    """Return the longest beginning of all that ends in a sign and says something."""
    found = _START.match(_shared(stems))
    return found[0] if found and _TELLS.search(found[0]) else ""


def _shared(texts: Sequence[str]) -> str:
    """Return the characters with which all of several texts begin."""
    if len(texts) < 2:
        return ""
    low, high = min(texts), max(texts)
    count = next((k for k, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), len(low))
    return low[:count]


def _cut(stems: Iterable[str], what: str, end: str) -> Iterator[str]:
    return (stem.removesuffix(end) if what == "ending" else stem.removeprefix(end) for stem in stems)


def _fits(keys: dict[str, str], names: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the image of each key that has one of its own, in the order of the keys.

    Parameters
    ----------
    keys : dict
        Stem by key.
    names : iterable of (str, str)
        Images and their stems.
    """
    key_of: dict[str, str | None] = {}
    for key, stem in keys.items():
        key_of[stem] = None if stem in key_of else key
    found: dict[str, str | None] = {}
    for name, stem in names:
        for form in {stem, stem.rpartition("/")[2]}:
            if (owner := key_of.get(form)) is not None:
                found[owner] = None if owner in found else name
    return {key: image for key in keys if (image := found.get(key)) is not None}

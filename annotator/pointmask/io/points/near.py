"""What a name that fits no image may have meant: a hint for a message, never a pair."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from itertools import islice

from pointmask.io.points.loose import LooseNames, fold, near_fold
from pointmask.io.points.names import without_suffix

_MOST = 200  # names that get a hint: nobody reads more
_ALIKE = 0.8  # share of characters in which a near name agrees
_NUMBERS = re.compile(r"[1-9][0-9]*")


def near_names(keys: Iterable[str], names: Sequence[str]) -> dict[str, str]:
    """
    Say what keys may have meant.

    Parameters
    ----------
    keys : iterable of str
        That fit no image.
    names : sequence of str
        All images, sorted.

    Returns
    -------
    dict
        Text such as ``did you mean a.png? only case differs`` by key, for those of the first keys that are
        near an image.
    """
    asked = list(islice(keys, _MOST))
    if not asked or not names:
        return {}
    index = LooseNames(names, near_fold)
    hints = {}
    for key in asked:
        found = index.find(key).names
        if not found:
            found = tuple(_neighbours(key, names))
            hint = f"did you mean {found[0]}?" if found else ""
        elif len(found) > 1:
            hint = f"did you mean {' or '.join(found[:3])}?"
        else:
            hint = f"did you mean {found[0]}? {_difference(key, found[0])}"
        if hint:
            hints[key] = hint
    return hints


def _difference(key: str, name: str) -> str:
    """Say in what a name is another."""
    one, other = (fold(without_suffix(text)).rpartition("/")[2] for text in (key, name))
    if one.casefold() == other.casefold() and one != other:
        return "only upper and lower case differ"
    if one != other and near_fold(one) == near_fold(other):
        return "only zeros before numbers differ"
    return "another name fits it too, or better"


def _neighbours(key: str, names: Sequence[str]) -> list[str]:
    """Return the name beside which a key would stand, if it holds the same numbers and looks alike."""
    place = bisect_left(names, key)
    near = []
    for name in names[max(place - 1, 0) : place + 1]:
        one, other = without_suffix(key), without_suffix(name)
        if _NUMBERS.findall(one) == _NUMBERS.findall(other):
            ratio = SequenceMatcher(None, one[-200:], other[-200:], autojunk=False).ratio()
            near.append((ratio, name))
    return [name for ratio, name in sorted(near, reverse=True) if ratio >= _ALIKE]

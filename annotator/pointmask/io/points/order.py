"""The order in which people expect file names: ``f2.png`` before ``f10.png``, folder by folder.

Everything that a person reads, and every sequence, is in this order. The manifest and all other files
that programs merge are sorted by code points instead, which needs no rule to be agreed on.
"""

import re

_NUMBER = re.compile(r"([0-9]+)")

NaturalKey = tuple[object, ...]
"""Comparable with others of its kind."""


def natural_key(name: str) -> NaturalKey:
    """
    Return a sort key under which runs of digits count as numbers and case does not count.

    Parameters
    ----------
    name : str
        Path with forward slashes, or any text. Different names have different keys.
    """
    return (*(_part_key(part) for part in name.split("/")), (name,))


def _part_key(part: str) -> NaturalKey:
    """Alternate text and numbers; a number is its length and digits, which has no limit as ``int`` has."""
    pieces = _NUMBER.split(part.casefold())
    digits = (piece.lstrip("0") for piece in pieces[1::2])
    key: list[object] = [""] * len(pieces)
    key[::2] = pieces[::2]
    key[1::2] = [(len(number), number) for number in digits]
    return tuple(key)

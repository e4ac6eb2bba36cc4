"""The names of a folder as one string of bytes, sorted without an object for each."""

import os
from array import array

import numpy as np
from numpy.typing import NDArray

END = b"\0"
"""Ends a name; no file name holds it."""

_WORD = 8  # bytes that are compared at once


def packed(names: list[str]) -> "tuple[bytes, array[int]]":
    """
    Sort names and pack them.

    Parameters
    ----------
    names : list of str
        In any order; empty afterwards, since a million of them take 70 MB.

    Returns
    -------
    names : bytes
        In the order of their bytes, each ended by `END`.
    starts : array of int
        Where each begins, and the length of all at the end.
    """
    count = len(names)
    end = END.decode()
    text = end.join(names) + end if names else ""
    if text.isascii():
        names.clear()
        octets, text = text.encode(), ""
        octets = _sorted(octets, count)
    else:
        encoded = sorted(os.fsencode(name) for name in names)
        names.clear()
        octets = b"".join(name + END for name in encoded)
    ends = np.flatnonzero(np.frombuffer(octets, np.uint8) == END[0])
    starts = array("I", [0])
    starts.frombytes((ends + 1).astype(np.uintc).tobytes())
    return octets, starts


def _sorted(names: bytes, count: int) -> bytes:
    """Sort names; of a million of one length in 0.18 s, where Python's `sorted` takes 0.4."""
    if count < 2:
        return names
    rows = _table(names, count)
    if rows is None:
        return b"".join(name + END for name in sorted(names.split(END)[:count]))
    # Where all names agree, nothing is decided; what is left is compared as whole numbers, first bytes first.
    # Column by column: a table of where names differ would be as large as the names.
    deciding = [column for column in rows.T if (column != column[0]).any()]
    keys = np.zeros((count, -(-len(deciding) // _WORD) * _WORD), np.uint8)
    for place, column in enumerate(deciding):
        keys[:, place] = column
    order = np.lexsort(keys.view(f">u{_WORD}").astype(np.uint64).T[::-1])
    return rows[order].tobytes()


def _table(names: bytes, count: int) -> NDArray[np.uint8] | None:
    """Return names of one length as rows of bytes; None if they have several."""
    octets = np.frombuffer(names, np.uint8)
    width = names.index(END) + 1
    if len(octets) != width * count:
        return None
    rows = octets.reshape(count, width)
    isolated = np.count_nonzero(octets) == (width - 1) * count
    return rows if isolated and not rows[:, -1].any() else None

"""Paths of a wrong call that do not exist, and those of nearly the same name that were meant."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from pointmask.advice import command, nearest

_LEAST = 3  # characters of a path for which a near one is sought


def near_path(message: str, words: Sequence[str]) -> str:
    """
    Return the call with the nearest path in place of one that does not exist; empty if none is near.

    Parameters
    ----------
    message : str
        Of the error, which names the path.
    words : sequence of str
        Of the command line.
    """
    for k, word in enumerate(words[1:], 1):
        option, equals, value = word.rpartition("=") if word.startswith("--") else ("", "", word)
        path = Path(value)
        if len(value) < _LEAST or os.path.lexists(path) or not _is_named(str(path), message):
            continue
        if (near := _nearest_path(path)) is not None:
            return f"Did you mean: {command(*words[:k], f'{option}{equals}{near}', *words[k + 1 :])}"
    return ""


def _is_named(path: str, message: str) -> bool:
    """Whether a message names this very path, not one that it is a part of."""
    return re.search(rf"(?<![\w./-]){re.escape(path)}(?![\w/-])", message) is not None


def _nearest_path(path: Path) -> Path | None:
    """Return the existing path, or link, of which every part is the given one or the nearest to it."""
    found = Path(path.anchor)
    for part in path.parts[1:] if path.anchor else path.parts:
        if not os.path.lexists(found / part):
            try:
                names = {entry.name.lower(): entry.name for entry in os.scandir(found)}
            except OSError:
                return None
            near = nearest(part, names)
            if not near:
                return None
            part = names[near]
        found /= part
    return found

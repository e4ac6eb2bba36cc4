"""Commands that messages advise: complete, quoted for a shell, and right for this installation."""

import difflib
import json
import os
import shlex
from collections.abc import Iterable
from importlib.metadata import distributions
from itertools import chain, count
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

_CPU_TORCH = "pip install torch --index-url https://download.pytorch.org/whl/cpu"


def command(*words: str | Path) -> str:
    """
    Return a command line of pointmask, quoted for a shell.

    Examples
    --------
    >>> command("check", Path("my images"))
    "pointmask check 'my images'"
    """
    return shlex.join(["pointmask", *map(str, words)])


def unused(place: str | Path) -> Path:
    """
    Return a place for an output that does not exist yet, so that the advised command is not refused.

    Returns
    -------
    Path
        `place`, else the first of ``place-2``, ``place-3`` ..., before its suffix.
    """
    first = Path(place)
    places = chain([first], (first.with_name(f"{first.stem}-{k}{first.suffix}") for k in count(2)))
    return next(path for path in places if not os.path.lexists(path))


def shortest(path: Path) -> Path:
    """Return a path as one would type it: relative to the present folder if it lies there."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) and path != here else path


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """
    Return a hint at the nearest of some names, with a blank behind it; empty if none is near.

    Examples
    --------
    >>> did_you_mean("cvta", ["cvat", "coco"])
    "did you mean 'cvat'? "
    """
    near = nearest(given, known)
    return f"did you mean {near!r}? " if near else ""


def nearest(given: str, known: Iterable[str]) -> str:
    """Return the name that one was meant for, whatever its case; empty if none is near."""
    return next(iter(difflib.get_close_matches(given.lower(), known, n=1)), "")


def install(extra: str) -> str:
    """
    Return the command that adds an extra to this installation.

    pointmask may come from a clone or a wheel, whose place pip then wants to be told; only what came from an
    index is found there again. torch from PyPI brings several GB of CUDA, so the extra ``train`` names the
    build for processors too.

    Parameters
    ----------
    extra : str
        One of pyproject's optional dependencies, such as ``train``.
    """
    line = f"pip install {_requirement(extra)}"
    return f"{line}  (without an NVIDIA GPU first: {_CPU_TORCH})" if extra == "train" else line


def _requirement(extra: str) -> str:
    """Return what pip knows this installation as, with an extra, quoted for a shell."""
    # A clone in the present folder has a record of its own, which does not say where it was installed from.
    records = (record.read_text("direct_url.json") for record in distributions(name="pointmask"))
    origin: dict[str, Any] = next((json.loads(text) for text in records if text), {})
    url = urlparse(str(origin.get("url", "")))
    if not url.scheme:
        return shlex.quote(f"pointmask[{extra}]")
    if url.scheme != "file":
        return shlex.quote(f"pointmask[{extra}] @ {origin['url']}")
    place = Path(unquote(url.path))
    if not place.exists():
        return f"{shlex.quote(f'.[{extra}]')}, where pointmask's sources are (they were in {place})"
    is_editable = bool(origin.get("dir_info", {}).get("editable"))
    return "-e " * is_editable + shlex.quote(f"{place}[{extra}]")

"""Lists of image ids, as data sets ship them: which images of a folder belong to a job."""

import codecs
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pointmask.errors import PointsError
from pointmask.io.points.match import match
from pointmask.io.points.names import clean_key
from pointmask.regular import read_regular


@dataclass(frozen=True, slots=True)
class IdList:
    """
    Images by id: a path in the image folder, or the end of one, with or without suffix.

    Attributes
    ----------
    ids : tuple of str
        In the form of `pointmask.io.points.names.clean_key`.
    source : str
        Where they came from, for messages.
    repeated : tuple of str
        Ids that the list gives more than once; ``ids`` holds each once.
    """

    ids: tuple[str, ...]
    source: str = "the list"
    repeated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """
    What an `IdList` means for some images.

    Attributes
    ----------
    names : frozenset of str
        The images it names.
    problems : Mapping
        Ids that fit none, or images whose ids fit several, with the reason.
    notes : tuple of str
        What was assumed of ids that fit loosely alone; see `pointmask.io.points.match.match`.
    """

    names: frozenset[str]
    problems: Mapping[str, str]
    notes: tuple[str, ...] = ()


def read_ids(path: Path) -> IdList:
    """
    Read a list of ids, one per line.

    Parameters
    ----------
    path : Path
        Text in UTF-8, or in UTF-16 with a mark. Any line ends, blank lines, surrounding space, leading
        slashes and backslashes between folders are taken as they come.

    Raises
    ------
    PointsError
        If it cannot be read, is no text, or names nothing.
    """
    return id_list(read_lines(path), str(path))


def read_lines(path: Path) -> list[str]:
    """
    Read a list as text: its lines as they are, blank ones too, without their ends.

    Raises
    ------
    PointsError
        If it cannot be read, or is no text.
    """
    try:
        data = read_regular(path)
    except OSError as error:
        raise PointsError(
            f"{path} cannot be read ({error.strerror}); check the path and its rights"
        ) from error
    is_wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise PointsError(
            f"{path} is no text in UTF-8 or UTF-16 (byte {error.start}); give a list with one image id per "
            "line"
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def id_list(lines: Iterable[str], source: str = "the list") -> IdList:
    """
    Clean ids.

    Parameters
    ----------
    lines : iterable of str
        One id each; blank ones are passed over.
    source : str
        For messages.

    Raises
    ------
    PointsError
        If there is none.
    """
    counts: Counter[str] = Counter()
    for number, line in enumerate(lines, 1):
        if line.strip(" \t/\\"):
            try:
                counts[clean_key(line)] += 1
            except PointsError as error:
                raise PointsError(f"{source}, line {number}: {error}") from None
    if not counts:
        raise PointsError(f"{source} is empty: it names no image; give a list with one image id per line")
    repeated = (key for key, count in counts.items() if count > 1)
    return IdList(tuple(counts), source, tuple(repeated))


def choose(listed: IdList, names: Sequence[str], root: str) -> Choice:
    """
    Find the images of a list by name; see `pointmask.io.points.match.match`.

    Parameters
    ----------
    listed : IdList
        As read.
    names : sequence of str
        All images.
    root : str
        Where they lie, for messages.
    """
    matches = match(listed.ids, names)
    problems = {
        key: f"{listed.source} names this image, but {root} holds no file of that name; "
        f"{matches.hints.get(key, '')}{'; ' * (key in matches.hints)}correct the list"
        for key in matches.unmatched
    }
    for key, candidates in matches.ambiguous.items():
        others = " and ".join(candidates) if len(candidates) > 1 else f"{candidates[0]}, as another id does"
        reason = f"{listed.source} says {key}, which fits {others}; write its whole path with its suffix"
        problems.update(dict.fromkeys(candidates if len(candidates) > 1 else (key,), reason))
    chosen = frozenset(name for name, _ in matches.by_key.values()).difference(problems)
    return Choice(chosen, problems, tuple(f"{listed.source}: {note}" for note in matches.notes))

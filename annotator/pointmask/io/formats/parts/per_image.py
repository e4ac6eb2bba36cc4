"""Formats with one document per image: a file, or a folder that mirrors the folder of the images."""

import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from pointmask.errors import OutputError, PointsError
from pointmask.io.files import write_whole
from pointmask.io.formats.labelled import LabelledImage, LabelledTarget, Shape
from pointmask.io.formats.parts.documents import rejecting
from pointmask.io.layout import is_tree
from pointmask.io.listing import files_below
from pointmask.io.points.names import clean_key, without_suffix
from pointmask.io.points.points import Points

_SNIFFED = 16  # documents looked at before a folder is said to be of another kind

Parsed = tuple[str, Shape | None, Sequence[LabelledTarget]]
"""Key, size if it is told, and targets of one image."""


def parse_each(
    path: Path,
    suffix: str,
    rejected: dict[str, str],
    parse: Callable[[Path, str], Parsed],
    besides: Collection[str] = (),
) -> Iterator[Parsed]:
    """Yield what the documents at a path hold.

    Parameters
    ----------
    path : Path
        One document, or a folder of them.
    suffix : str
        Of the documents, in lower case.
    rejected : dict
        Gets the documents that ``parse`` refuses, under their path without suffix, and images that have
        several documents.
    parse : callable
        Takes a document and the folder it lies in, relative to the path; may raise PointsError.
    besides : collection of str
        Names of files with this suffix that are no documents.

    Raises
    ------
    PointsError
        If the folder cannot be listed or holds no document.
    """
    seen: set[str] = set()
    for file, folder in _documents_at(path, suffix, besides):
        with rejecting(posixpath.join(folder, file.stem), rejected):
            key, shape, targets = parse(file, folder)
            if key in seen:
                rejected[key] = f"{file}: {key} has another document too; delete one of them"
            else:
                seen.add(key)
                yield key, shape, targets


def key_to_reject(name: str) -> str:
    """Return an image's name as a key, or as it is if it cannot be one."""
    try:
        return clean_key(name)
    except PointsError:
        return name


def new_key(name: str, seen: set[str]) -> str:
    """Return an image's name as a key and add it to those seen.

    Raises
    ------
    PointsError
        If it was seen before: nobody can tell which of the two counts.
    """
    key = clean_key(name)
    if key in seen:
        raise PointsError("is listed twice; keep one of them")
    seen.add(key)
    return key


def points_of(parsed: Iterable[Parsed], rejected: dict[str, str], source: str) -> Points:
    """Return the clicks: the points of targets, or the middles of their masks."""
    by_image = {
        key: tuple(target.click for target in targets if target.click is not None)
        for key, _, targets in parsed
    }
    return Points({key: by_image[key] for key in by_image if key not in rejected}, source, rejected)


def images_of(parsed: Iterable[Parsed], rejected: dict[str, str]) -> Iterator[LabelledImage]:
    """Yield labelled images; put those without size, or with a mask beyond it, into ``rejected``."""
    for key, shape, targets in parsed:
        with rejecting(key, rejected):
            if shape is None:
                raise PointsError(f"{key} is given without its width and height; add them to the document")
            yield LabelledImage.of_key(key, shape, targets)


def _documents_at(path: Path, suffix: str, besides: Collection[str] = ()) -> list[tuple[Path, str]]:
    """Return the documents at a path, and of each the folder it lies in below the path; see `parse_each`."""
    if not path.is_dir():
        return [(path, "")]
    try:
        files = [file for file in _with_suffix(path, suffix) if file.name not in besides]
    except OSError as error:
        raise PointsError(f"{path}: cannot be listed ({error.strerror}); check the folder") from error
    if not files:
        raise PointsError(f"{path}: no {suffix} file in this folder; give the folder of the documents")
    return [(file, file.parent.relative_to(path).as_posix().removeprefix(".")) for file in files]


def any_document(path: Path, suffix: str, looks_right: Callable[[Path], bool]) -> bool:
    """Say whether the file, or one of the first such files in the folder, looks right; never raises."""
    if not path.is_dir():
        return path.is_file() and path.suffix.lower() == suffix and looks_right(path)
    if is_tree(path):
        return False
    try:
        return any(looks_right(file) for file in islice(_with_suffix(path, suffix), _SNIFFED))
    except OSError:
        return False


def _with_suffix(folder: Path, suffix: str) -> Iterator[Path]:
    return files_below(folder, lambda name: name.lower().endswith(suffix))


def document_name(key: str, suffix: str) -> str:
    """Name the document of one image: ``seq/a.png`` gives ``seq/a.json``, ``a.tif#3`` gives ``a#3.json``.

    `pointmask.io.points.match.match` finds the image by it.
    """
    name, mark, frame = key.rpartition("#")
    if mark and frame.isdecimal():
        return f"{without_suffix(name)}#{frame}{suffix}"
    return f"{without_suffix(key)}{suffix}"


def write_new(data: bytes | str, path: Path) -> None:
    """Write a file that is not there yet, making its folder.

    Raises
    ------
    OutputError
        If it exists, as when two images differ in their suffix alone, or cannot be written.
    """
    if path.exists():
        raise OutputError(
            f"{path} exists already; choose a new folder, and different names for images that differ only in "
            "their suffix"
        )
    write_whole(path, data, durable=False)  # one of thousands

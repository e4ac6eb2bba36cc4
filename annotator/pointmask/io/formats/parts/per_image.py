"""Formats with one document per image: a file, or a folder that mirrors the folder of the images."""

import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pointmask.errors import OutputError, PointsError
from pointmask.io.files import write_whole
from pointmask.io.formats.labelled import Box, LabelledImage, LabelledTarget, Shape, split_key
from pointmask.io.formats.parts.documents import brief, rejecting
from pointmask.io.formats.parts.finder import ImageFinder
from pointmask.io.images.source import ImageSource
from pointmask.io.layout import is_tree
from pointmask.io.listing import files_below
from pointmask.io.notes import note
from pointmask.io.points.names import clean_key, without_suffix
from pointmask.io.points.packed import PackedPoints
from pointmask.io.points.points import Point, Points

_SNIFFED = 16  # documents looked at before a folder is said to be of another kind


class Parsed(NamedTuple):
    """What a document says of one image: key, size if it says one, targets, and further names if it has any.

    What the document itself is called, and other `names`, are tried before the key; a `counted` key is made
    from the number of a frame. See `pointmask.io.points.points.Points`.
    """

    key: str
    shape: Shape | None
    targets: Sequence[LabelledTarget]
    names: tuple[str, ...] = ()
    counted: bool = False


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
            found = parse(file, folder)
            key, own = found.key, document_key(file, folder)
            renamed = without_suffix(_last_part(key)) != without_suffix(_last_part(own))
            if key in seen:
                reason = f"{file}: {key} has another document too; delete one, or correct the name in it"
                rejected[key] = reason
                if renamed:
                    rejected.setdefault(own, reason)
            else:
                seen.add(key)
                # Files were renamed after labelling: which of the two names counts, the images decide.
                yield found._replace(names=(own, key)) if renamed else found


def _last_part(key: str) -> str:
    return posixpath.basename(split_key(key)[0])


def document_key(file: Path, folder: str) -> str:
    """Return the key of the image that a document is called like; `document_name` undoes it."""
    return clean_key(posixpath.join(folder, file.stem))


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


def points_of(
    parsed: Iterable[Parsed],
    rejected: dict[str, str],
    source: str,
) -> Points:
    """Return the clicks: the points of targets, or the middles of their masks; each with its image's size.

    Parameters
    ----------
    parsed : iterable of Parsed
    rejected : dict
        Filled while ``parsed`` is taken.
    source : str
        As in `Points`.
    """
    packed = PackedPoints()
    names: dict[str, tuple[str, ...]] = {}
    counted: list[str] = []
    middles, example = 0, ""
    for key, shape, targets, further, is_counted in parsed:
        clicks = []
        for target in targets:
            if (click := target.click) is not None:
                if target.box is not None and target.point is not None and target.box.holds_middle(click):
                    middles, example = middles + 1, example or key
                    click = _visible(click, target.box, shape, key)
                clicks.append(click)
        packed.add_image(key, clicks, shape)
        if further:
            names[key] = further
        if is_counted:
            counted.append(key)
    if middles:
        note("boxes are clicked on in the middle", example, middles)
    packed.close()
    packed.remove(rejected.keys())
    return Points(packed, source, rejected, names, tuple(counted))


def _visible(click: Point, box: Box, shape: Shape | None, key: str) -> Point:
    """Move the middle of a box, if it lies beyond the image, to the middle of what lies in it."""
    if shape is None or (0 <= click.row < shape[0] and 0 <= click.col < shape[1]):
        return click
    part = box.within(shape)
    if part is None:
        return click
    note("of boxes whose middle lies beyond the image, the middle of what lies in it is clicked on", key)
    return replace(click, row=(part.top + part.bottom) // 2, col=(part.left + part.right) // 2)


def images_of(
    parsed: Iterable[Parsed], rejected: dict[str, str], images: ImageSource | None = None
) -> Iterator[LabelledImage]:
    """Yield labelled images; put those without size, or with a mask beyond it, into ``rejected``.

    Parameters
    ----------
    parsed, rejected
        As for `points_of`.
    images : ImageSource, optional
        Where an image lies of which the document says no size.
    """
    finder: ImageFinder | None = None
    for key, shape, targets, names, counted in parsed:
        with rejecting(key, rejected):
            if shape is None and images is not None:
                finder = finder or ImageFinder(images)
                shape = finder.shape_at(*finder.frame_of(key, names))
            if shape is None:
                raise PointsError(
                    f"{brief(key)} is given without its width and height; add them, or give the images"
                )
            yield replace(LabelledImage.of_key(key, shape, targets), names=names, counted=counted)


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

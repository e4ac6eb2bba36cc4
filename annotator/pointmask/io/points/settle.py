"""Which of several names of an image is the one that counts, once the image files are known."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from pointmask.io.points.match import NameIndex
from pointmask.io.points.points import Point, Points

_COUNTED = re.compile(r"(?P<before>.*?)(?P<number>\d+)(?P<after>\D*)", re.DOTALL)


def settled(points: Points, names: Iterable[str]) -> Points:
    """
    Give each key the name under which its image is there.

    Of the names in `Points.names`, the first that fits one image takes the place of the key. If the key
    itself fits another image, a note says so. Frames of a video, which are counted from 0, are rejected if
    the files are counted from 1.

    Parameters
    ----------
    points : Points
        As read.
    names : iterable of str
        Image names relative to their folder, with forward slashes and suffix.

    Returns
    -------
    Points
        Without further names; the same object if there were none.
    """
    if not points.names and not points.counted:
        return points
    index = NameIndex(names)
    rejected = dict(points.rejected)
    key_of: dict[str, str] = {}
    notes: list[str] = []
    contested: list[tuple[str, str]] = []
    for key in points.names:
        if key not in points.by_image and key not in rejected:
            continue
        chosen = _chosen(index, key, points.names[key])
        key_of[key] = chosen
        if index.find(chosen)[:2] != index.find(key)[:2] and _stem(chosen) != _stem(key):
            contested.append((key, chosen))
    if contested:
        key, chosen = contested[0]
        notes.append(
            f"{len(contested):,} documents and their content (filename, imagePath) name different images, "
            f"such as {chosen}, which says {key}; what the document is called counts. If that is wrong, name "
            "the documents like their images"
        )
    for key in counted_from_one(index, points.counted):
        rejected[key] = f"{points.source}: {counts_differ(key)}"
    return replace(_renamed(points, key_of, rejected), names={}, counted=(), notes=(*points.notes, *notes))


def _chosen(index: NameIndex, key: str, names: Sequence[str]) -> str:
    """Return the first name that fits one image alone; the key if none does."""
    return next((name for name in names if len(index.find(name)[0]) == 1), key)


def _stem(key: str) -> str:
    return key.rpartition("/")[2].partition(".")[0]


def _renamed(points: Points, key_of: dict[str, str], rejected: dict[str, str]) -> Points:
    uses = Counter(key_of.get(key, key) for key in (*points.by_image, *points.rejected))
    by_image: dict[str, tuple[Point, ...]] = {}
    refused: dict[str, str] = {}
    for key, listed in points.by_image.items():
        name = key_of.get(key, key)
        if uses[name] > 1:
            refused[name] = (
                f"{points.source} holds {uses[name]} documents of this image; keep one of them, or correct "
                "the names of the images in them"
            )
        elif key in rejected:
            refused[name] = rejected[key]
        else:
            by_image[name] = listed
    refused |= {key_of.get(key, key): reason for key, reason in points.rejected.items()}
    return Points(by_image, points.source, refused, notes=points.notes)


def counts_differ(key: str) -> str:
    """Say why the points of a frame cannot be used; see `counted_from_one`."""
    return (
        f"{key} is numbered from 0, as the frames of a video are, but the files count from 1, as ffmpeg "
        "writes them by default, so that each frame would get the points of its neighbour; write the files "
        "again with ffmpeg -start_number 0, or rename them"
    )


def counted_from_one(index: NameIndex, keys: Sequence[str]) -> Iterator[str]:
    """Yield the keys, which count from 0, whose files count from 1."""
    starts: dict[tuple[str, int, str], bool] = {}
    for key in keys:
        parsed = _COUNTED.fullmatch(key)
        if parsed is None:
            continue
        form = parsed["before"], len(parsed["number"]), parsed["after"]
        if form not in starts:
            before, digits, after = form
            first, second = (f"{before}{number:0{digits}d}{after}" for number in (0, 1))
            starts[form] = not index.find(first)[0] and bool(index.find(second)[0])
        if starts[form]:
            yield key

"""Proposals of a folder: a table of points with scores, which every command reads as points."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

from pointmask.defects import DeadPixels
from pointmask.errors import ImageError, OutputError
from pointmask.executors import Progress, serial, threads
from pointmask.io.files import write_lines
from pointmask.io.images.source import ImageSource
from pointmask.io.layout import CLICKS, POINTS
from pointmask.io.own import check_file
from pointmask.io.points.lists import IdList, choose
from pointmask.mending import mend
from pointmask.printable import is_text
from pointmask.proposals.propose import propose
from pointmask.theta import Polarity

COLUMNS = ("image", "x", "y", "frame", "score", "area")
"""Columns of the table: centroid of the mask in 0-based pixels, score, and pixels of the mask."""


Place = tuple[int, int]
"""Row and column of a proposal, to whole pixels."""

_RECURS, _FEWEST = 0.4, 5  # share and number of frames in which a place is no chance any more


@dataclass(frozen=True, slots=True)
class Search:
    """How to search every frame; see `pointmask.proposals.propose.propose`."""

    count: int = 5
    min_score: float = 0.0
    polarity: Polarity = "bright"
    dead_pixels: DeadPixels = "replace"


@dataclass(slots=True)
class ProposalSummary:
    """
    What became of a folder.

    Attributes
    ----------
    frames : int
        Frames searched.
    proposals : int
        Rows of the table.
    bare : int
        Frames without any proposal. They are not in the table, because nobody knows that they hold no target.
    skipped : list of (str, str)
        Images that cannot be read, with the reason.
    recurring : list of (Place, int)
        Places at which many frames have a proposal, and how many, the most first: symbols of a display, or
        what a camera that stands still sees.
    """

    frames: int = 0
    proposals: int = 0
    bare: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)
    recurring: list[tuple[Place, int]] = field(default_factory=list)


class _Outcome(NamedTuple):
    """The rows of one image file, or the reason why it was skipped."""

    name: str
    rows: Sequence[bytes] = ()
    places: Sequence[Place] = ()
    frames: int = 0
    bare: int = 0
    reason: str = ""


def write_proposals(
    images: ImageSource,
    path: Path,
    search: Search,
    *,
    only: IdList | None = None,
    count: int = 1,
    overwrite: bool = False,
    reads: Iterable[Path] = (),
    exclude: Path | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> ProposalSummary:
    """
    Search all images of a source and write the table.

    Parameters
    ----------
    images : ImageSource
    path : Path
        The table. It appears when it is complete; an interrupted job leaves nothing.
    search : Search
    only : IdList, optional
        Search only these images.
    count : int
        Number of threads; does not affect the table.
    overwrite : bool
        Replace an earlier table.
    reads : iterable of Path
        What else is read, and must not be replaced.
    exclude : Path, optional
        Folder among the images to skip, such as one of masks.
    progress : callable, optional
        Called after each image.

    Raises
    ------
    ImageError
        If the source cannot be read or holds no image.
    OutputError
        If the table exists and `overwrite` is false, another file is in its place, it is the list of points
        of a folder in which people click, or it cannot be written.
    """
    check_file(path, [images.root, *reads], _is_table, overwrite=overwrite)
    if path.name == POINTS and (path.parent / CLICKS).exists():
        raise OutputError(
            f"people click in {path.parent}, and publishing writes its {path.name}; choose another file, for "
            f"example {path.with_name('proposals.csv')}"
        )
    names = images.names(exclude=exclude)
    if not names:
        raise ImageError(images.why_no_image())
    summary = ProposalSummary(skipped=sorted(images.refused().items()))
    if only is not None:
        choice = choose(only, names, str(images.root))
        summary.skipped += sorted(choice.problems.items())
        names = [name for name in names if name in choice.names]
    work = partial(_search, images, search)
    outcomes = serial(work, names) if count == 1 else threads(work, names, count)
    write_lines(path, _rows(outcomes, summary, len(names), progress), "propose")
    return summary


def _is_table(path: Path) -> bool:
    """Say whether a file begins as a table of proposals does."""
    with path.open("rb") as file:
        return file.readline() == _row(COLUMNS)


def _rows(
    outcomes: Iterator[_Outcome],
    summary: ProposalSummary,
    total: int,
    progress: Callable[[Progress], None] | None,
) -> Iterator[bytes]:
    """Yield the lines of the table and count what passes."""
    yield _row(COLUMNS)
    places: Counter[Place] = Counter()
    for seen, outcome in enumerate(outcomes, 1):
        summary.frames += outcome.frames
        summary.bare += outcome.bare
        summary.proposals += len(outcome.rows)
        if outcome.reason:
            summary.skipped.append((outcome.name, outcome.reason))
        places.update(outcome.places)
        yield from outcome.rows
        if progress is not None:
            progress(Progress(seen, total, summary.proposals, len(summary.skipped)))
    least = max(_FEWEST, _RECURS * summary.frames)
    summary.recurring = [(place, count) for place, count in places.most_common() if count >= least]


def _search(images: ImageSource, search: Search, name: str) -> _Outcome:
    """Search all frames of one image file; one that cannot be read is skipped as a whole."""
    rows: list[bytes] = []
    places: list[Place] = []
    bare = 0
    if not is_text(name):
        return _Outcome(name, reason="its name is not UTF-8, so no table can hold it; rename it")
    try:
        with images.open(name) as file:
            frames = file.frames
            for frame in range(frames):
                pixels, top, left = file.decode(frame), 0, 0
                if search.dead_pixels == "replace":
                    mending = mend(pixels, search.polarity)
                    top, left, bottom, right = mending.live or (0, 0, *pixels.shape)
                    pixels = mending.result[top:bottom, left:right]
                found = propose(
                    pixels,
                    count=search.count,
                    min_score=search.min_score,
                    polarity=search.polarity,
                )
                bare += not found
                places += {(round(p.row + top), round(p.col + left)) for p in found}
                number = frame if frames > 1 else ""
                rows += [
                    _row((name, x, y, number, round(p.score, 4), p.target.area))
                    for p in found
                    for x, y in [(round(p.col + left, 2), round(p.row + top, 2))]
                ]
    except ImageError as error:
        return _Outcome(name, reason=str(error))
    return _Outcome(name, rows, places, frames, bare)


def _row(cells: tuple[object, ...]) -> bytes:
    text = io.StringIO()
    # Quoted, a name that begins with the comment character is not read as a comment.
    must_quote = str(cells[0]).startswith("#")
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL if must_quote else csv.QUOTE_MINIMAL)
    writer.writerow(cells)
    return text.getvalue().encode()

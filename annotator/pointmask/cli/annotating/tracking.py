"""``pointmask annotate --track``: carry points through sequences before the folder job, and report it."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pointmask.cli import say
from pointmask.cli.progress import progress_display
from pointmask.cli.summary import list_some
from pointmask.errors import OutputError
from pointmask.executors import Progress
from pointmask.io.files import write_whole
from pointmask.io.images.source import ImageSource
from pointmask.io.layout import TRACKED
from pointmask.io.own import check_file
from pointmask.io.points.points import Points
from pointmask.tracking.sequences import Carried, carry
from pointmask.tracking.sightings import key_of, sightings_text


def carry_points(
    images: ImageSource,
    points: Points,
    out: Path,
    *,
    polarity: Literal["bright", "dark", "auto"],
    overwrite: bool,
    reads: Iterable[Path] = (),
) -> Carried:
    """
    Carry points through the sequences of a folder.

    Parameters
    ----------
    images : ImageSource
        Source of the frames.
    points : Points
        Clicks.
    out : Path
        Output folder; nothing is written to it here.
    polarity : {"bright", "dark", "auto"}
        Polarity of the targets.
    overwrite : bool
        Whether another list of points that was tracked may be replaced.
    reads : iterable of Path
        Files and folders that are read.

    Raises
    ------
    OutputError
        If `out` holds a list of points that would be lost.
    """
    with progress_display() as show:
        carried = carry(
            points,
            images,
            images.names(exclude=out),
            polarity=polarity,
            report=lambda done, total: show(Progress(done, total, 0, 0)),
        )
    check_file(out / TRACKED, reads, _is_tracked, overwrite=True)
    if not overwrite:
        _check_free(out / TRACKED, sightings_text(carried.sightings))
    count = len(carried.points) - len(points)
    frames = len(carried.points.by_image) - len(points.by_image)
    say(f"Tracked: {count:,} points carried to {frames:,} frames", err=True)
    return carried


def _is_tracked(path: Path) -> bool:
    """Say whether the first line is a frame with its points; an empty file has none, and is no loss."""
    with path.open("rb") as file:
        line = file.readline()
    first = json.loads(line) if line else {"image": "", "points": []}
    return isinstance(first, dict) and first.keys() == {"image", "points"}


def _check_free(path: Path, text: str) -> None:
    """Refuse to drop lines of a file that the user may have corrected; a longer sequence drops none."""
    try:
        old = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise OutputError(f"{path} cannot be read ({error}); move it away or choose another --out") from None
    if not set(old) <= set(text.splitlines()):
        raise OutputError(
            f"{path} holds other points than tracking gives; to use them, run without --track and with "
            f"--points {path}; to replace them, add --overwrite"
        )


def show_tracks(carried: Carried, out: Path) -> None:
    """Write the tracks to the output folder, and list the lost targets."""
    path = out / TRACKED
    write_whole(path, sightings_text(carried.sightings))
    if carried.lost:
        lines = [
            f"{key_of(at)}: last seen at x {point.col}, y {point.row}"
            + (f" ({carried.ended[at]})" if at in carried.ended else "")
            for at, point in carried.lost
        ]
        list_some("Lost", lines, f"see the flag last in {path}")
    if carried.dropped:
        lines = [
            f"{key_of(at)}: seen before at x {point.col}, y {point.row}" for at, point in carried.dropped
        ]
        say("A frame with points is taken as complete; click these targets there too, if they are there:")
        list_some("Not clicked on again", lines, "the rest are the last points before frames with points")
    say(f"Points:   {path}  (correct it, then run again with --points {path}, without --track)")

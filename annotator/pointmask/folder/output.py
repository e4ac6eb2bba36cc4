"""The output folder of a job: made, checked, and left in a state from which the job can go on."""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pointmask.errors import BrokenOffError, OutputError, PointmaskError, ThetaError, WriteError
from pointmask.folder.records.manifest import Entry
from pointmask.io.files import write_whole
from pointmask.io.formats.registry import saved_as
from pointmask.io.layout import MANIFEST, MASKS, REPORT, RESULTS, THETA, TIMINGS
from pointmask.io.lines import cut_half_line
from pointmask.io.own import check_output, check_plain
from pointmask.theta import PRESETS, Theta

_BEGINNING = b'{"image": '  # of each line of timings
_TITLES = (b"<title>pointmask report</title>", b"<title>pointmask predictions: ")
_HEAD = 2048  # bytes of a page in which its title stands

Clock = Callable[[Entry, float], None]
"""Notes the seconds that one frame took."""


def make_folder(out: Path) -> None:
    """
    Make an output folder, if it is not there.

    Raises
    ------
    OutputError
        If it cannot be made, or not be written to.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"output folder {out} cannot be made ({reason}); choose another --out") from None
    if not os.access(out, os.W_OK):
        raise OutputError(f"output folder {out} is not writable; choose another --out, or: chmod u+w {out}")


def check_places(out: Path, documents: Iterable[str], reads: Iterable[object]) -> None:
    """
    Refuse an output folder in which a job would write where it reads.

    Parameters
    ----------
    out : Path
        Output folder.
    documents : iterable of str
        Keys of `pointmask.io.formats.registry.saved_as`.
    reads : iterable
        Images, points, lists and whatever else is read; what is no path that exists, such as the name of a
        preset or points in memory, counts for nothing.

    Raises
    ------
    OutputError
        As `pointmask.io.own.check_output`.
    """
    names = saved_as(list(documents)).values()
    paths = (Path(read) for read in reads if isinstance(read, Path | str) and read not in PRESETS)
    places = [*RESULTS.values(), MANIFEST, MASKS, TIMINGS, REPORT, *names]
    check_output(out, places, [path for path in paths if path.exists()])


def check_page(out: Path) -> None:
    """
    Refuse to replace a page that is no report of pointmask's.

    Raises
    ------
    OutputError
        If there is one, or a link or folder in its place.
    """
    path = out / REPORT
    check_plain(path)
    if path.exists():
        with path.open("rb") as file:
            head = file.read(_HEAD)
            if not any(title in head for title in _TITLES):
                raise OutputError(
                    f"{path} exists, and pointmask did not write it; move it away, or change --out"
                )


@contextmanager
def stops_cleanly(out: Path) -> Iterator[None]:
    """
    Turn what no later image can survive into one message that says how to go on.

    Raises
    ------
    BrokenOffError
        If memory runs out, or the system refuses to read or write.
    """
    try:
        yield
    except (PointmaskError, MemoryError, OSError) as error:
        if isinstance(error, PointmaskError) and not isinstance(error, BrokenOffError | WriteError):
            raise
        cause = "memory ran out; use fewer --threads" if isinstance(error, MemoryError) else str(error)
        raise BrokenOffError(
            f"the job broke off: {cause}. What is finished is kept in {out}; remove the cause, "
            "then run the same command again (without --overwrite) to go on"
        ) from error


def write_theta(out: Path, theta: Theta, tag: str, *, overwrite: bool) -> None:
    """
    Write the parameters of a job, or check that they are those which are there.

    Parameters
    ----------
    out : Path
        Output folder.
    theta : Theta
        Of the job.
    tag : str
        Of the shard; see `pointmask.io.files.staged`.
    overwrite : bool
        Replace those of another job.

    Raises
    ------
    OutputError
        If others are there, or a file that holds none, or they cannot be written.
    """
    path = out / THETA
    if path.exists():
        try:
            earlier = Theta.load(path)
        except ThetaError as error:
            raise OutputError(f"{path} is no theta file ({error}); move it away or change --out") from None
        if earlier == theta:
            return
        if not overwrite:
            raise OutputError(
                f"{path} (digest {earlier.digest}) differs from the theta of this job (digest "
                f"{theta.digest}); to redo everything, add --overwrite; to keep it, choose another --out"
            )
    write_whole(path, theta.to_toml(), tag)


def check_timings(out: Path) -> None:
    """Raise OutputError if ``timings.jsonl`` is a link, or another file than ours of that name."""
    path = out / TIMINGS
    check_plain(path)
    if path.exists():
        with path.open("rb") as file:
            head = file.read(len(_BEGINNING)).rstrip(b"\0")  # a power failure leaves them
        if not _BEGINNING.startswith(head):
            raise OutputError(f"{path} is of somebody else; move it away, or change --out")


@contextmanager
def clock(out: Path, *, keep: bool) -> Iterator[Clock]:
    """
    Give a function that notes the milliseconds per target of one frame in ``timings.jsonl``.

    Parameters
    ----------
    out : Path
        Output folder.
    keep : bool
        False: the function notes nothing.
    """
    if not keep:
        yield lambda entry, seconds: None
        return
    check_timings(out)
    cut_half_line(out / TIMINGS)
    with (out / TIMINGS).open("a", encoding="ascii") as file:

        def note(entry: Entry, seconds: float) -> None:
            if entry["status"] == "done" and entry["targets"]:
                ms = round(1e3 * seconds / len(entry["targets"]), 4)
                line = {"image": entry["image"], "frame": entry["frame"], "ms_per_target": ms}
                file.write(json.dumps(line) + "\n")

        yield note

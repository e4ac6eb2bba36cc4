"""What other commands need to know of a folder in which people click: its journal, and masks made by hand.

The journal itself is read by `pointmask.click.journal`; here, its lines are looked at only as far as needed.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pointmask.advice import command, unused
from pointmask.errors import OutputError
from pointmask.io.layout import CLICKS, MANIFEST, RESULTS
from pointmask.io.lines import end_of_lines, whole_lines
from pointmask.io.notes import note
from pointmask.settings import parse_json

_BLOCK = 1 << 16
_LONGEST_LINE = 1 << 20  # bytes, as the journal has it
_BY_HAND = re.compile(
    rb'"size_prior": "hand"|"made": "(?:hand|predicted)"|"verdict": "|"level": [\d.]|"ring": -?[1-3]'
)


def ahead(out: Path) -> str:
    """Return what is said of a folder whose journal `is_ahead`."""
    return (
        f"edits in {CLICKS} are newer than the masks and the manifest, and are left out; bring them up to "
        f"date with: {publishing(out)}"
    )


def publishing(out: Path) -> str:
    """Return the command that brings masks and manifest up to the journal."""
    return command("click", last_images(out) or "IMAGES", "--publish", "--out", out)


def is_ahead(out: Path) -> bool:
    """Say whether a folder's journal holds edits that its manifest does not."""
    path = out / CLICKS
    if not path.is_file():
        return False
    published: int | None = None
    for line in _lines_from_the_end(path):
        op, seq, upto = _brief(line)
        if op == "published":
            published = upto if published is None else published
        elif op not in ("", "open"):
            return published is None or seq > published
    return False


def _brief(line: bytes) -> tuple[str, int, int]:
    """Return op, seq and upto of a line; of one that is torn or not ours an empty op: click tells of it."""
    try:
        fields = parse_json(line)
        return str(fields["op"]), int(fields["seq"]), int(fields.get("upto", 0))
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", 0, 0


def last_theta(out: Path) -> str | None:
    """
    Return the parameters of the annotator with which people clicked last.

    Parameters
    ----------
    out : Path
        Output folder; it need not exist.

    Returns
    -------
    str or None
        TOML text; None if nobody clicked.
    """
    text = _last_opening(out).get("theta_text")
    return text if isinstance(text, str) else None


def last_images(out: Path) -> Path | None:
    """Return the images on which people clicked last, as they were given; None if they are not there."""
    given = _last_opening(out).get("images")
    if not isinstance(given, str) or not given or "\0" in given:
        return None
    return Path(given) if Path(given).exists() else None


def _last_opening(out: Path) -> dict[str, Any]:
    """Return what the journal says of the last session; empty if nobody clicked."""
    path = out / CLICKS
    if path.is_symlink() or not path.is_file():
        return {}
    for line in _lines_from_the_end(path):
        if b'"op": "open"' in line and _brief(line)[0] == "open":
            fields = parse_json(line)
            return fields if isinstance(fields, dict) else {}
    return {}


def damage(out: Path) -> str | None:
    """
    Say where a folder's journal is damaged; what a kill left at its end is no damage.

    Returns
    -------
    str or None
        File, line and what is wrong; None if every line follows the one before.
    """
    with (out / CLICKS).open("rb") as file:
        end = end_of_lines(file)
        file.seek(0)
        number = 0
        while file.tell() < end:
            number += 1
            op, seq, _ = _brief(file.readline(_LONGEST_LINE))
            if not op or seq != number:
                what = f"its seq is {seq}, and {number} is due" if op else "it is no line of pointmask"
                return f"{out / CLICKS}, line {number}: {what}"
    return None


def output_of(path: Path) -> Path:
    """Return the output folder that a folder of masks belongs to, else the path itself."""
    return path.parent if path.name == RESULTS["mask"] and (path.parent / MANIFEST).is_file() else path


def note_if_ahead(path: Path) -> None:
    """
    Note that the journal of a folder is ahead of its manifest; see `pointmask.io.notes.note`.

    Parameters
    ----------
    path : Path
        Output folder, or its folder of masks.
    """
    out = output_of(path)
    if is_ahead(out):
        note(ahead(out))


def notes_of_masks(path: Path) -> list[str]:
    """
    Say what whoever quotes figures of a folder's masks must know.

    Parameters
    ----------
    path : Path
        Output folder, or its folder of masks.

    Returns
    -------
    list of str
        Sentences without a full stop: that the journal is ahead, that masks were made by hand.
    """
    out = output_of(path)
    by_hand, frames = hand_made(out)
    said = [ahead(out)] if is_ahead(out) else []
    if by_hand:
        said.append(
            f"{by_hand:,} of {frames:,} frames of {out} hold masks that were drawn or changed by hand: "
            "figures from them are not those of points alone"
        )
    return said


def hand_made(path: Path) -> tuple[int, int]:
    """
    Count the frames of a folder whose masks do not come from points alone.

    Parameters
    ----------
    path : Path
        Output folder, or its folder of masks; one without a manifest holds none.

    Returns
    -------
    by_hand, frames : int
    """
    out = output_of(path)
    by_hand = frames = 0
    if (out / MANIFEST).is_file():
        with (out / MANIFEST).open("rb") as file:
            for _, line in whole_lines(file):
                frames += b'"status": "done"' in line
                by_hand += b'"size_prior": "hand"' in line
    return by_hand, frames


def check_not_judged(out: Path) -> None:
    """
    Refuse a folder in which people made or judged masks, which a job would replace.

    Raises
    ------
    OutputError
        If the journal or the manifest tells of such masks.
    """
    for name in (MANIFEST, CLICKS):
        if (out / name).is_file():
            with (out / name).open("rb") as file:
                if any(_BY_HAND.search(line) for _, line in whole_lines(file)):
                    raise OutputError(
                        f"{out} holds masks that people made or judged ({name}), which this job would "
                        f"replace; choose another --out, or go on with: "
                        f"{_reviewing(out)}"
                    )


def _reviewing(out: Path) -> str:
    return command("click", last_images(out) or "IMAGES", "--review", out, "--out", unused("reviewed"))


def _lines_from_the_end(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file, the last one first."""
    with path.open("rb") as file:
        start = file.seek(0, os.SEEK_END)
        rest = b""
        while start > 0:
            size = min(_BLOCK, start)
            start -= size
            file.seek(start)
            lines = (file.read(size) + rest).split(b"\n")
            rest = lines[0]
            yield from (line for line in reversed(lines[1:]) if line)
        if rest:
            yield rest

"""What lies where in an output folder, and in a training folder."""

from pathlib import Path

MANIFEST = "manifest.jsonl"
"""What became of each frame, a line per frame."""

MASKS = "masks.jsonl"
"""All masks of a job as run lengths, a line per frame."""

THETA = "theta.toml"
TIMINGS = "timings.jsonl"
REPORT = "report.html"
TRACKED = "points.jsonl"
"""Points with those that tracking carried to other frames."""

RESULTS = {"mask": "masks", "soft": "soft", "instance": "instances", "overlay": "overlays"}
"""What can be saved, and the folder of the output in which it lies."""

SEALS = ".documents.json"
"""Hashes of the documents as they were written."""

LISTED = ".pointmask-files.jsonl"
"""Names of the files that pointmask wrote below a folder, a line per file; see `pointmask.io.listed`."""

RUN_CONFIG = "config.toml"
"""Settings of a training, by which the folder of a run is known."""

RUN_SOURCE = "source.json"
"""Where the data of a training lie, beside its settings."""

RUN_TAG = "run"
"""Of a run's temporary files; see `pointmask.io.files`."""

PREDICTIONS, POINTS = "predictions.jsonl", "points.csv"
"""What a detector predicted, a line per frame, and the same as a table of points."""

IMAGES, TRUE_MASKS, ID_LISTS, POINT_LIST = "images", "masks", "img_idx", "points.csv"
"""What a training folder holds, as BasicIRSTD has it; the point list is ours."""

CLICKS = "clicks.jsonl"
"""Journal of the click page: every edit, a line per change."""

WHOLE = "whole"
"""Name of a job that is not shared out; parts of a job are called ``1-of-3``."""

REPLACED = ".replaced.jsonl"
"""Lines of an earlier job that ``--overwrite`` replaces: they name its files, but vouch for none of them."""

LOCKS = ".pointmask-*.lock"
"""Locks of the jobs at work in a folder; see `lock_name`."""


def lock_name(part: str) -> str:
    """Return the file that a job holds while it writes to an output folder."""
    return LOCKS.replace("*", part)


def journal_name(part: str) -> str:
    """Return the file to which a job notes what it has done, until it is over."""
    return ".journal.jsonl" if part == WHOLE else f".journal-{part}.jsonl"


def manifest_name(part: str) -> str:
    """Return the manifest that a job writes, before those of all parts become one."""
    return MANIFEST if part == WHOLE else f"manifest-{part}.jsonl"


def stem_of(name: str) -> str:
    """Relative path without its suffix: ``seq/a.png`` gives ``seq/a``."""
    return name[: name.rfind(".")]


def result_path(kind: str, name: str, frame: int, frames: int) -> str:
    """
    Return where a result lies, relative to the output folder.

    Parameters
    ----------
    kind : str
        A key of `RESULTS`.
    name : str
        Image path relative to the image folder.
    frame, frames : int
        0-based frame and the number of frames of the file; only files of several frames carry a number.
    """
    number = f"_{frame:04d}" if frames > 1 else ""
    return f"{RESULTS[kind]}/{stem_of(name)}{number}.png"


def is_inside(name: str) -> bool:
    """Say whether a relative name, read from a file of others, stays in the folder that it is relative to."""
    return name not in ("", ".") and name[0] != "/" and "\0" not in name and ".." not in name.split("/")


def is_tree(path: Path) -> bool:
    """Say whether a folder is for training or our output, which hold masks among other things."""
    return any((path / name).exists() for name in (MANIFEST, MASKS, ID_LISTS, "origin"))

"""What lies where in an output folder."""

from pathlib import Path

from pointmask.errors import OutputError

MANIFEST = "manifest.jsonl"
MASKS = "masks.jsonl"
"""All masks of a job as run lengths, a line per frame."""

RESULTS = {"mask": "masks", "soft": "soft", "instance": "instances", "overlay": "overlays"}
"""What can be saved, and the folder of the output in which it lies."""


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


def check_apart(images: Path, out: Path) -> None:
    """
    Refuse an output folder whose results would mix with the images.

    Raises
    ------
    OutputError
        If `out` is a file, is the image folder itself, or would put results into the image folder.
    """
    if out.exists() and not out.is_dir():
        raise OutputError(
            f"output {out} is a file; give a folder, for example: --out {out.with_suffix('')}-masks"
        )
    source, target = images.resolve(), out.resolve()
    if source == target:
        raise OutputError(
            f"output folder {out} is the image folder; results must not mix with images; "
            f"choose another, for example: --out {out.parent / (target.name + '-pointmask')}"
        )
    for folder in RESULTS.values():
        below = target / folder
        if source == below or below in source.parents:
            raise OutputError(
                f"images come from {images}, where this job would write its results; "
                f"choose another folder, for example: --out {out.parent / (target.name + '-pointmask')}"
            )


def is_tree(path: Path) -> bool:
    """Say whether a folder is for training or our output, which hold masks among other things."""
    return any((path / name).exists() for name in ("manifest.jsonl", "masks.jsonl", "img_idx", "origin"))

"""Start a click folder as a copy of a folder that is reviewed, which is read and left alone."""

from collections.abc import Iterator
from pathlib import Path

from pointmask.advice import command
from pointmask.errors import OutputError
from pointmask.io.clicks import is_ahead, publishing
from pointmask.io.files import clean_temporaries, copy_whole, flush
from pointmask.io.layout import MANIFEST, RESULTS, THETA

_TAG = "review"


def start_as_copy(reviewed: Path, out: Path) -> bool:
    """
    Copy entries and masks of a finished folder; the manifest comes last, and says that all is there.

    Parameters
    ----------
    reviewed : Path
        Output folder of `pointmask annotate` or of a click session.
    out : Path
        Existing folder.

    Returns
    -------
    bool
        False if `out` has a manifest already, or is the same folder: then nothing is copied.

    Raises
    ------
    OutputError
        If there is nothing to review, it holds edits that are not published, or a file cannot be written.
    """
    if not (reviewed / MANIFEST).is_file() and not is_ahead(reviewed):
        raise OutputError(
            f"{reviewed} has no {MANIFEST}; make one to review with: "
            f"{command('annotate', 'IMAGES', '--points', 'FILE', '--out', reviewed)}"
        )
    if (out / MANIFEST).exists() or reviewed.resolve() == out.resolve():
        return False
    if is_ahead(reviewed):
        raise OutputError(
            f"{reviewed} holds edits that its masks do not show yet; bring it up to date first: "
            f"{publishing(reviewed)}"
        )
    clean_temporaries(out, _TAG, [RESULTS["mask"], RESULTS["instance"]])
    for kind in ("mask", "instance"):
        for path in _pictures(reviewed / RESULTS[kind]):
            copied = out / path.relative_to(reviewed)
            if not copied.exists():  # a copy, no link: a program that saves in place would change both
                copy_whole(path, copied, _TAG, durable=False)
    if (reviewed / THETA).is_file():
        copy_whole(reviewed / THETA, out / THETA, _TAG)
    flush(out)
    copy_whole(reviewed / MANIFEST, out / MANIFEST, _TAG)
    return True


def _pictures(folder: Path) -> Iterator[Path]:
    return folder.rglob("*.png") if folder.is_dir() else iter(())

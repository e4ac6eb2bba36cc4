"""Start a click folder as a copy of a folder that is reviewed, which is read and left alone."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from pointmask.advice import command
from pointmask.errors import OutputError
from pointmask.io.clicks import is_ahead, publishing
from pointmask.io.files import clean_temporaries, flush, put_whole, staged, write_whole
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
            _copy(path, out / path.relative_to(reviewed))
    if (reviewed / THETA).is_file():
        write_whole(out / THETA, (reviewed / THETA).read_bytes(), _TAG)
    flush(out)
    with staged(out / MANIFEST, _TAG) as made:
        shutil.copyfile(reviewed / MANIFEST, made)
        put_whole(made, out / MANIFEST)
    return True


def _pictures(folder: Path) -> Iterator[Path]:
    return folder.rglob("*.png") if folder.is_dir() else iter(())


def _copy(path: Path, target: Path) -> None:
    """Copy a mask: were it linked, a program that saves in place would change both."""
    if target.exists():
        return
    with staged(target, _TAG) as made:
        shutil.copyfile(path, made)
        put_whole(made, target)

"""What a folder job writes for other programs, from its own output and after it: ``coco.json`` and its like.

Each is made anew whenever the job is run, and put in its place in one piece. What was changed since, by
hand or by a labelling tool, is never replaced without being asked: ``.documents.json`` keeps a seal of each.
"""

import json
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

from pointmask.errors import OutputError
from pointmask.io.files import clean_temporaries, put_whole, remove, staged, write_whole
from pointmask.io.formats.base import WriteOptions
from pointmask.io.formats.convert import write_as
from pointmask.io.formats.registry import saved_as
from pointmask.io.formats.tables.native import Native
from pointmask.io.images.source import ImageSource
from pointmask.io.layout import SEALS

_TAG = "documents"
_READ_AT_ONCE = 1 << 20


def check_documents(out: Path, kinds: Sequence[str]) -> None:
    """
    Refuse a job that would replace what somebody changed.

    Parameters
    ----------
    out : Path
        Output folder.
    kinds : sequence of str
        Keys of `pointmask.io.formats.registry.saved_as`.

    Raises
    ------
    OutputError
        If one of them is there and is not as it was written.
    """
    seals, names = _read_seals(out), saved_as(kinds)
    for kind in kinds:
        path = out / names[kind]
        if path.exists() and _seal(path) not in seals.get(kind, []):
            raise OutputError(
                f"{path} was changed since pointmask wrote it, or is not pointmask's; move it away, or "
                "replace it with --overwrite"
            )


def write_documents(
    out: Path, kinds: Sequence[str], source: ImageSource, *, overwrite: bool = False
) -> tuple[dict[str, Path], tuple[str, ...]]:
    """
    Write documents from a finished output folder.

    Parameters
    ----------
    out : Path
        Output folder with manifest and run lengths.
    kinds : sequence of str
        Keys of `pointmask.io.formats.registry.saved_as`.
    source : ImageSource
        The images of the job.
    overwrite : bool
        Replace them whatever they are.

    Returns
    -------
    paths : dict
        Where each lies. A kind is missing if no image was done, so that there is nothing to write.
    warnings : tuple of str
        What programs may do to what was written.

    Raises
    ------
    PointsError, ImageError
        If a format cannot hold an image.
    OutputError
        As `check_documents`, or if something cannot be written.
    """
    if not overwrite:
        check_documents(out, kinds)
    clean_temporaries(out, _TAG)
    paths: dict[str, Path] = {}
    warnings: list[str] = []
    names = saved_as(kinds)
    for kind in kinds:
        path = out / names[kind]
        for left in out.glob(f".{path.name}.*.tmp*"):  # what versions up to 0.1 left
            remove(left)
        with staged(path, _TAG) as made:
            tally = write_as(kind, Native().read_masks(out, {}), made, source, WriteOptions(name=path.name))
            if not tally.images:
                continue
            # Both seals hold until the new one lies there: a job may be killed at any moment.
            seals, new = _read_seals(out), _seal(made)
            _write_seals(out, seals | {kind: [*seals.get(kind, []), new]})
            put_whole(made, path)
            _write_seals(out, seals | {kind: [new]})
        paths[kind] = path
        warnings += [f"{path.name}: {warning}" for warning in tally.warnings()]
    return paths, tuple(warnings)


def _seal(path: Path) -> str:
    """Hash a file, or all names and contents below a folder; of links where they lead."""
    if not path.is_dir():
        return f"{_digest(path, ''):032x}"
    total = sum(
        _digest(file, file.relative_to(path).as_posix())
        for file in path.rglob("*")
        if file.is_symlink() or file.is_file()
    )
    return f"{total % (1 << 128):032x}"


def _digest(file: Path, name: str) -> int:
    digest = blake2b(name.encode("utf-8", "surrogateescape") + b"\0", digest_size=16)
    if file.is_symlink():
        digest.update(str(file.readlink()).encode("utf-8", "surrogateescape"))
    else:
        with file.open("rb") as handle:
            while piece := handle.read(_READ_AT_ONCE):
                digest.update(piece)
    return int.from_bytes(digest.digest(), "big")


def _read_seals(out: Path) -> dict[str, list[str]]:
    """Return the seals of what was written; none if the file is missing or not ours."""
    try:
        found = json.loads((out / SEALS).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write_seals(out: Path, seals: dict[str, list[str]]) -> None:
    write_whole(out / SEALS, json.dumps(seals, indent=1), _TAG)

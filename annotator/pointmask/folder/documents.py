"""Documents for other programs, such as ``coco.json``, written from the output of a finished folder job.

Each run of the job writes them again and replaces them atomically. A document that was changed since, by hand
or by a labelling tool, is never replaced unless requested: ``.documents.json`` stores a seal (hash) of each,
and which manifest it was made from. One that is not written again goes when the manifest becomes another.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

from pointmask.errors import OutputError
from pointmask.hashing import feed
from pointmask.io.files import clean_temporaries, put_whole, staged, write_whole
from pointmask.io.formats.base import DEFAULTS, WriteOptions
from pointmask.io.formats.convert import write_as
from pointmask.io.formats.registry import FORMATS, saved_as
from pointmask.io.formats.tables.native import Native
from pointmask.io.images.source import ImageSource
from pointmask.io.layout import MANIFEST, REPORT, SEALS
from pointmask.io.listed import OwnFiles, files_in, put_own, remove_listed
from pointmask.io.notes import note
from pointmask.io.own import check_plain
from pointmask.settings import parse_json

_TAG = "documents"
_MADE_FROM = "made from"  # beside the seals, which are called as formats are
_REPORT = "report"
_STALE = (
    "what an earlier job made of the masks was removed, since the manifest is another now; to have it again, "
    "ask for it again"
)
_CHANGED = (
    "what an earlier job made of the masks was changed by hand since, and stays, though the manifest is "
    "another now; to have it anew, move it away and ask for it again"
)


def check_documents(out: Path, kinds: Sequence[str], *, overwrite: bool) -> None:
    """
    Refuse a job that would replace modified documents, or files that are no documents of pointmask's.

    Parameters
    ----------
    out : Path
        Output folder.
    kinds : sequence of str
        Keys of `pointmask.io.formats.registry.saved_as`.
    overwrite : bool
        Whether documents that were modified may be replaced.

    Raises
    ------
    OutputError
        If one of them exists and differs from what was written and `overwrite` is not set, or none was ever
        written there.
    """
    seals, names, listed = _read_seals(out), saved_as(kinds), OwnFiles(out).names()
    for kind in kinds:
        path = out / names[kind]
        if path.is_symlink():
            check_plain(path)
        if not path.exists():
            continue
        if _seal(_ours(path, listed) or _files(path)) in seals.get(kind, []):
            continue
        if not seals.get(kind):
            raise OutputError(f"{path} exists, and pointmask did not write it; move it away, or change --out")
        if not overwrite:
            raise OutputError(
                f"{path} was changed since pointmask wrote it; move it away, or replace it with --overwrite"
            )


def check_heeded(options: WriteOptions, kinds: Sequence[str]) -> None:
    """
    Refuse options that no document has.

    Raises
    ------
    ValueError
        If one is set that none of the formats heeds.
    """
    having = {name for kind in kinds for name in FORMATS.load(kind).options}
    for name in ("test", "name"):
        if getattr(options, name) != getattr(DEFAULTS, name) and name not in having:
            able = [kind for kind in saved_as() if name in FORMATS.load(kind).options]
            raise ValueError(f"{name} is for training folders; add save {' or '.join(able)}, or leave it out")


def write_documents(
    out: Path,
    kinds: Sequence[str],
    source: ImageSource,
    *,
    options: WriteOptions = DEFAULTS,
    overwrite: bool = False,
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
    options : WriteOptions
        For training folders; a data set without a name is called as its folder.
    overwrite : bool
        Replace documents that were modified, too. Files that others put into one that is a folder stay.

    Returns
    -------
    paths : dict
        Path by kind. A kind is missing if no image was annotated.
    warnings : tuple of str
        What other programs may do to the documents.

    Raises
    ------
    PointsError, ImageError
        If a format cannot hold an image.
    OutputError
        As in `check_documents`, or if a document cannot be written.
    """
    check_documents(out, kinds, overwrite=overwrite)
    clean_temporaries(out, _TAG)
    paths: dict[str, Path] = {}
    warnings: list[str] = []
    names = saved_as(kinds)
    for kind in kinds:
        path = out / names[kind]
        with staged(path, _TAG) as temporary:
            named = replace(options, name=options.name or path.name)
            tally = write_as(kind, Native().read_masks(out, {}), temporary, source, named)
            if not tally.images:
                continue
            # Both seals are valid until the new file is in place: a job may be killed at any moment.
            seals, new = _read_seals(out), _seal(_files(temporary))
            _write_seals(out, seals | {kind: [*seals.get(kind, []), new]})
            if temporary.is_dir():
                is_all_ours = _seal(_files(path)) in seals.get(kind, [])
                put_own(temporary, path, out, drop=True, is_all_ours=is_all_ours)
            else:
                put_whole(temporary, path)
            _write_seals(out, seals | {kind: [new]})
        paths[kind] = path
        warnings += [f"{path.name}: {warning}" for warning in tally.warnings()]
    return paths, tuple(warnings)


def settle_documents(out: Path, made: Sequence[str], *, report: bool) -> None:
    """
    Note what was made from the present manifest, and remove what was made from another.

    Parameters
    ----------
    out : Path
        Output folder, whose manifest is complete.
    made : sequence of str
        Keys of the documents that were written now.
    report : bool
        Whether the report was written now.
    """
    seals = _read_seals(out)
    noted: object = seals.pop(_MADE_FROM, {})
    origins: dict[str, str] = dict(noted) if isinstance(noted, dict) else {}
    if not (origins or made or report):
        return  # nothing was ever made: the manifest need not be hashed
    places = {**saved_as(origins), _REPORT: REPORT}  # of these alone: others would be loaded for nothing
    now = f"{_digest(out / MANIFEST, ''):032x}"
    fresh = {*made, *([_REPORT] if report else [])}
    if report:
        seals[_REPORT] = [_seal(_files(out / REPORT))]
    for kind in sorted(origins.keys() - fresh):
        if origins[kind] == now or kind not in places or not (out / places[kind]).exists():
            continue
        path, listed = out / places[kind], OwnFiles(out)
        names = listed.names()
        ours = _ours(path, names)
        if path.is_symlink() or _seal(ours) not in seals.get(kind, []):
            note(_CHANGED, path.name)
            continue
        gone = {f"{path.name}/{name}" if name else path.name for name in ours}
        for name in gone:
            remove_listed(out, name)
        if gone & names:
            listed.keep(names - gone)
        note(_STALE, path.name)
        del seals[kind], origins[kind]
    kept = {**origins, **dict.fromkeys(fresh, now)}
    if kept != noted or report:
        _write_seals(out, {**seals, _MADE_FROM: kept})


def _files(path: Path) -> dict[str, Path]:
    """Return all files and links of a document by name: of a folder below it, of a file itself, called ""."""
    if path.is_dir():
        return {file.relative_to(path).as_posix(): file for file in files_in(path)}
    return {"": path} if path.exists() else {}


def _ours(path: Path, listed: Collection[str]) -> dict[str, Path]:
    """Return what is ours of a document's files: a file itself, and of a folder what is listed."""
    files = _files(path)
    return {name: file for name, file in files.items() if not name or f"{path.name}/{name}" in listed}


def _seal(files: dict[str, Path]) -> str:
    """Hash all names and contents; of links their target paths."""
    return f"{sum(_digest(file, name) for name, file in files.items()) % (1 << 128):032x}"


def _digest(file: Path, name: str) -> int:
    digest = blake2b(name.encode("utf-8", "surrogateescape") + b"\0", digest_size=16)
    if file.is_symlink():
        digest.update(str(file.readlink()).encode("utf-8", "surrogateescape"))
    else:
        with file.open("rb") as handle:
            feed(digest, handle)
    return int.from_bytes(digest.digest(), "big")


def _read_seals(out: Path) -> dict[str, list[str]]:
    """Return the stored seals; none if the file is missing or foreign."""
    try:
        seals = parse_json((out / SEALS).read_bytes())
    except (OSError, ValueError):
        return {}
    return seals if isinstance(seals, dict) else {}


def _write_seals(out: Path, seals: Mapping[str, object]) -> None:
    write_whole(out / SEALS, json.dumps(seals, indent=1), _TAG)

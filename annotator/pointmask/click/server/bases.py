"""What a session starts from: masks that are reviewed, points that are given."""

from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pointmask.advice import command
from pointmask.click.base.copy import start_as_copy
from pointmask.click.base.manifest import ManifestBase
from pointmask.click.base.paired import Warn, paired
from pointmask.click.base.seeds import Bases, SeedBase
from pointmask.click.contract.base import Base
from pointmask.click.frames.listing import Listing
from pointmask.click.publish.own import check_new
from pointmask.errors import OutputError
from pointmask.folder.records.manifest import Settings
from pointmask.io.layout import CLICKS, MANIFEST
from pointmask.io.own import check_plain


@contextmanager
def reviewed(
    out: Path, review: Path | None, images: Path, settings: Settings, *, read_only: bool
) -> Iterator[Base | None]:
    """
    Open the masks that a folder holds already; they are closed with the block.

    Parameters
    ----------
    out : Path
        Existing folder, held by the caller unless it is only read.
    review : Path, optional
        Folder to review. If it is another than `out`, `out` starts as its copy.
    images : Path
        As the user gave them, for messages.
    settings : Settings
        Of the session.
    read_only : bool
        Copy nothing, and read `review` where it is.

    Raises
    ------
    OutputError
        If there is nothing to review, or `out` holds masks of a job and was not named for review, or files
        that pointmask did not write where its own are to be.
    """
    place = out
    if not read_only:
        check_plain(out / MANIFEST)
    if not read_only and not (out / CLICKS).is_file() and not (out / MANIFEST).is_file():
        check_new(out, review)
    if review is not None and read_only:
        place = review
    elif review is not None:
        start_as_copy(review, out)
    if not (place / MANIFEST).is_file():
        yield None
        return
    if review is None and not (out / CLICKS).is_file():
        raise OutputError(
            f"{out} holds masks of another command; to review them: "
            f"{command('click', images, '--review', out, '--out', out)}, else choose another --out"
        )
    with closing(ManifestBase(place, settings)) as base:
        yield base


def seeded(path: Path, point_format: str | None, listing: Listing, settings: Settings, warn: Warn) -> Base:
    """
    Read points to start from, and pair them with the images.

    Parameters
    ----------
    path : Path
        In any format that `pointmask annotate` reads.
    point_format : str or None
        Its name, where it is not recognised.
    listing : Listing
        It is waited for, since names are paired with all images at once.
    settings : Settings
        Of the session, which makes the masks.
    warn : callable
        Takes a sentence about points that are left out.

    Raises
    ------
    PointsError
        If they cannot be read.
    """
    listing.wait()
    found = paired(path, listing.images, listing.names(), warn, point_format=point_format)
    return SeedBase(found.points, settings)


def joined(bases: Collection[Base | None]) -> Base | None:
    """Return several bases as one; the first that knows a frame tells of it."""
    there = [base for base in bases if base is not None]
    return Bases(there) if len(there) > 1 else next(iter(there), None)

"""From what a user asks for to a page that is ready: images listed, folder held, session open."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from pointmask.click.base.paired import Warn
from pointmask.click.base.proposals import read_proposals
from pointmask.click.frames.cache import Frames
from pointmask.click.frames.listing import Listing
from pointmask.click.server.bases import joined, reviewed, seeded
from pointmask.click.server.desk import Desk
from pointmask.click.session import limits
from pointmask.click.session.hold import hold_folder
from pointmask.click.session.session import Session
from pointmask.click.session.setup import Setup
from pointmask.errors import ImageError, OutputError
from pointmask.folder.records.shards import Shard
from pointmask.io.images.folder import FolderSource
from pointmask.io.images.open import open_source
from pointmask.io.images.source import ImageSource
from pointmask.io.layout import MANIFEST, MASKS, POINTS, RESULTS, THETA, TRACKED
from pointmask.io.own import check_output
from pointmask.io.points.lists import choose, read_ids
from pointmask.theta import Polarity, Theta

_WRITTEN = (MANIFEST, MASKS, POINTS, RESULTS["mask"], THETA, TRACKED)

_COMMON = b"common to all annotators"  # a hash of its own, so that no shard has more of these than another


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """
    What a user asks for.

    Attributes
    ----------
    images : Path
        Folder, archive, or one file of several frames.
    out : Path
        Output folder; made if it is missing.
    annotator : str
    theta : Theta
    polarity : {"bright", "dark", "auto"}
    labels : tuple of str
    raw : str or None
    radiometric : bool
        As in `pointmask.io.images.open.open_source`.
    id_list : Path or None
        Only the images of this list.
    review : Path or None
        Output folder of `pointmask annotate`, or of a click session, that is reviewed.
    points : Path or None
        Points to start from, in the format `point_format` if it is not recognised.
    proposals : Path or None
        Output of `pointmask predict` or `pointmask propose`, or points in any format, to be judged.
    shard : Shard
    overlap : float
        Per cent of the images that every shard shows.
    read_only : bool
    """

    images: Path
    out: Path
    annotator: str
    theta: Theta
    polarity: Polarity = "bright"
    labels: tuple[str, ...] = ()
    raw: str | None = None
    radiometric: bool = True
    id_list: Path | None = None
    review: Path | None = None
    points: Path | None = None
    point_format: str | None = None
    proposals: Path | None = None
    shard: Shard = field(default_factory=Shard)
    overlap: float = 0.0
    read_only: bool = False


@contextmanager
def opened(wish: Wish, warn: Warn) -> Iterator[Desk]:
    """
    Hold the output folder and open a session in it; both end with the block.

    Parameters
    ----------
    wish : Wish
    warn : callable
        Takes a sentence about what is dangerous, or was lost.

    Yields
    ------
    Desk
        Its listing runs in the background.

    Raises
    ------
    ImageError
        If there are no images to look at.
    LockedError
        If another process has the folder.
    OutputError
        If the folder cannot be used, or its journal is damaged.
    PointsError
        If the list of ids cannot be read, or names no image.
    """
    images, single = source_of(wish)
    check_output(wish.out, _WRITTEN, [images.root, wish.id_list, wish.points, wish.proposals])
    if wish.read_only and not wish.out.is_dir():
        raise OutputError(f"{wish.out} does not exist, and --read-only makes no folder; leave it out")
    frames = Frames(images)
    for label in wish.labels:
        limits.label(label)
    setup = setup_of(wish, images)
    settings = setup.settings
    listing = Listing(images, exclude=wish.out, keep=_kept(wish, images, single, warn))
    listing.start()
    try:
        with (
            nullcontext() if wish.read_only else hold_folder(wish.out, wish.annotator, warn),
            reviewed(wish.out, wish.review, wish.images, settings, read_only=wish.read_only) as masks,
            ExitStack() as stack,
        ):
            seeds = None
            if wish.points is not None:
                seeds = seeded(wish.points, wish.point_format, listing, settings, warn)
            proposals = None
            if wish.proposals is not None:
                listing.wait()
                proposals = read_proposals(wish.proposals, images, listing.names(), warn)
            base = joined([masks, seeds])
            session = stack.enter_context(closing(Session(setup, frames, base)))
            for sentence in _warnings(session):
                warn(sentence)
            yield Desk(listing, frames, session, proposals)
    finally:
        listing.stop()


def setup_of(wish: Wish, images: ImageSource) -> Setup:
    """Return what the session is started with."""
    return Setup(
        out=wish.out,
        annotator=wish.annotator,
        theta=wish.theta,
        polarity=wish.polarity,
        reading=str(images.reading),
        images=str(wish.images),
        labels=wish.labels,
        shard=f"{wish.shard.index}/{wish.shard.count}",
        read_only=wish.read_only,
    )


def source_of(wish: Wish) -> tuple[ImageSource, str | None]:
    """
    Return the images, and the name of the one file that was given instead of a folder, if it was.

    Raises
    ------
    ImageError
        If the path is missing, or is neither a folder nor an archive nor an image.
    """
    source = open_source(wish.images, raw=wish.raw, radiometric=wish.radiometric)
    if not isinstance(source, FolderSource) or not wish.images.is_file():
        return source, None
    if not source.reading.accepts(wish.images.name):
        raise ImageError(f"{wish.images} is no image that is read; give a folder, an archive or an image")
    return FolderSource(wish.images.parent, source.reading), wish.images.name


def default_out(images: Path) -> Path:
    """Return the output folder that lies beside the images."""
    resolved = images.resolve()
    stem = resolved.name if resolved.is_dir() else resolved.name.partition(".")[0]
    return resolved.with_name(f"{stem or 'images'}-clicks")


def is_shared(name: str, per_cent: float) -> bool:
    """Say whether an image is shown to every annotator, by a hash that is the same on every machine."""
    digest = blake2b(name.encode("utf-8", "surrogateescape"), digest_size=8, key=_COMMON).digest()
    return int.from_bytes(digest, "big") < per_cent / 100 * 2**64


def wait_for_images(listing: Listing, seconds: float, say: Callable[[str], None]) -> None:
    """
    Wait a moment, and say how far the listing is.

    Parameters
    ----------
    listing : Listing
        It runs.
    seconds : float
        To wait for its end; it goes on without being waited for.
    say : callable
        Takes a line of text.

    Raises
    ------
    ImageError
        If the source cannot be listed. That it holds no image is said, and shown on the page.
    """
    listing.wait(timeout=seconds)
    if listing.error is not None:
        raise ImageError(listing.error)
    if listing.complete and not listing.count:
        say(listing.images.why_no_image())
        return
    say(f"Images: {listing.count:,}" if listing.complete else f"Images: listing, {listing.count:,} so far")


def _warnings(session: Session) -> Iterator[str]:
    out = session.setup.out
    if os.name == "posix" and out.stat().st_mode & stat.S_IWOTH:
        yield f"{out} may be written by other users of this machine; take that right away: chmod o-w {out}"
    if session.cut:
        yield f"{session.cut} bytes of an edit that was never finished were cut off the end of the journal"


def _kept(wish: Wish, images: ImageSource, single: str | None, warn: Warn) -> Callable[[str], bool] | None:
    """Return the rule that says of a name whether its image is shown; None if all are."""
    rules: list[Callable[[str], bool]] = []
    if single is not None:
        rules.append(lambda name: name == single)
    if wish.id_list is not None:
        # Ids are matched with all names at once, so this waits for the whole list of files.
        choice = choose(read_ids(wish.id_list), images.names(exclude=wish.out), str(images.root))
        if choice.problems:
            example = next(iter(choice.problems.values()))
            warn(f"{len(choice.problems):,} ids of {wish.id_list} are left out; for example: {example}")
        rules.append(choice.names.__contains__)
    if wish.shard.count > 1:
        rules.append(lambda name: wish.shard.owns(name) or is_shared(name, wish.overlap))
    return (lambda name: all(rule(name) for rule in rules)) if rules else None

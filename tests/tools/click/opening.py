"""Open a click folder without a server: locked, with what it held before, and closed whatever happens."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from pointmask.click.base.copy import start_as_copy
from pointmask.click.base.manifest import ManifestBase
from pointmask.click.base.seeds import Bases, SeedBase
from pointmask.click.contract.base import Base
from pointmask.click.contract.source import FrameSource
from pointmask.click.journal.index import FrameKey
from pointmask.click.session.hold import hold_folder
from pointmask.click.session.session import Session
from pointmask.click.session.setup import Setup
from pointmask.io.layout import MANIFEST
from pointmask.io.points.points import Point


@contextmanager
def open_session(
    setup: Setup,
    frames: FrameSource,
    *,
    points: Mapping[FrameKey, tuple[Point, ...]] | None = None,
    review: Path | None = None,
) -> Iterator[Session]:
    """
    Open a session on an output folder.

    Parameters
    ----------
    setup : Setup
        Its folder is made if it is missing, unless the session only reads.
    frames : FrameSource
    points : Mapping, optional
        To start from, by frame; see `pointmask.io.points.by_frame.points_by_frame`.
    review : Path, optional
        Output folder to review; if it is not `setup.out`, that one starts as its copy.

    Raises
    ------
    LockedError
        If another process writes to the folder; it says who, where and since when.
    OutputError
        If the folder cannot be written to, or there is nothing to review.
    JournalError
        If the journal is damaged.
    """
    with ExitStack() as stack:
        reviewed = setup.out
        if not setup.read_only:
            stack.enter_context(hold_folder(setup.out, setup.annotator))
            if review is not None:
                start_as_copy(review, setup.out)
        elif review is not None and not (setup.out / MANIFEST).exists():
            reviewed = review
        bases: list[Base] = []
        if (reviewed / MANIFEST).exists():
            bases.append(stack.enter_context(closing(ManifestBase(reviewed, setup.settings))))
        if points:
            bases.append(SeedBase(points, setup.settings))
        base = Bases(bases) if bases else None
        yield stack.enter_context(closing(Session(setup, frames, base)))

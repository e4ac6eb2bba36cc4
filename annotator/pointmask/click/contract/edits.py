"""The forms of an edit: one gesture of a person, about one frame."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from pointmask.click.contract.targets import FrameState, Verdict
from pointmask.theta import Polarity

Run = tuple[int, int, int]
"""Row, first and last column of painted pixels."""


class Kept(Enum):
    """Stands for a field that an edit leaves as it is, where None is a value."""

    KEPT = "kept"


KEPT: Final = Kept.KEPT


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """
    What every edit says.

    Attributes
    ----------
    image : str
        Name of the image in its source.
    frame : int
        0-based frame of the file.
    edit : str
        Identifier chosen by the page, 1 to 64 characters. The same again is answered, and not done twice.
    base : int or None
        Revision of the frame that the person saw; None leaves it unchecked.
    gesture : str
        Edits in a row with the same non-empty name are one undo step.
    content : str
        Hash of the file that the person saw; empty leaves it unchecked.
    """

    image: str
    frame: int
    edit: str
    base: int | None = None
    gesture: str = ""
    content: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Add(Edit):
    """A click on the ground: a new target."""

    row: int
    col: int
    label: str | None = None
    polarity: Polarity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Set(Edit):
    """
    Change what is said about a target.

    Attributes
    ----------
    level : float, None or KEPT
        None returns to the annotator's own mask, also from painted pixels, and takes `ring` back with it.
    """

    target: int
    row: int | Kept = KEPT
    col: int | Kept = KEPT
    label: str | Kept | None = KEPT
    level: float | Kept | None = KEPT
    ring: int | Kept = KEPT
    polarity: Polarity | Kept | None = KEPT
    verdict: Verdict | Kept | None = KEPT


@dataclass(frozen=True, slots=True, kw_only=True)
class Paint(Edit):
    """Set and clear single pixels of a target, which is by hand from then on."""

    target: int
    put: tuple[Run, ...] = ()
    clear: tuple[Run, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Superpixel(Edit):
    """Add the superpixel at a place to a target's mask, or remove it."""

    target: int
    row: int
    col: int
    add: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop(Edit):
    """Remove a target."""

    target: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkFrame(Edit):
    """Record that a frame holds no target, or is unfinished, or take that back (``open``)."""

    state: FrameState


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept(Edit):
    """
    Make a proposal a target.

    Attributes
    ----------
    row, col : int
        The proposal's point.
    rle : str or None
        The detector's mask as compressed run lengths over the frame; None takes the annotator's.
    """

    row: int
    col: int
    label: str | None = None
    rle: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse(Edit):
    """Remember that a proposal is none."""

    row: int
    col: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UseNewFile(Edit):
    """Go on with an image file that changed since it was marked: points stay, masks are made anew."""


AnyEdit = Add | Set | Paint | Superpixel | Drop | MarkFrame | Accept | Refuse | UseNewFile

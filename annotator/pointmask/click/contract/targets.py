"""Targets and frames of a session, as everybody sees them."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from pointmask.folder.records.manifest import Settings
from pointmask.io.formats.encodings import rle
from pointmask.theta import Polarity

Made = Literal["click", "carried", "seeded", "predicted", "hand"]
Verdict = Literal["accepted", "changed", "unsure"]
FrameState = Literal["open", "empty", "unfinished"]
Box = tuple[int, int, int, int]

MADE: tuple[str, ...] = get_args(Made)
VERDICTS: tuple[str, ...] = get_args(Verdict)
FRAME_STATES: tuple[str, ...] = get_args(FrameState)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickTarget:
    """
    One target of a frame.

    Attributes
    ----------
    target : int
        Number within its frame, from 1; never given twice, and the order of creation.
    point : (row, col)
        The pixel that was clicked, 0-based.
    centre : (row, col)
        Where the annotator started from; see `pointmask.annotator.target.Target`.
    label : str or None
    made : {"click", "carried", "seeded", "predicted", "hand"}
        Where the mask comes from; ``hand`` as soon as a pixel was painted.
    level : float or None
        Level of the soft label instead of theta's own, in [0.02, 0.98].
    ring : int
        Pixels by which the mask was dilated (positive) or eroded, in [-3, 3].
    polarity : {"bright", "dark", "auto"} or None
        Of this target instead of the session's.
    box : (top, left, bottom, right)
        Of the mask, half-open.
    area : int
        Pixels of the mask.
    confidence : float or None
        Predicted IoU with a hand-drawn mask, in [0, 1]; none for a mask that is drawn by hand.
    flags : tuple of str
        Those of `pointmask.annotator.target.Target`, and those of tracking.
    rle : str
        The mask as COCO's compressed run lengths over the frame.
    verdict : {"accepted", "changed", "unsure"} or None
    who : str
        Annotator of the last edit.
    changed : int
        Time of the last edit, in milliseconds since 1970 (UTC).
    basis : Settings
        Theta, version, polarity and reading that the mask was made with.
    """

    target: int
    point: tuple[int, int]
    centre: tuple[int, int]
    label: str | None
    made: Made
    level: float | None
    ring: int
    polarity: Polarity | None
    box: Box
    area: int
    confidence: float | None
    flags: tuple[str, ...]
    rle: str
    verdict: Verdict | None
    who: str
    changed: int
    basis: Settings

    @property
    def is_point_only(self) -> bool:
        """Whether the mask comes from its point alone: not painted, no detector's, no level or ring."""
        return self.made not in ("hand", "predicted") and self.level is None and not self.ring

    def crop(self, shape: tuple[int, int]) -> tuple[int, int, NDArray[np.bool_]]:
        """
        Return the mask within its box.

        Parameters
        ----------
        shape : (H, W)
            Of the frame.

        Returns
        -------
        top, left : int
        pixels : (h, w) bool
        """
        top, left, bottom, right = self.box
        found = rle.decode(rle.unpack(self.rle), shape)
        if found is None:
            return top, left, np.zeros((bottom - top, right - left), np.bool_)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What lists tell of a target; attributes as in `ClickTarget`."""

    target: int
    confidence: float | None = None
    area: int = 0
    box: Box = (0, 0, 0, 0)
    flags: tuple[str, ...] = ()
    label: str | None = None
    verdict: Verdict | None = None
    changed: int = 0
    is_point_only: bool = True

    @property
    def is_unmade(self) -> bool:
        """Whether only the point is known: its mask is made when it is first shown."""
        return not self.area

    @classmethod
    def of(cls, target: ClickTarget) -> "Brief":
        """Return what lists tell of a target."""
        return cls(**{name: getattr(target, name) for name in cls.__slots__})


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickFrame:
    """
    A frame as it stands.

    Attributes
    ----------
    image : str
        Name of the image in its source.
    frame : int
        0-based frame of the file.
    revision : int
        Number of the last journal line about this frame; 0 if there is none.
    state : {"open", "empty", "unfinished"}
        ``empty`` is the recorded fact that it holds no target.
    state_by : str
        Annotator who said so last.
    content : str
        Hash of the file when it was marked; empty if nothing was recorded yet.
    shape : (H, W)
        (0, 0) if nothing was recorded yet.
    frames : int
        Frames of the file.
    raster : str or None
        Which picture of the file was read, if it holds several (``thermal``).
    targets : tuple of ClickTarget
        By number.
    refused : tuple of (row, col)
        Places of proposals that were refused.
    last : int
        Highest target number that was ever given in this frame.
    """

    image: str
    frame: int
    revision: int = 0
    state: FrameState = "open"
    state_by: str = ""
    content: str = ""
    shape: tuple[int, int] = (0, 0)
    frames: int = 1
    raster: str | None = None
    targets: tuple[ClickTarget, ...] = ()
    refused: tuple[tuple[int, int], ...] = ()
    last: int = 0

    def get(self, target: int) -> ClickTarget | None:
        """Return the target of this number."""
        return next((item for item in self.targets if item.target == target), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameChange:
    """
    What an edit did to a frame.

    Attributes
    ----------
    frame : ClickFrame
        After it.
    changed : tuple of ClickTarget
        New targets, and those of which anything differs, neighbours included.
    removed : tuple of int
        Numbers of targets that are gone.
    """

    frame: ClickFrame
    changed: tuple[ClickTarget, ...]
    removed: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """
    What became of a request.

    Attributes
    ----------
    seq : int
        Last line of the journal. All that is told here is in the file.
    durable : int
        Last line that the disk is known to hold.
    frames : tuple of FrameChange
        One per frame that the request concerned.
    words : tuple of str
        What was undone or redone, a phrase per step.
    """

    seq: int
    durable: int
    frames: tuple[FrameChange, ...]
    words: tuple[str, ...] = ()


def change_between(before: ClickFrame, after: ClickFrame) -> FrameChange:
    """Tell two states of a frame apart."""
    old = {target.target: target for target in before.targets}
    new = {target.target for target in after.targets}
    changed = tuple(
        target
        for target in after.targets
        if old.get(target.target) is not target and old.get(target.target) != target
    )
    return FrameChange(
        frame=after, changed=changed, removed=tuple(number for number in old if number not in new)
    )

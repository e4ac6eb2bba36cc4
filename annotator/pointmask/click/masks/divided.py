"""The masks of a frame's targets, shared pixels divided, whatever each of them was made from."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.annotator.crowd import crowds, divide_crowd
from pointmask.annotator.rivals import rivals
from pointmask.annotator.target import Target, box_of
from pointmask.click.contract.source import DecodedFrame
from pointmask.click.contract.targets import ClickTarget, Made
from pointmask.click.masks.undivided import MOST_CUT, Undivided, Wish, remember
from pointmask.folder.records.manifest import Settings
from pointmask.folder.records.mask_lines import run_lengths
from pointmask.io.formats.encodings import rle
from pointmask.theta import Polarity

TRACKED = frozenset({"carried", "crossing", "identity", "last", "refound"})
"""Flags that tracking gives."""


_MOST_CROWDS = 2_000


class Masks:
    """
    Makes the masks of frames.

    Parameters
    ----------
    makers : Undivided
    settings : Settings
        Of the session: what the masks that it makes are made with.
    polarity : {"bright", "dark", "auto"}
        Of targets that have none of their own.
    """

    def __init__(self, makers: Undivided, settings: Settings, polarity: Polarity) -> None:
        self._makers, self._settings, self._polarity = makers, settings, polarity
        # Whatever an edit does not change is the same object after it: crowds by the identity of their
        # members, run lengths by that of the result. Without it, a click among 300 targets took 110 ms,
        # now 5 (2026-11-30, a busy machine).
        self._crowds: OrderedDict[tuple[int, ...], tuple[list[Target], list[Target]]] = OrderedDict()
        self._told: OrderedDict[int, tuple[Target, ClickTarget]] = OrderedDict()

    def is_fixed(self, target: ClickTarget) -> bool:
        """Whether a mask stays as it is: painted, a detector's, or made with other settings than now."""
        return target.made in ("hand", "predicted") or target.basis != self._settings

    def may_renew(self, target: ClickTarget) -> bool:
        """Whether nobody has judged a mask or had a part in it, so that another theta may make it anew."""
        return target.verdict is None and target.is_point_only

    def renewed(self, targets: Sequence[ClickTarget]) -> list[ClickTarget]:
        """Return targets that say of each mask that may be made anew that it is of these settings."""
        return [
            replace(target, basis=self._settings) if self.may_renew(target) else target for target in targets
        ]

    def _alone(
        self, frame: DecodedFrame, number: int, target: ClickTarget, others: tuple[tuple[int, int], ...]
    ) -> Target:
        """Return the undivided mask of a target that is not fixed, beside other points."""
        polarity = target.polarity or self._polarity
        wish = Wish(target.point, polarity, target.level, target.ring, others)
        return self._makers.target(frame.pixels, (frame.content, number), wish)

    def divided(
        self, frame: DecodedFrame, number: int, targets: Sequence[ClickTarget]
    ) -> tuple[ClickTarget, ...]:
        """
        Return the targets with the masks that they have beside each other.

        Parameters
        ----------
        frame : DecodedFrame
        number : int
            Of the frame within its file.
        targets : sequence of ClickTarget
            In the order of their numbers.

        Returns
        -------
        tuple of ClickTarget
            A fixed mask wins all its pixels and stays as it is. The others divide the rest as
            `pointmask.annotate` does.
        """
        shape = (frame.pixels.shape[0], frame.pixels.shape[1])
        fixed = [target for target in targets if self.is_fixed(target)]
        free = [target for target in targets if not self.is_fixed(target)]
        near = rivals([target.point for target in targets], self._makers.theta)
        others = {target.target: points for target, points in zip(targets, near, strict=True)}
        made = [self._alone(frame, number, target, others[target.target]) for target in free]
        for other in fixed:
            made = [_without(target, other, shape) for target in made]
        told = {
            target.target: self._described(target, result, shape)
            for target, result in zip(free, self._shared(made), strict=True)
        }
        return tuple(told.get(target.target, target) for target in targets)

    def _shared(self, targets: list[Target]) -> list[Target]:
        """Divide shared pixels as `divide_shared` does, but only of crowds that are not known."""
        result = list(targets)
        for group in crowds(targets):
            members = [targets[k] for k in group]
            key = tuple(map(id, members))
            if key not in self._crowds:
                # The members are kept with it, so that no other object can have their identity.
                remember(self._crowds, key, (members, divide_crowd(members)), _MOST_CROWDS)
            self._crowds.move_to_end(key)
            for k, target in zip(group, self._crowds[key][1], strict=True):
                result[k] = target
        return result

    def _described(self, target: ClickTarget, result: Target, shape: tuple[int, int]) -> ClickTarget:
        """Put a result into its target; run lengths are made once."""
        known = self._told.get(id(result))
        if known is None or known[0] is not result:
            told = described(target, result, run_lengths(result, shape))
        elif known[1] is target:
            return target
        else:
            told = described(target, result, known[1].rle)
        remember(self._told, id(result), (result, told), MOST_CUT)
        return told


def described(target: ClickTarget, result: Target, text: str) -> ClickTarget:
    """Put what the annotator made, and its run lengths, into a target; flags that tracking gave stay."""
    kept = tuple(flag for flag in target.flags if flag in TRACKED)
    flags = tuple(dict.fromkeys((*result.flags, *kept)))
    confidence = round(float(result.confidence), 4)
    was = target.centre, target.box, target.area, target.confidence, target.flags, target.rle
    if was == (result.centre, result.box, result.area, confidence, flags, text):
        return target
    return replace(
        target,
        centre=result.centre,
        box=result.box,
        area=result.area,
        confidence=confidence,
        flags=flags,
        rle=text,
    )


def drawn(
    target: ClickTarget, top: int, left: int, pixels: NDArray[Any], shape: tuple[int, int]
) -> ClickTarget:
    """Put a mask that is not the annotator's into a target."""
    return replace(
        target,
        box=box_of(pixels, top, left),
        area=int(np.count_nonzero(pixels)),
        confidence=None,
        flags=tuple(flag for flag in target.flags if flag in TRACKED),
        rle=rle.pack(rle.encode(pixels, top, left, shape)),
    )


def without_tracking(target: ClickTarget) -> ClickTarget:
    """Make a carried target a given one."""
    if target.made != "carried" and not TRACKED.intersection(target.flags):
        return target
    made: Made = "click" if target.made == "carried" else target.made
    flags = tuple(flag for flag in target.flags if flag not in TRACKED)
    return replace(target, made=made, flags=flags)


def _without(target: Target, fixed: ClickTarget, shape: tuple[int, int]) -> Target:
    """Take the pixels of a fixed mask out of a free one."""
    a, b = target.box, fixed.box
    if not (a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]):
        return target
    top, left, pixels = fixed.crop(shape)
    mask = target.mask.copy()
    first, second = _common(target.window, (top, left, top + pixels.shape[0], left + pixels.shape[1]))
    mask[first] &= ~pixels[second]
    if np.array_equal(mask, target.mask):
        return target
    if not mask.any():
        mask[target.point[0] - target.window[0], target.point[1] - target.window[1]] = True
    flags = target.flags if "shared" in target.flags else (*target.flags, "shared")
    box = box_of(mask, *target.window[:2])
    return replace(target, mask=mask, area=int(mask.sum()), box=box, flags=flags)


def _common(
    a: tuple[int, int, int, int], b: tuple[int, int, int, int]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Slices of what two boxes have in common, in arrays over the one and over the other."""
    top, left, bottom, right = max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])
    bottom, right = max(top, bottom), max(left, right)
    first = slice(top - a[0], bottom - a[0]), slice(left - a[1], right - a[1])
    return first, (slice(top - b[0], bottom - b[0]), slice(left - b[1], right - b[1]))

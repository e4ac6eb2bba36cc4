"""One edit: what a frame is after it, and which target it is about."""

from collections.abc import Callable
from dataclasses import replace
from functools import singledispatchmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.annotator.single import superpixel_at
from pointmask.click.contract.edits import (
    KEPT,
    Accept,
    Add,
    Drop,
    Edit,
    MarkFrame,
    Paint,
    Refuse,
    Set,
    Superpixel,
    UseNewFile,
)
from pointmask.click.contract.errors import InvalidError, NotFoundError
from pointmask.click.contract.source import DecodedFrame
from pointmask.click.contract.targets import ClickFrame, ClickTarget, Made
from pointmask.click.masks.divided import Masks, drawn, without_tracking
from pointmask.click.session import limits
from pointmask.click.session.pixels import cropped, full, painted, yielding
from pointmask.folder.records.manifest import Settings
from pointmask.io.formats.encodings import rle
from pointmask.theta import Polarity, Theta

Decode = Callable[[], DecodedFrame]
Handled = tuple[ClickFrame, int | None]
"""The frame after an edit, and the number of the target that it is about."""


class Handler:
    """
    Does edits on frames; writes nothing.

    Parameters
    ----------
    masks : Masks
    theta : Theta
    polarity : {"bright", "dark", "auto"}
        Of the session.
    basis : Settings
        Of the session.
    who : str
        Annotator.
    """

    def __init__(self, masks: Masks, theta: Theta, polarity: Polarity, basis: Settings, who: str) -> None:
        self._masks, self._theta, self._polarity = masks, theta, polarity
        self._basis, self._who = basis, who

    @singledispatchmethod
    def do(self, edit: Edit, frame: ClickFrame, decode: Decode, now: int) -> Handled:
        """
        Return a frame after an edit.

        Parameters
        ----------
        edit : one of `pointmask.click.contract.edits`
        frame : ClickFrame
            Before it.
        decode : callable
            Returns the frame's pixels; called only by edits that need them.
        now : int
            Milliseconds since 1970.

        Raises
        ------
        InvalidError
            If a field is out of range.
        NotFoundError
            If the target is not there.
        """
        raise InvalidError(f"{type(edit).__name__} is no edit")

    @do.register
    def _(self, edit: Add, frame: ClickFrame, decode: Decode, now: int) -> Handled:
        decoded = decode()
        target = self._new(frame, decoded, (edit.row, edit.col), edit.label, "click", now)
        target = replace(target, polarity=limits.polarity(edit.polarity))
        return self._settled(frame, decoded, [*frame.targets, target], target.target)

    @do.register
    def _(self, edit: Accept, frame: ClickFrame, decode: Decode, now: int) -> Handled:
        decoded = decode()
        point = edit.row, edit.col
        if edit.rle is None:
            target = self._new(frame, decoded, point, edit.label, "click", now)
        else:
            target = self._new(frame, decoded, point, edit.label, "predicted", now)
            shape = _shape(decoded)
            try:
                found = rle.decode(rle.unpack(edit.rle), shape)
            except ValueError as error:
                raise InvalidError(f"the proposal's mask cannot be read: {error}") from None
            if found is None:
                raise InvalidError("the proposal's mask is empty; take the annotator's")
            target = drawn(target, *found, shape)
        return self._settled(frame, decoded, [*frame.targets, target], target.target)

    @do.register
    def _(self, edit: Set, frame: ClickFrame, decode: Decode, now: int) -> Handled:
        old = _target(frame, edit.target)
        new = replace(old, who=self._who, changed=now)
        if edit.label is not KEPT:
            new = replace(new, label=limits.label(edit.label))
        moved = self._moved(edit, frame, new, decode)
        shaped = self._shaped(edit, moved)
        remade = (shaped.made, shaped.level, shaped.ring, shaped.polarity) != (
            old.made,
            old.level,
            old.ring,
            old.polarity,
        ) or (shaped.point != old.point and shaped.made != "hand")
        if remade or shaped.point != old.point:
            shaped = replace(shaped, verdict=_after_change(old))
        if edit.verdict is not KEPT:
            verdict = limits.verdict(edit.verdict)
            stays = verdict == "accepted" and shaped.verdict == "changed"
            shaped = replace(shaped, verdict="changed" if stays else verdict)
        if shaped == new and (new.label, new.verdict) == (old.label, old.verdict):
            return frame, edit.target
        targets = [shaped if other.target == edit.target else other for other in frame.targets]
        if not remade:
            if shaped.point != old.point:
                targets = _given(targets)
            return replace(frame, targets=tuple(targets)), edit.target
        return self._settled(frame, decode(), targets, edit.target)

    @do.register
    def _(self, edit: Drop, frame: ClickFrame, decode: Decode, now: int) -> Handled:
        _target(frame, edit.target)
        targets = [other for other in frame.targets if other.target != edit.target]
        # A neighbour that gave pixels away, and only such a one, may get some back.
        if any("shared" in other.flags for other in targets):
            return self._settled(frame, decode(), targets, edit.target)
        return replace(frame, targets=tuple(_given(targets))), edit.target

    @do.register
    def _(self, edit: Paint, frame: ClickFrame, decode: Decode, now: int) -> Handled:
        decoded = decode()
        old = _target(frame, edit.target)
        mask = full(old, _shape(decoded))
        for run in edit.put:
            mask[painted(run, mask.shape)] = True
        for run in edit.clear:
            mask[painted(run, mask.shape)] = False
        return self._painted(frame, decoded, old, mask, now)

    @do.register
    def _(self, edit: Superpixel, frame: ClickFrame, decode: Decode, now: int) -> Handled:
        decoded = decode()
        old = _target(frame, edit.target)
        point = limits.place(edit.row, edit.col, _shape(decoded))
        top, left, pixels = superpixel_at(
            decoded.pixels, point, theta=self._theta, polarity=old.polarity or self._polarity
        )
        mask = full(old, _shape(decoded))
        part = mask[top : top + pixels.shape[0], left : left + pixels.shape[1]]
        part[pixels] = edit.add
        return self._painted(frame, decoded, old, mask, now)

    @do.register
    def _(self, edit: MarkFrame, frame: ClickFrame, decode: Decode, now: int) -> Handled:
        state = limits.state(edit.state)
        if state == "empty" and frame.targets:
            raise InvalidError(
                f"{frame.image} holds {len(frame.targets)} targets, so it is not empty; remove them first"
            )
        if state == frame.state:
            return frame, None
        return _on(replace(frame, state=state), decode()), None

    @do.register
    def _(self, edit: Refuse, frame: ClickFrame, decode: Decode, now: int) -> Handled:
        place = limits.place(edit.row, edit.col, _shape(decode()))
        if place in frame.refused:
            return frame, None
        return replace(frame, refused=(*frame.refused, place)), None

    @do.register
    def _(self, edit: UseNewFile, frame: ClickFrame, decode: Decode, now: int) -> Handled:
        decoded = decode()
        shape = _shape(decoded)
        for target in frame.targets:
            limits.place(*target.point, shape)
        drawn_ones = [target.target for target in frame.targets if self._masks.is_fixed(target)]
        if drawn_ones and shape != frame.shape:
            raise InvalidError(
                f"the new file has {shape[0]} rows and {shape[1]} columns, and the mask of target "
                f"{drawn_ones[0]} was drawn in {frame.shape[0]} and {frame.shape[1]}; remove it first"
            )
        divided = self._masks.divided(decoded, frame.frame, frame.targets)
        return _on(replace(frame, targets=divided), decoded), None

    def _new(
        self,
        frame: ClickFrame,
        decoded: DecodedFrame,
        point: tuple[int, int],
        label: str | None,
        made: Made,
        now: int,
    ) -> ClickTarget:
        """Return a target that has no mask yet."""
        point = limits.place(*point, _shape(decoded))
        limits.free(frame, point)
        return ClickTarget(
            target=frame.last + 1,
            point=point,
            centre=point,
            label=limits.label(label),
            made=made,
            level=None,
            ring=0,
            polarity=None,
            box=(point[0], point[1], point[0] + 1, point[1] + 1),
            area=0,
            confidence=None,
            flags=(),
            rle="",
            verdict=None,
            who=self._who,
            changed=now,
            basis=self._basis,
        )

    def _moved(self, edit: Set, frame: ClickFrame, new: ClickTarget, decode: Decode) -> ClickTarget:
        if edit.row is KEPT and edit.col is KEPT:
            return new
        row = new.point[0] if edit.row is KEPT else edit.row
        col = new.point[1] if edit.col is KEPT else edit.col
        point = limits.place(row, col, _shape(decode()))
        if point == new.point:
            return new
        limits.free(frame, point)
        moved = replace(new, point=point)
        return moved if new.made == "hand" else self._ours(moved)

    def _shaped(self, edit: Set, new: ClickTarget) -> ClickTarget:
        """Apply level, ring and polarity."""
        if edit.level is None and (new.made in ("hand", "predicted") or new.level is not None or new.ring):
            new = self._ours(replace(new, level=None, ring=0))
        wishes: dict[str, Any] = {}
        if edit.level is not KEPT and edit.level is not None:
            wishes["level"] = limits.level(edit.level)
        if edit.ring is not KEPT:
            wishes["ring"] = limits.ring(edit.ring)
        if edit.polarity is not KEPT:
            wishes["polarity"] = limits.polarity(edit.polarity)
        wishes = {name: value for name, value in wishes.items() if getattr(new, name) != value}
        if not wishes:
            return new
        if new.made == "hand":
            raise InvalidError(
                f"target {new.target} is painted by hand, so it has no {' or '.join(wishes)}; "
                "return to the annotator's mask first"
            )
        return self._ours(replace(new, **wishes))

    def _ours(self, target: ClickTarget) -> ClickTarget:
        """Say that a target's mask is to be made anew, by the annotator of this session."""
        made = "click" if target.made in ("hand", "predicted") else target.made
        return replace(target, made=made, basis=self._basis)

    def _painted(
        self, frame: ClickFrame, decoded: DecodedFrame, old: ClickTarget, mask: NDArray[np.bool_], now: int
    ) -> Handled:
        """Put a painted mask in the place of a target's, and take its pixels from other painted ones."""
        shape = _shape(decoded)
        if not mask.any():
            raise InvalidError(
                f"target {old.target} would be left without a pixel; remove it instead (Delete)"
            )
        new = replace(
            old,
            made="hand",
            level=None,
            ring=0,
            verdict=_after_change(old),
            who=self._who,
            changed=now,
            basis=self._basis,
        )
        new = drawn(new, *cropped(mask), shape)
        if new.made == old.made and new.rle == old.rle:
            return frame, old.target
        targets = []
        for other in frame.targets:
            if other.target == old.target:
                targets.append(new)
            elif self._masks.is_fixed(other):
                targets.append(yielding(other, mask, shape))
            else:
                targets.append(other)
        return self._settled(frame, decoded, targets, old.target)

    def _settled(
        self, frame: ClickFrame, decoded: DecodedFrame, targets: list[ClickTarget], main: int
    ) -> Handled:
        """Divide the pixels anew; a neighbour whose pixels changed is no longer accepted."""
        old = {target.target: target for target in frame.targets}
        divided = self._masks.divided(decoded, frame.frame, _given(targets))
        checked = []
        for target in divided:
            before = old.get(target.target)
            if (
                before is not None
                and target.target != main
                and before.rle != target.rle
                and target.verdict == "accepted"
            ):
                target = replace(target, verdict=None)
            checked.append(target)
        state = "open" if frame.state == "empty" and checked else frame.state
        last = max(frame.last, *(target.target for target in checked), 0)
        after = replace(frame, targets=tuple(checked), state=state, last=last)
        return _on(after, decoded), main


def _given(targets: list[ClickTarget]) -> list[ClickTarget]:
    """Make carried points given ones: a frame in which a person changed anything is complete."""
    return [without_tracking(target) for target in targets]


def _on(frame: ClickFrame, decoded: DecodedFrame) -> ClickFrame:
    return replace(
        frame,
        content=decoded.content,
        shape=_shape(decoded),
        frames=decoded.frames,
        raster=decoded.raster,
    )


def _after_change(target: ClickTarget) -> Any:  # noqa: ANN401 - a literal
    """Verdict of a target whose mask a person changed: ``changed`` if there was anything to judge."""
    judged = target.verdict is not None or target.made in ("seeded", "carried", "predicted")
    return "changed" if judged else None


def _target(frame: ClickFrame, number: int) -> ClickTarget:
    found = frame.get(number)
    if found is None:
        raise NotFoundError(
            f"{frame.image}, frame {frame.frame}, has no target {number}; it may have been removed since"
        )
    return found


def _shape(decoded: DecodedFrame) -> tuple[int, int]:
    return decoded.pixels.shape[0], decoded.pixels.shape[1]

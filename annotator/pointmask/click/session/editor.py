"""Edits, undo and redo on a store: worked out on frames, then written in one go."""

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from pointmask.click.contract.base import Base
from pointmask.click.contract.edits import AnyEdit, UseNewFile
from pointmask.click.contract.errors import ConflictError, GoneError, InvalidError
from pointmask.click.contract.source import DecodedFrame, FrameSource
from pointmask.click.contract.targets import Answer, ClickFrame, FrameChange, change_between
from pointmask.click.journal.index import FrameKey
from pointmask.click.masks.divided import Masks
from pointmask.click.session import limits
from pointmask.click.session.compose import edit_lines, target_lines
from pointmask.click.session.handle import Handler
from pointmask.click.session.history import do_again, take_back
from pointmask.click.session.store import Body, Store
from pointmask.io.formats.encodings.rle import MOST_PIXELS


class Editor:
    """
    Does edits; not for several threads at once.

    Parameters
    ----------
    store : Store
    source : FrameSource
    masks : Masks
    handler : Handler
    base : Base, optional
    """

    def __init__(
        self, store: Store, source: FrameSource, masks: Masks, handler: Handler, base: Base | None
    ) -> None:
        self._store, self._source, self._base = store, source, base
        self._masks, self._handler = masks, handler

    def load(self, key: FrameKey) -> DecodedFrame:
        """Return the pixels of a frame; raise GoneError if they are not those that were marked."""
        decoded = self._read(key)
        known = self._store.get(key).content
        if known and decoded.content != known:
            raise GoneError(
                f"{key[0]} is not the file that was marked (its content changed); put the old file back, or "
                "use the new one"
            )
        return decoded

    def _read(self, key: FrameKey) -> DecodedFrame:
        """Return the pixels of the file as it is now; raise InvalidError if no mask of it could be kept."""
        decoded = self._source.load(*key)
        height, width = decoded.pixels.shape[:2]
        if height * width > MOST_PIXELS:
            raise InvalidError(
                f"{key[0]} has {height:,} x {width:,} pixels, and masks of at most {MOST_PIXELS:,} are kept; "
                "divide the image"
            )
        return decoded

    def seeded(self, key: FrameKey) -> ClickFrame:
        """Return a frame, and make its masks if points alone are known of it."""
        frame = self._store.get(key)
        if all(target.rle for target in frame.targets):
            return frame
        decoded = self.load(key)
        shape = decoded.pixels.shape[0], decoded.pixels.shape[1]
        if self._base is not None:
            frame = self._base.frame(key, shape) or frame
        frame = replace(
            frame,
            targets=self._masks.divided(decoded, key[1], frame.targets),
            content=decoded.content,
            shape=shape,
            frames=decoded.frames,
            raster=decoded.raster,
        )
        self._store.keep(frame)
        return frame

    def adopt(self, keys: Sequence[FrameKey]) -> None:
        """Put what the folder held before into the journal, unless lines tell of the frame already."""
        for key in keys:
            frame = self.seeded(key)
            if frame.revision:
                continue
            if frame.targets:
                self._store.write([({"edit": ""}, target_lines(frame, self._store.basis))])
            elif frame.state == "empty" and not frame.content:  # as a list of points says
                self._store.write([({"edit": ""}, self._empty_lines(frame))])

    def _empty_lines(self, frame: ClickFrame) -> list[Body]:
        """Return the line that a frame holds no target, with the facts about its file."""
        key = frame.image, frame.frame
        decoded = self.load(key)
        after = replace(
            frame,
            content=decoded.content,
            shape=(decoded.pixels.shape[0], decoded.pixels.shape[1]),
            frames=decoded.frames,
            raster=decoded.raster,
        )
        before = ClickFrame(image=frame.image, frame=frame.frame)
        return [*edit_lines(before, after, self._store.basis, None)]

    def remake(self, key: FrameKey) -> ClickFrame:
        """Make the masks of a frame that nobody has judged with the present theta; not a step to undo."""
        frame = self.seeded(key)
        targets = self._masks.renewed(frame.targets)
        if targets == list(frame.targets):
            return frame
        after = replace(frame, targets=self._masks.divided(self.load(key), key[1], targets))
        basis = self._store.basis
        adopted = [] if frame.revision else target_lines(frame, basis)
        lines = edit_lines(frame, after, basis, None)
        self._store.write([({"edit": ""}, part) for part in (adopted, lines) if part])
        return self._store.get(key)

    def put_carried(
        self, edit: str, start: ClickFrame, carried: Sequence[tuple[ClickFrame, ClickFrame]]
    ) -> Answer:
        """Write carried targets; see `pointmask.click.session.session.Session.put_carried`."""
        limits.name(edit, "edit identifier")
        for before in (start, *(pair[0] for pair in carried)):
            now = self._store.get((before.image, before.frame))
            if now.revision != before.revision:
                raise ConflictError(
                    f"{now.image}, frame {now.frame}, was edited while its targets were tracked; track again",
                    now,
                )
        basis = self._store.basis
        lines: list[Body] = [
            line for before, after in carried for line in edit_lines(before, after, basis, None)
        ]
        if lines:
            count = sum(len(after.targets) for _, after in carried)
            head = {"op": "track", "start": [start.image, start.frame], "targets": count}
            self._store.write([({"edit": edit}, [head, *lines, {"op": "end"}])])
        return self._answer(
            [change_between(before, self._store.get((before.image, before.frame))) for before, _ in carried]
        )

    def edit(self, edits: Sequence[AnyEdit]) -> Answer:
        """Do edits, all or none; see `pointmask.click.session.session.Session.edit`."""
        now = time.time_ns() // 1_000_000
        request = _Request()
        for edit in edits:
            limits.name(edit.edit, "edit identifier")
            known = self._store.index.known(edit.edit)
            if known is not None or edit.edit in request.done:
                request.repeated.update(known or ())
            else:
                self._add(request, edit, now)
        self._store.write(request.written)
        frames = [change_between(before, self._store.get(key)) for key, before in request.before.items()]
        again = sorted(request.repeated - request.before.keys())
        return self._answer([*frames, *(_as_it_stands(self._store.get(key)) for key in again)])

    def _add(self, request: "_Request", edit: AnyEdit, now: int) -> None:
        """Do one edit of a request, without writing it."""
        key = edit.image, edit.frame
        if key not in request.after:
            request.before[key] = request.after[key] = self.seeded(key)
        frame = request.after[key]
        # Before the request is written, all its edits of a frame know the same revision.
        if edit.base is not None and edit.base != frame.revision:
            raise ConflictError(
                f"{edit.image}, frame {edit.frame}, was changed meanwhile (revision {frame.revision}, not "
                f"{edit.base}); look at it, and edit again",
                frame,
            )
        after, main = self._handler.do(edit, frame, partial(self._seen, edit), now)
        lines: list[Body] = [*edit_lines(frame, after, self._store.basis, main)]
        if not lines:
            return
        if not frame.revision and frame is request.before[key] and frame.targets:
            request.written.append(({"edit": ""}, target_lines(frame, self._store.basis)))
        head = {"edit": edit.edit} | ({"gesture": edit.gesture} if edit.gesture else {})
        request.written.append((head, lines))
        request.done.add(edit.edit)
        request.after[key] = after

    def _seen(self, edit: AnyEdit) -> DecodedFrame:
        """Return the pixels for an edit; raise GoneError if they are not those that the person saw."""
        key = edit.image, edit.frame
        decoded = self._read(key) if isinstance(edit, UseNewFile) else self.load(key)
        if edit.content not in ("", decoded.content):
            raise GoneError(
                f"{edit.image} was written anew after it was opened; look at it again, and edit again"
            )
        return decoded

    def step(self, op: str, steps: int, edit: str) -> Answer:
        """Undo or redo; see `pointmask.click.session.session.Session.undo`."""
        if type(steps) is not int or not 1 <= steps <= 100:
            raise InvalidError(f"steps is {steps!r}; 1 to 100 can be taken at once")
        if edit:
            limits.name(edit, "edit identifier")
            known = self._store.index.known(edit)
            if known is not None:
                return self._answer([_as_it_stands(self._store.get(key)) for key in known])
        first: dict[FrameKey, ClickFrame] = {}
        words = []
        for _ in range(steps):
            index, who = self._store.index, self._store.who
            step = index.to_undo(who) if op == "undo" else index.to_redo(who)
            if step is None:
                break
            done = take_back(self._store, step) if op == "undo" else do_again(self._store, step)
            for before, _ in done.frames:
                first.setdefault((before.image, before.frame), before)
            self._store.write([({"edit": edit or f"{op}-{index.seq + 1}"}, done.lines)])
            words.append(done.words)
        frames = [change_between(before, self._store.get(key)) for key, before in first.items()]
        return self._answer(frames, words)

    def _answer(self, frames: Sequence[FrameChange], words: Sequence[str] = ()) -> Answer:
        store = self._store
        return Answer(seq=store.index.seq, durable=store.durable, frames=tuple(frames), words=tuple(words))


def _as_it_stands(frame: ClickFrame) -> FrameChange:
    return FrameChange(frame=frame, changed=frame.targets, removed=())


class _Request:
    """Edits on the way: frames before and after, and what is to be written."""

    def __init__(self) -> None:
        self.before: dict[FrameKey, ClickFrame] = {}
        self.after: dict[FrameKey, ClickFrame] = {}
        self.repeated: set[FrameKey] = set()
        self.done: set[str] = set()
        self.written: list[tuple[Body, Sequence[Body]]] = []

"""Where listing, frames and session meet: the page speaks in numbers, they speak in names."""

import threading
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from pointmask.click.base.proposals import Proposals, run_lengths
from pointmask.click.contract.errors import GoneError, NotFoundError
from pointmask.click.contract.targets import Answer, ClickFrame
from pointmask.click.frames.cache import Frames
from pointmask.click.frames.flat import Flats
from pointmask.click.frames.listing import Folder, Listing
from pointmask.click.frames.reader import Frame
from pointmask.click.frames.statistics import Statistics, statistics
from pointmask.click.session.session import Session
from pointmask.errors import ImageError
from pointmask.io.images.kinds import may_hold_frames
from pointmask.io.points.names import ImageFrame

STATES = ("new", "seen", "marked", "empty", "unfinished", "unreadable", "changed")
"""What the page says of an image; its number is the byte that is kept."""

NEW, SEEN, MARKED, EMPTY, UNFINISHED, UNREADABLE, CHANGED = range(len(STATES))
_UNSURE = 0x10  # beside the state: a target of the image is marked as unsure

Filter = Literal["", "todo", "unsure", "problem"]
FILTERS: tuple[Filter, ...] = ("", "todo", "unsure", "problem")

_STATISTICS = 64  # of frames of late; some kB each


@dataclass(eq=False)
class Desk:
    """
    All that a running page works with.

    Attributes
    ----------
    listing : Listing
    frames : Frames
    session : Session
    proposals : Proposals, optional
    flats : Flats
    states : bytearray
        A byte per image: a place in `STATES`, and whether a target is unsure.
    """

    listing: Listing
    frames: Frames
    session: Session
    proposals: Proposals | None = None
    states: bytearray = field(default_factory=bytearray)
    flats: Flats = field(default_factory=Flats)
    _statistics: "OrderedDict[tuple[str, int, bool], Statistics]" = field(default_factory=OrderedDict)
    _shapes: dict[str, tuple[int, ...] | None] = field(default_factory=dict)
    _proposed: list[tuple[int, int]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def name(self, image: int) -> str:
        """
        Return the name of an image by its number.

        Raises
        ------
        NotFoundError
            If there is none.
        """
        name = self.listing.name(image)
        if name is None:
            raise NotFoundError(f"there is no image {image}; {self.listing.count:,} are listed")
        return name

    def folder(self, number: int) -> Folder:
        """
        Return a folder by its number.

        Raises
        ------
        NotFoundError
            If there is none.
        """
        if number >= len(self.listing.folders):
            raise NotFoundError(f"there is no folder {number}; {len(self.listing.folders):,} are listed")
        return self.listing.folders[number]

    def state(self, image: int) -> int:
        """Return the state of an image, and whether it is unsure, as `states` has them."""
        return self.states[image] if image < len(self.states) else NEW

    def load(self, image: str, frame: int) -> Frame:
        """
        Decode a frame, and remember whether its image can be read.

        Raises
        ------
        ImageError, NotFoundError, GoneError
            As `Frames.load`.
        """
        number = self.listing.number(image)
        try:
            decoded = self.frames.load(image, frame)
        except NotFoundError:
            raise
        except GoneError:
            self._put(number, CHANGED)
            raise
        except ImageError:
            self._put(number, UNREADABLE)
            raise
        if number is not None and self.state(number) in (NEW, UNREADABLE):
            self._put(number, SEEN)
        folder = image.rpartition("/")[0]
        with self._lock:
            if self._shapes.setdefault(folder, decoded.pixels.shape) != decoded.pixels.shape:
                self._shapes[folder] = None
        return decoded

    def statistics(self, frame: Frame) -> Statistics:
        """Return the distribution of a frame's values, computed once."""
        key = frame.content, frame.frame, frame.is_flat
        with self._lock:
            known = self._statistics.get(key)
        if known is None:
            known = statistics(frame.pixels)
            with self._lock:
                self._statistics[key] = known
                if len(self._statistics) > _STATISTICS:
                    self._statistics.popitem(last=False)
        return known

    def standing(self, image: str, frame: int) -> ClickFrame:
        """Return how a frame stands, and take note of it."""
        standing = self.session.frame(image, frame)
        self.note(standing)
        return standing

    def proposed(
        self, image: str, frame: int, number: int, theirs: bool
    ) -> tuple[dict[str, Any], int | None]:
        """
        Return what accepts a proposal, and the target that was made of it already.

        Parameters
        ----------
        image : str
        frame, number : int
        theirs : bool
            Whether the detector's mask is wanted.

        Raises
        ------
        NotFoundError
            If there is no such proposal, or no mask of the detector at it.
        """
        found = None if self.proposals is None else self.proposals.get(image, frame, number)
        if self.proposals is None or found is None:
            raise NotFoundError(f"{image}, frame {frame}, has no proposal {number}; reload the page")
        row, col = found.point
        fields = {"row": row, "col": col, "label": found.label, "rle": None}
        if theirs:
            decoded = self.load(image, frame)
            shape = decoded.pixels.shape[0], decoded.pixels.shape[1]
            crop = self.proposals.mask(image, frame, decoded.frames, shape, found.point)
            if crop is None:
                raise NotFoundError(f"{image}, frame {frame}: the detector has no mask at x {col}, y {row}")
            fields["rle"] = run_lengths(crop, shape)
        made = self.session.peek(image, frame).targets
        return fields, next((target.target for target in made if target.point == found.point), None)

    def noted(self, answer: Answer) -> Answer:
        """Take note of what was changed."""
        for change in answer.frames:
            self.note(change.frame)
        return answer

    def note(self, standing: ClickFrame) -> None:
        """Keep what a frame says of its image's state."""
        number = self.listing.number(standing.image)
        if standing.state != "open":
            state = EMPTY if standing.state == "empty" else UNFINISHED
        elif standing.targets:
            state = MARKED
        elif standing.frame or not standing.revision:
            return  # another frame of the file may be marked
        else:
            state = SEEN
        unsure = any(target.verdict == "unsure" for target in standing.targets)
        self._put(number, state | (_UNSURE if unsure else 0))

    def note_all(self) -> None:
        """Take note of all frames that are known already; the listing must be complete."""
        ours = self.session.marked()
        for (image, frame), briefs in self.session.briefs():
            number = self.listing.number(image)
            if number is not None and ((image, frame) in ours or not briefs):
                self.note(self.session.peek(image, frame))
            else:
                self._put(number, MARKED)

    def neighbours(self, image: int, frame: int) -> list[ImageFrame]:
        """Return the frames to read ahead: the next two and the previous one."""
        found: list[ImageFrame] = []
        for step, count in ((1, 2), (-1, 1)):
            at: tuple[int, int] | None = image, frame
            for _ in range(count):
                at = None if at is None else self.step(*at, step)
                if at is not None:
                    found.append((self.name(at[0]), at[1]))
        return found

    def step(self, image: int, frame: int, step: int) -> tuple[int, int] | None:
        """
        Return the frame after or before one.

        Parameters
        ----------
        image, frame : int
        step : {1, -1}

        Returns
        -------
        (int, int) or None
            Numbers of image and frame; None at the end. Frames of a file are counted when it was opened.
        """
        frames = self.frames.count(self.name(image)) or 1
        if 0 <= frame + step < frames:
            return image, frame + step
        other = self.listing.step(image, step)
        if other is None:
            return None
        return other, 0 if step > 0 else self._last_frame(other)

    def next_image(self, image: int, step: int, want: Literal["unmarked", "unsure"]) -> int | None:
        """Return the next image that nobody marked, or with an unsure target; None at the end."""
        at: int | None = self.listing.step(image, step)
        while at is not None:
            state = self.state(at)
            if (state & _UNSURE) if want == "unsure" else state & 0xF in (NEW, SEEN):
                return at
            at = self.listing.step(at, step)
        return None

    def next_proposed(self, image: int, frame: int, step: int) -> tuple[int, int] | None:
        """Return the next frame with a proposal that nobody has judged; None at the end."""
        if self.proposals is None:
            return None
        order = self._proposed_order(self.proposals)
        here = self.place(image), frame
        ahead = order[bisect_right(order, here) :] if step > 0 else order[: bisect_left(order, here)][::-1]
        for place, k in ahead:
            found = self.listing.at(place)
            if found is not None and self.proposals.of(self.session.peek(self.name(found), k)):
                return found, k
        return None

    def _proposed_order(self, proposals: Proposals) -> list[tuple[int, int]]:
        """Return places and frames with proposals, in the order in which one goes through the images."""
        if self._proposed:
            return self._proposed
        is_whole = self.listing.complete  # asked first: an image that is not listed yet has no number
        numbered = ((self.listing.number(name), k) for name, k in proposals.frames)
        order = sorted((self.place(one), k) for one, k in numbered if one is not None)
        if is_whole:
            self._proposed = order
        return order

    def counts(self, folder: Folder) -> dict[str, int]:
        """Return how many images lie in and below a folder, and how many of them are marked or to do."""
        end = self.listing.end(folder)
        states = np.frombuffer(bytes(self.states[folder.first : end]), np.uint8) & 0xF
        marked = int(np.isin(states, (MARKED, EMPTY)).sum())
        problem = int((states == UNREADABLE).sum())
        images = end - folder.first
        return {"images": images, "marked": marked, "todo": images - marked - problem}

    def window(self, folder: Folder, start: int, count: int, wanted: Filter) -> tuple[int, list[int]]:
        """
        Return images of a folder in natural order.

        Parameters
        ----------
        folder : Folder
        start, count : int
            Of those that are wanted.
        wanted : {"", "todo", "unsure", "problem"}

        Returns
        -------
        total : int
            How many are wanted.
        images : list of int
        """
        if not wanted:
            return folder.count, self.listing.window(folder, start, count)
        every = self.listing.window(folder, 0, folder.count)
        chosen = [image for image in every if _passes(self.state(image), wanted)]
        return len(chosen), chosen[start : start + count]

    def row(self, image: int) -> dict[str, Any]:
        """Return what a list of images shows of one."""
        name, state = self.name(image), self.state(image)
        frames = self.frames.count(name)
        if frames is None and not may_hold_frames(name):
            frames = 1
        row: dict[str, Any] = {"id": image, "name": name, "frames": frames, "state": STATES[state & 0xF]}
        if state & 0xF in (NEW, SEEN, UNREADABLE):
            return row | {"targets": 0, "confidence": None, "revision": 0}
        standing = self.session.peek(name, 0)
        known = [target.confidence for target in standing.targets if target.confidence is not None]
        least = min(known, default=None)
        return row | {"targets": len(standing.targets), "confidence": least, "revision": standing.revision}

    def place(self, image: int) -> int:
        """Return the place of an image among all, in the order in which one goes through them."""
        folder = self.listing.folder_of(image)
        assert folder is not None  # the image has a name
        return folder.first + folder.place(image - folder.first)

    def sequence(self, image: int, frame: Frame) -> dict[str, int] | None:
        """Return the place of a frame in its sequence; None if there is none, as far as is known."""
        if frame.frames > 1:
            return {"index": frame.frame, "length": frame.frames}
        folder = self.listing.folder_of(image)
        if folder is None or folder.count < 2 or self._shapes.get(folder.path[:-1]) is None:
            return None
        return {"index": folder.place(image - folder.first), "length": folder.count}

    def sequence_frames(self, image: int, start: int, count: int) -> tuple[list[tuple[int, int]], int]:
        """
        Return frames of the sequence that an image is of.

        Parameters
        ----------
        image : int
        start, count : int
            In the order of the sequence.

        Returns
        -------
        frames : list of (image, frame)
        length : int
            Of the whole sequence.
        """
        frames = self.frames.count(self.name(image)) or 1
        if frames > 1:
            return [(image, k) for k in range(start, min(start + count, frames))], frames
        folder = self.listing.folder_of(image)
        assert folder is not None  # the image has a name
        return [(k, 0) for k in self.listing.window(folder, start, count)], folder.count

    def siblings(self, image: int) -> list[str]:
        """Return the names of all images that lie in the folder of one, sorted."""
        folder = self.listing.folder_of(image)
        assert folder is not None  # the image has a name
        return [folder.name(k) for k in range(folder.count)]

    def state_counts(self) -> dict[str, int]:
        """Return how many images are in each of `STATES`."""
        counts = np.bincount(np.frombuffer(bytes(self.states), np.uint8) & 0xF, minlength=len(STATES))
        counts[NEW] += self.listing.count - len(self.states)
        return {name: int(count) for name, count in zip(STATES, counts, strict=True)}

    def place_in_folder(self, image: int) -> int:
        """Return the place of an image in the natural order of its folder."""
        folder = self.listing.folder_of(image)
        return 0 if folder is None else folder.place(image - folder.first)

    def folders(self, image: int) -> list[int]:
        """Return the numbers of the folders that an image lies in, the root first."""
        folder, above = self.listing.folder_of(image), []
        while folder is not None:
            above.append(folder.number)
            folder = None if folder.parent is None else self.listing.folders[folder.parent]
        return above[::-1]

    def _last_frame(self, image: int) -> int:
        name = self.name(image)
        frames = self.frames.count(name)
        if frames is None and may_hold_frames(name):
            with suppress(ImageError):  # told when it is opened
                frames = self.frames.images.frame_count(name)
        return (frames or 1) - 1

    def _put(self, image: int | None, state: int) -> None:
        if image is None:
            return
        if image >= len(self.states):
            self.states.extend(bytes(self.listing.count - len(self.states)))
        self.states[image] = state


def _passes(state: int, wanted: Filter) -> bool:
    if wanted == "unsure":
        return bool(state & _UNSURE)
    return state & 0xF in ((NEW, SEEN, UNFINISHED) if wanted == "todo" else (UNREADABLE, CHANGED))

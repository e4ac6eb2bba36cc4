"""Targets in the order in which they are looked at, fixed when it is asked for."""

import random
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from pointmask.click.contract.errors import InvalidError
from pointmask.click.contract.targets import Brief
from pointmask.click.journal.index import FrameKey
from pointmask.click.session.session import Session

Order = Literal["confidence", "area", "flags", "random"]
State = Literal["todo", "done", "unsure", "any"]
ORDERS: tuple[str, ...] = get_args(Order)
STATES: tuple[str, ...] = get_args(State)

MARKS = frozenset({"crossing", "identity", "refound", "last"})
"""Flags of tracking, which are looked at before doubtful masks."""

_UNKNOWN = 2.0  # stands for the confidence of a mask that has none, behind all others
_MOST_ROWS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """
    Which targets, in which order.

    Attributes
    ----------
    order : {"confidence", "area", "flags", "random"}
        Rising; ``flags`` puts targets with marks of tracking first, then those with other flags.
    flag, label, folder : str
        Only targets with that flag, that label, or in that folder or below; empty takes all.
    low, high : float
        Range of confidence; masks by hand have none and count as 1.
    state : {"todo", "done", "unsure", "any"}
        Without a verdict, with one, marked as unsure, or all.
    seed : int
        Of the random order.
    """

    order: Order = "confidence"
    flag: str = ""
    label: str = ""
    folder: str = ""
    low: float = 0.0
    high: float = 1.0
    state: State = "todo"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            raise InvalidError(f"order {self.order!r} is unknown; choose {', '.join(ORDERS)}")
        if self.state not in STATES:
            raise InvalidError(f"state {self.state!r} is unknown; choose {', '.join(STATES)}")


class Row(NamedTuple):
    """
    A target of the queue.

    Attributes
    ----------
    key : (str, int)
        Image and frame.
    brief : Brief
        As it stands; as it was, if it was removed since.
    gone : bool
        Whether it was removed since the queue was made.
    """

    key: FrameKey
    brief: Brief
    gone: bool


@dataclass(eq=False)
class ReviewQueue:
    """
    Targets in order; positions stay when targets are edited, so that none jumps.

    Not for several threads at once.

    Parameters
    ----------
    session : Session
    choice : Choice

    Attributes
    ----------
    done : int
        Targets of the queue with a verdict, or removed, since it was made or before.
    """

    session: Session
    choice: Choice = field(default_factory=Choice)

    def __post_init__(self) -> None:
        self._frames: list[FrameKey] = []
        self._flags: list[str] = []
        frames, numbers, confidences, ranks = array("L"), array("L"), array("f"), array("f")
        self._seq = self.session.seq
        for key, briefs in self.session.briefs():
            chosen = [brief for brief in briefs if self._takes(key, brief)]
            if chosen:
                self._frames.append(key)
            for brief in chosen:
                frames.append(len(self._frames) - 1)
                numbers.append(brief.target)
                confidences.append(_UNKNOWN if brief.confidence is None else brief.confidence)
                ranks.append(_rank(self.choice.order, brief))
        order = self._sorted(frames, numbers, np.frombuffer(ranks, np.float32))
        self._frame_of = np.frombuffer(frames, f"u{frames.itemsize}")[order].astype(np.uint32)
        self._target_of = np.frombuffer(numbers, f"u{numbers.itemsize}")[order].astype(np.uint32)
        self._confidence_of = np.frombuffer(confidences, np.float32)[order]

    def __len__(self) -> int:
        return len(self._frame_of)

    def rows(self, start: int, count: int) -> list[Row]:
        """
        Return part of the queue as it stands.

        Parameters
        ----------
        start : int
            First position, from 0.
        count : int
            At most 50.

        Raises
        ------
        InvalidError
            If they are out of range.
        """
        if start < 0 or not 1 <= count <= _MOST_ROWS:
            raise InvalidError(
                f"{count} rows from {start} cannot be given; ask for 1 to {_MOST_ROWS} from 0 on"
            )
        return [self._row(place) for place in range(start, min(start + count, len(self)))]

    def confidence(self, place: int) -> float | None:
        """Return the confidence that a target had when the queue was made."""
        value = float(self._confidence_of[place])
        return None if value == _UNKNOWN else value

    def _row(self, place: int) -> Row:
        key = self._frames[self._frame_of[place]]
        number = int(self._target_of[place])
        target = self.session.peek(*key).get(number)
        if target is not None:
            return Row(key, Brief.of(target), gone=False)
        return Row(key, Brief(target=number, confidence=self.confidence(place)), gone=True)

    def _takes(self, key: FrameKey, brief: Brief) -> bool:
        choice = self.choice
        states = {
            "any": True,
            "todo": brief.verdict is None,
            "done": brief.verdict is not None,
            "unsure": brief.verdict == "unsure",
        }
        sure = 1.0 if brief.confidence is None else brief.confidence
        return (
            states[choice.state]
            and (not choice.flag or choice.flag in brief.flags)
            and (not choice.label or choice.label == brief.label)
            and (not choice.folder or key[0].startswith(choice.folder.rstrip("/") + "/"))
            and choice.low <= sure <= choice.high
        )

    def _sorted(
        self, frames: Sequence[int], numbers: Sequence[int], ranks: NDArray[np.float32]
    ) -> NDArray[np.intp]:
        """Return the order; ties by name, frame and number."""
        if self.choice.order == "random":
            places = list(range(len(ranks)))
            random.Random(self.choice.seed).shuffle(places)
            return np.array(places, np.intp)
        by_name = sorted(range(len(self._frames)), key=self._frames.__getitem__)
        place_of = np.empty(len(self._frames), np.int64)
        place_of[by_name] = np.arange(len(self._frames))
        return np.lexsort((np.asarray(numbers), place_of[np.asarray(frames, np.intp)], ranks))


def _rank(order: str, brief: Brief) -> float:
    if order == "area":
        return float(brief.area)
    sure = _UNKNOWN if brief.confidence is None else brief.confidence
    if order == "flags":
        marked = bool(MARKS.intersection(brief.flags))
        return sure - (2 if marked else 1 if brief.flags else 0)
    # Marks of tracking come above doubtful masks.
    return sure - 2 if MARKS.intersection(brief.flags) else sure

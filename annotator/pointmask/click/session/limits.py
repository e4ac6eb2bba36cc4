"""What a value of an edit may be."""

import math
from typing import Any

from pointmask.click.contract.errors import InvalidError
from pointmask.click.contract.targets import FRAME_STATES, VERDICTS, ClickFrame, FrameState, Verdict
from pointmask.theta import Polarity

MOST_TARGETS = 10_000
"""Targets of a frame."""

LEVELS = (0.02, 0.98)
RINGS = (-3, 3)
LONGEST_LABEL = 200
LONGEST_NAME = 64
"""Characters of an annotator's name, and of an edit's identifier."""


def place(row: int, col: int, shape: tuple[int, int]) -> tuple[int, int]:
    """Return a pixel of a frame; raise InvalidError if it is none."""
    if type(row) is not int or type(col) is not int:
        raise InvalidError(f"row {row!r}, col {col!r} is no pixel; send two whole numbers, counted from 0")
    if not (0 <= row < shape[0] and 0 <= col < shape[1]):
        raise InvalidError(
            f"pixel (row {row}, col {col}) lies outside the frame of {shape[0]} rows and {shape[1]} columns"
        )
    return row, col


def free(frame: ClickFrame, point: tuple[int, int]) -> None:
    """Raise InvalidError if a target has this pixel as its point, or there are too many."""
    for target in frame.targets:
        if target.point == point:
            raise InvalidError(
                f"target {target.target} was clicked on this very pixel (row {point[0]}, col {point[1]}); "
                "click beside it"
            )
    if len(frame.targets) >= MOST_TARGETS:
        raise InvalidError(f"the frame holds {MOST_TARGETS:,} targets, which is the most that one can hold")


def label(value: Any) -> str | None:  # noqa: ANN401
    """Return a class name; raise InvalidError if it is none."""
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_LABEL or not value.isprintable():
        raise InvalidError(
            f"label {str(value)[:40]!r} cannot be stored; 1 to {LONGEST_LABEL} printable characters can"
        )
    return value


def level(value: Any) -> float:  # noqa: ANN401
    """Return a level; raise InvalidError if it is none."""
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not number or not LEVELS[0] <= value <= LEVELS[1]:
        raise InvalidError(f"level {value!r} is out of range; {LEVELS[0]} to {LEVELS[1]} can be set")
    return float(value)


def ring(value: Any) -> int:  # noqa: ANN401
    """Return a ring; raise InvalidError if it is none."""
    if type(value) is not int or not RINGS[0] <= value <= RINGS[1]:
        raise InvalidError(f"ring {value!r} is out of range; {RINGS[0]} to {RINGS[1]} px can be set")
    return value


def polarity(value: Any) -> Polarity | None:  # noqa: ANN401
    """Return a polarity or none; raise InvalidError if it is something else."""
    if value not in (None, "bright", "dark", "auto"):
        raise InvalidError(f"polarity {value!r} is unknown; choose bright, dark, auto or none")
    return value  # type: ignore[no-any-return]


def verdict(value: Any) -> Verdict | None:  # noqa: ANN401
    """Return a verdict or none; raise InvalidError if it is something else."""
    if value is not None and value not in VERDICTS:
        raise InvalidError(f"verdict {value!r} is unknown; choose {', '.join(VERDICTS)} or none")
    return value  # type: ignore[no-any-return]


def state(value: Any) -> FrameState:  # noqa: ANN401
    """Return the state of a frame; raise InvalidError if it is none."""
    if value not in FRAME_STATES:
        raise InvalidError(f"state {value!r} is unknown; choose {', '.join(FRAME_STATES)}")
    return value  # type: ignore[no-any-return]


def name(value: Any, what: str) -> str:  # noqa: ANN401
    """Return a short name; raise InvalidError if it is none."""
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_NAME or not value.isprintable():
        raise InvalidError(
            f"{what} {str(value)[:40]!r} cannot be stored; 1 to {LONGEST_NAME} printable characters can"
        )
    return value

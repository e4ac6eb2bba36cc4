"""The forms of a journal line: one JSON object, ASCII, at most 1 MiB, ended by a newline.

All lines have ``seq`` (1, 2, 3 without a gap), ``t`` (milliseconds since 1970), ``who``, ``edit`` and ``op``;
``more`` says that the next line belongs to the same edit, so that half an edit at the end of a file is known.
"""

import json
from collections.abc import Mapping
from typing import Any

from pointmask.click.contract.errors import InvalidError, JournalError
from pointmask.click.contract.targets import FRAME_STATES, MADE, VERDICTS, ClickTarget
from pointmask.folder.records.manifest import Settings
from pointmask.io.formats.encodings.rle import MOST_PIXELS
from pointmask.io.layout import is_inside

Line = dict[str, Any]

LONGEST = 1 << 20
"""Bytes of a line."""

OPS = frozenset(
    {
        "open",
        "add",
        "set",
        "drop",
        "shared",
        "frame",
        "refuse",
        "track",
        "end",
        "undo",
        "redo",
        "published",
    }
)
_ABOUT_FRAME = frozenset({"add", "set", "drop", "shared", "frame", "refuse", "undo", "redo"})
_POLARITIES = ("bright", "dark", "auto")
_MOST = 1 << 31
_END_OF_TIME = 253_402_300_800_000  # ms; no calendar of Python's goes on after the year 9999


def dump_line(line: Mapping[str, Any]) -> bytes:
    """
    Return a line as it is written.

    Raises
    ------
    InvalidError
        If it would be too long.
    """
    data = json.dumps(line, allow_nan=False).encode("ascii") + b"\n"
    if len(data) > LONGEST:
        raise InvalidError(
            f"this edit makes a journal line of {len(data):,} bytes; at most {LONGEST:,} are written: "
            "paint in smaller parts"
        )
    return data


def parse_line(data: bytes) -> Line:
    """
    Return the fields of a line.

    Raises
    ------
    JournalError
        If it is not one of pointmask's.
    """
    try:
        line = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise JournalError(f"it is not JSON ({error})") from None
    if not isinstance(line, dict):
        raise JournalError("it is no JSON object")
    if not isinstance(line.get("op"), str) or line["op"] not in OPS:
        raise JournalError(f"its op is {_brief(line.get('op'))}")
    for name, kind in (("seq", int), ("t", int), ("who", str)):
        if type(line.get(name)) is not kind:
            raise JournalError(f"its {name} is {_brief(line.get(name))}")
    if not 0 <= line["t"] < _END_OF_TIME:
        raise JournalError(f"its t is {_brief(line['t'])}")
    if not isinstance(line.get("edit", ""), str):
        raise JournalError(f"its edit is {_brief(line['edit'])}")
    if line["op"] in _ABOUT_FRAME and not (
        isinstance(line.get("image"), str) and type(line.get("frame")) is int and line["frame"] >= 0
    ):
        raise JournalError(f"it names no frame: {_brief(line.get('image'))}, {_brief(line.get('frame'))}")
    if "image" in line and not (isinstance(line["image"], str) and is_inside(line["image"])):
        raise JournalError(f"its image is {_brief(line['image'])}, which leads out of the folder of images")
    return line


def target_fields(target: ClickTarget, basis: Settings) -> dict[str, Any]:
    """
    Return all fields of a target.

    Parameters
    ----------
    target : ClickTarget
    basis : Settings
        Of the session; a target that was made with the same does not repeat it.
    """
    fields = _plain_fields(target, [name for name in _READERS if name != "basis"])
    if target.basis != basis:
        fields["basis"] = list(target.basis)
    return fields


def read_target(fields: object, basis: Settings) -> ClickTarget:
    """
    Return the target that `target_fields` wrote.

    Parameters
    ----------
    fields : object
        From JSON; further fields are ignored.
    basis : Settings
        Of the session that wrote the line.

    Raises
    ------
    JournalError
        If a field is missing or out of range.
    """
    values = read_fields(fields)
    missing = [name for name in _READERS if name not in values and name != "basis"]
    if missing:
        raise JournalError(f"a target lacks {missing[0]}")
    return ClickTarget(**{"basis": basis, **values})


def changed_fields(old: ClickTarget, new: ClickTarget) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the fields in which two states of a target differ: those of the new, and of the old one."""
    names = [name for name in _READERS if getattr(old, name) != getattr(new, name)]
    return _plain_fields(new, names), _plain_fields(old, names)


def read_fields(fields: object) -> dict[str, Any]:
    """
    Return those of a target's fields that a line holds, checked, by the names of `ClickTarget`.

    Raises
    ------
    JournalError
        If one is out of range.
    """
    if not isinstance(fields, dict):
        raise JournalError(f"a target is {_brief(fields)}")
    values: dict[str, Any] = {}
    for name, read in _READERS.items():
        written = _LINE_NAMES.get(name, name)
        if written in fields:
            try:
                values[name] = read(fields[written])
            except (TypeError, ValueError):
                raise JournalError(f"the {written} of a target is {_brief(fields[written])}") from None
    return values


def read_state(value: object) -> Any:  # noqa: ANN401 - one of three literals
    """Return the state of a frame; raise JournalError if it is none."""
    if value not in FRAME_STATES:
        raise JournalError(f"the state of a frame is {_brief(value)}")
    return value


def read_pair(value: object, what: str) -> tuple[int, int]:
    """Return two whole numbers, not negative; raise JournalError otherwise."""
    try:
        first, second = _whole(2)(value)
    except (TypeError, ValueError):
        raise JournalError(f"the {what} is {_brief(value)}") from None
    return first, second


def read_shape(value: object) -> tuple[int, int]:
    """Return rows and columns of a frame; raise JournalError if no mask of it could be decoded."""
    height, width = read_pair(value, "shape of a frame")
    if height * width > MOST_PIXELS:
        raise JournalError(
            f"the shape of a frame is {_brief(value)}; at most {MOST_PIXELS:,} pixels are read"
        )
    return height, width


def _whole(count: int) -> Any:  # noqa: ANN401 - a reader of tuples of that length
    def read(value: Any) -> tuple[int, ...]:  # noqa: ANN401
        if not isinstance(value, list) or len(value) != count:
            raise ValueError
        return tuple(_number(item) for item in value)

    return read


def _number(value: Any) -> int:  # noqa: ANN401
    if type(value) is not int or not 0 <= value < _MOST:
        raise ValueError
    return value


def _text(value: Any) -> str:  # noqa: ANN401
    if not isinstance(value, str):
        raise TypeError
    return value


def _share(value: Any) -> float:  # noqa: ANN401
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise ValueError
    return float(value)


def _or_none(read: Any) -> Any:  # noqa: ANN401
    return lambda value: None if value is None else read(value)


def _one_of(values: tuple[str, ...]) -> Any:  # noqa: ANN401
    def read(value: Any) -> str:  # noqa: ANN401
        if value not in values:
            raise ValueError
        return str(value)

    return read


def _ring(value: Any) -> int:  # noqa: ANN401
    if type(value) is not int or abs(value) > 3:
        raise ValueError
    return value


def _texts(value: Any) -> tuple[str, ...]:  # noqa: ANN401
    if not isinstance(value, list):
        raise TypeError
    return tuple(_text(item) for item in value)


def _basis(value: Any) -> Settings:  # noqa: ANN401
    theta, version, polarity, reading = _texts(value)
    return Settings(theta, version, polarity, reading)


_READERS: dict[str, Any] = {
    "target": _number,
    "point": _whole(2),
    "centre": _whole(2),
    "label": _or_none(_text),
    "made": _one_of(MADE),
    "level": _or_none(_share),
    "ring": _ring,
    "polarity": _or_none(_one_of(_POLARITIES)),
    "box": _whole(4),
    "area": _number,
    "confidence": _or_none(_share),
    "flags": _texts,
    "rle": _text,
    "verdict": _or_none(_one_of(VERDICTS)),
    "who": _text,
    "changed": lambda value: value if type(value) is int else int(None),  # type: ignore[call-overload]
    "basis": _basis,
}


_LINE_NAMES = {"who": "by"}
"""Names in a line that differ from `ClickTarget`'s: the line's own ``who`` is the annotator at work."""


def _plain_fields(target: ClickTarget, names: list[str]) -> dict[str, Any]:
    return {_LINE_NAMES.get(name, name): _plain(getattr(target, name)) for name in names}


def _plain(value: Any) -> Any:  # noqa: ANN401
    return list(value) if isinstance(value, tuple) else value


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."

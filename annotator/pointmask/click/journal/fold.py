"""A frame from its lines: each line applied in turn, or taken back."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pointmask.click.contract.errors import JournalError
from pointmask.click.contract.targets import ClickFrame, ClickTarget
from pointmask.click.journal.lines import (
    Line,
    read_fields,
    read_pair,
    read_shape,
    read_state,
    read_target,
)
from pointmask.folder.records.manifest import Settings


def applied(frame: ClickFrame, line: Line, basis: Settings) -> ClickFrame:
    """
    Return a frame after a line about it.

    Parameters
    ----------
    frame : ClickFrame
    line : dict
        From `parse_line`.
    basis : Settings
        Of the session that wrote the line.

    Raises
    ------
    JournalError
        If the line does not fit the frame: a target that is not there, or is there already.
    """
    op = line["op"]
    after = _facts(frame, line)
    if op == "add":
        target = read_target(line, basis)
        if frame.get(target.target) is not None:
            raise JournalError(f"target {target.target} is added again")
        after = _with(after, [target])
    elif op == "set":
        after = _with(after, [_changed(frame, line)])
    elif op == "drop":
        after = _without(after, [_number(frame, line)])
    elif op == "shared":
        after = _with(after, [_changed(frame, fields) for fields in _list(line, "targets")])
    elif op == "refuse":
        after = replace(after, refused=(*frame.refused, read_pair(line.get("point"), "place of a proposal")))
    elif op in ("undo", "redo"):
        after = _without(after, [number for number in _list(line, "gone") if frame.get(number) is not None])
        after = _with(after, [read_target(fields, basis) for fields in _list(line, "put")])
        if "refused" in line:
            places = tuple(read_pair(place, "place of a proposal") for place in _list(line, "refused"))
            after = replace(after, refused=places)
    return replace(after, revision=line["seq"])


def taken_back(frame: ClickFrame, line: Line, basis: Settings) -> ClickFrame:
    """Return a frame as it was before a line about it, but for its revision; see `applied`."""
    op = line["op"]
    before = frame
    was = line.get("was", {})
    if op == "add":
        before = _without(frame, [_number(frame, line)])
    elif op == "set":
        before = _with(frame, [_changed(frame, {"target": line.get("target"), **_mapping(was)})])
    elif op == "drop":
        before = _with(frame, [read_target(was, basis)])
    elif op == "shared":
        back = [
            {"target": fields.get("target"), **_mapping(fields.get("was"))}
            for fields in map(_mapping, _list(line, "targets"))
        ]
        before = _with(frame, [_changed(frame, fields) for fields in back])
    elif op == "frame":
        before = _facts(frame, {"op": "frame", **_mapping(was)})
    elif op == "refuse":
        place = read_pair(line.get("point"), "place of a proposal")
        before = replace(frame, refused=tuple(other for other in frame.refused if other != place))
    return before


def after_all(frame: ClickFrame, lines: Iterable[tuple[Line, Settings]]) -> ClickFrame:
    """Return a frame after lines, each with its basis."""
    for line, basis in lines:
        frame = applied(frame, line, basis)
    return frame


def before_all(frame: ClickFrame, lines: Iterable[tuple[Line, Settings]]) -> ClickFrame:
    """Return a frame before lines, each with its basis."""
    for line, basis in reversed(list(lines)):
        frame = taken_back(frame, line, basis)
    return frame


def same_marks(a: ClickFrame, b: ClickFrame) -> bool:
    """Whether two states of a frame hold the same targets and facts, at whatever revision."""
    return (a.targets, a.state, a.refused, a.content) == (b.targets, b.state, b.refused, b.content)


def _facts(frame: ClickFrame, line: Mapping[str, Any]) -> ClickFrame:
    """Take over what a line says about the frame itself."""
    new: dict[str, Any] = {}
    if "state" in line:
        new["state"], new["state_by"] = read_state(line["state"]), line.get("who", frame.state_by)
    if "content" in line:
        if not isinstance(line["content"], str):
            raise JournalError("the hash of a file is no text")
        new["content"] = line["content"]
    if "shape" in line:
        new["shape"] = read_shape(line["shape"])
    if "frames" in line:
        frames = line["frames"]
        if type(frames) is not int or frames < 1:
            raise JournalError(f"the file of a frame holds {frames!r} frames")
        new["frames"] = frames
    if "raster" in line:
        new["raster"] = line["raster"] if isinstance(line["raster"], str) else None
    return replace(frame, **new) if new else frame


def _changed(frame: ClickFrame, fields: object) -> ClickTarget:
    mapping = _mapping(fields)
    number = _number(frame, mapping)
    target = frame.get(number)
    if target is None:
        raise JournalError(f"there is no target {number} to change")
    return replace(target, **read_fields(mapping))


def _number(frame: ClickFrame, line: Mapping[str, Any]) -> int:
    number = line.get("target")
    if type(number) is not int or frame.get(number) is None:
        raise JournalError(f"there is no target {number!r} in {frame.image}, frame {frame.frame}")
    return number


def _with(frame: ClickFrame, targets: list[ClickTarget]) -> ClickFrame:
    """Put targets in their places."""
    by_number = {target.target: target for target in (*frame.targets, *targets)}
    ordered = tuple(by_number[number] for number in sorted(by_number))
    return replace(frame, targets=ordered, last=max(frame.last, *by_number, 0))


def _without(frame: ClickFrame, numbers: list[int]) -> ClickFrame:
    return replace(frame, targets=tuple(t for t in frame.targets if t.target not in numbers))


def _list(line: Mapping[str, Any], name: str) -> list[Any]:
    value = line.get(name, [])
    if not isinstance(value, list):
        raise JournalError(f"{name} is no list")
    return value


def _mapping(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise JournalError("a target is no object")
    return value

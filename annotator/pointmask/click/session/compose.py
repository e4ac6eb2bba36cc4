"""What an edit changed, as journal lines."""

from typing import Any

from pointmask.click.contract.targets import ClickFrame
from pointmask.click.journal.lines import changed_fields, target_fields
from pointmask.folder.records.manifest import Settings

_AT_ONCE = 500  # targets in a line, so that none comes near the longest


def place_fields(frame: ClickFrame) -> dict[str, Any]:
    """Return the fields that name a frame."""
    return {"image": frame.image, "frame": frame.frame}


def file_fields(frame: ClickFrame) -> dict[str, Any]:
    """Return the facts about a frame's file that publishing needs, so that it need not open it."""
    fields: dict[str, Any] = {"content": frame.content, "shape": list(frame.shape), "frames": frame.frames}
    return fields if frame.raster is None else {**fields, "raster": frame.raster}


def target_lines(frame: ClickFrame, basis: Settings) -> list[dict[str, Any]]:
    """Return the lines that put what a folder held before into the journal."""
    place = place_fields(frame)
    return [
        {"op": "add", **place, **file_fields(frame), **target_fields(target, basis)}
        for target in frame.targets
    ]


def edit_lines(
    before: ClickFrame, after: ClickFrame, basis: Settings, main: int | None
) -> list[dict[str, Any]]:
    """
    Return the lines that lead from one state of a frame to another.

    Parameters
    ----------
    before, after : ClickFrame
    basis : Settings
        Of the session.
    main : int or None
        Number of the target that the edit is about. All others that differ are neighbours, in ``shared``
        lines.
    """
    place = place_fields(after)
    lines: list[dict[str, Any]] = []
    if before.state != after.state or (before.content and before.content != after.content):
        was = {"state": before.state} | (file_fields(before) if before.content else {})
        lines.append({"op": "frame", **place, **file_fields(after), "state": after.state, "was": was})
    old = {target.target: target for target in before.targets}
    new = {target.target: target for target in after.targets}
    for number, target in new.items():
        if number not in old:
            fields = target_fields(target, basis)
            lines.append({"op": "add", **place, **file_fields(after), **fields})
    for number, target in old.items():
        if number not in new:
            full = target_fields(target, basis)
            lines.append({"op": "drop", **place, "target": number, "was": full})
    if main in old and main in new and old[main] != new[main]:
        fields, was = changed_fields(old[main], new[main])
        lines.append({"op": "set", **place, "target": main, **fields, "was": was})
    shared = []
    for number, target in new.items():
        if number != main and number in old and old[number] is not target and old[number] != target:
            fields, was = changed_fields(old[number], target)
            shared.append({"target": number, **fields, "was": was})
    parts = [shared[start : start + _AT_ONCE] for start in range(0, len(shared), _AT_ONCE)]
    lines += [{"op": "shared", **place, "targets": part} for part in parts]
    new_places = after.refused[len(before.refused) :]
    return [*lines, *({"op": "refuse", **place, "point": list(point)} for point in new_places)]


def return_lines(
    op: str, of: int, before: ClickFrame, after: ClickFrame, basis: Settings
) -> list[dict[str, Any]]:
    """Return the ``undo`` or ``redo`` lines that lead from one state of a frame to another, written out."""
    old = {target.target: target for target in before.targets}
    new = {target.target: target for target in after.targets}
    put = [
        target_fields(target, basis)
        for number, target in new.items()
        if old.get(number) is not target and old.get(number) != target
    ]
    head = {"op": op, "of": of, **place_fields(after)}
    facts: dict[str, Any] = {"gone": [number for number in old if number not in new]}
    if before.state != after.state:
        facts["state"] = after.state
    if before.content != after.content:
        facts |= file_fields(after)
    if before.refused != after.refused:
        facts["refused"] = [list(point) for point in after.refused]
    parts = [put[start : start + _AT_ONCE] for start in range(0, len(put), _AT_ONCE)] or [[]]
    return [{**head, **(facts if not k else {}), "put": part} for k, part in enumerate(parts)]

"""Edits as the page sends them, and as the session takes them: numbers of images become names."""

from collections.abc import Callable, Sequence
from typing import Any

from pointmask.click.contract.edits import (
    Accept,
    Add,
    AnyEdit,
    Drop,
    MarkFrame,
    Paint,
    Refuse,
    Run,
    Set,
    Superpixel,
    UseNewFile,
)
from pointmask.click.contract.targets import FRAME_STATES, VERDICTS
from pointmask.click.server.wire.fields import Fields, fields_of, wrong

MOST_AT_ONCE = 100
LARGEST_NUMBER = 10**9
SIDE = 2**24
"""No row or column is as large; where a frame ends is the session's to say."""

_POLARITIES = (None, "bright", "dark", "auto")
_MOST_RUNS = 20_000
LONGEST_NAME = 64
"""Characters of an edit's name."""

_LABEL = 200  # characters

Name = Callable[[int, str | None], str]
"""Gives the name of an image by its number, and by the name under which the page knows it."""

Proposed = Callable[[str, int, int, bool], tuple[dict[str, Any], int | None]]
"""
Gives the fields of an `Accept` for a proposal, and the target that was made of it already.

Takes image, frame, number, and whether the detector's mask is wanted.
"""


def edits_of(fields: Fields, name: Name, proposal: Proposed) -> list[AnyEdit]:
    """
    Read the edits of a request.

    Parameters
    ----------
    fields : Fields
        Of the body: ``edits``, 1 to 100 objects.
    name : callable
    proposal : callable

    Raises
    ------
    Refusal
        If one is malformed, or is about an image that is not there.
    """
    given = fields.take("edits")
    fields.done()
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_AT_ONCE:
        wrong(f"edits is not a list of 1 to {MOST_AT_ONCE} edits")
    read = (_edit(fields_of(value, f"edit {k + 1}"), name, proposal) for k, value in enumerate(given))
    return [edit for edits in read for edit in edits]


def _edit(fields: Fields, name: Name, proposal: Proposed) -> list[AnyEdit]:
    form = fields.one_of("op", (*_FORMS, "accept", "refuse"))
    base = fields.take("base", None)
    if base is not None and (type(base) is not int or not 0 <= base < LARGEST_NUMBER):
        wrong(f"base is {base!r}, not the revision of a frame")
    common: dict[str, Any] = {
        "image": name(fields.whole("image", 0, LARGEST_NUMBER), _known_name(fields)),
        "frame": fields.whole("frame", 0, LARGEST_NUMBER),
        "edit": fields.text("edit", LONGEST_NAME),
        "base": base,
        "gesture": fields.text("gesture", LONGEST_NAME, ""),
        "content": fields.text("content", LONGEST_NAME, ""),
    }
    if not common["edit"]:
        wrong("edit is empty; it names the edit, so that it is done once")
    if form not in ("accept", "refuse"):
        edits = [_FORMS[form](common, fields)]
    else:
        edits = _judged(form, common, fields, proposal)
    fields.done()
    return edits


def _judged(form: str, common: dict[str, Any], fields: Fields, proposal: Proposed) -> list[AnyEdit]:
    """Accept or refuse a proposal. The detector's mask takes the place of one that was made of it before."""
    number = fields.whole("proposal", 0, LARGEST_NUMBER)
    theirs = form == "accept" and fields.one_of("mask", ("ours", "theirs"), "ours") == "theirs"
    made, target = proposal(common["image"], common["frame"], number, theirs)
    if form == "refuse":
        return [Refuse(**common, row=made["row"], col=made["col"])]
    if target is None or not theirs:
        return [Accept(**common, **made)]
    step = {**common, "gesture": common["gesture"] or common["edit"]}
    return [
        Drop(**{**step, "edit": f"{common['edit']}-"[-LONGEST_NAME:]}, target=target),
        Accept(**step, **made),
    ]


def _add(common: dict[str, Any], fields: Fields) -> AnyEdit:
    label = _label(fields) if "label" in fields else None
    polarity = fields.one_of("polarity", _POLARITIES, None)
    row, col = _place(fields)
    return Add(**common, row=row, col=col, label=label, polarity=polarity)


def _set(common: dict[str, Any], fields: Fields) -> AnyEdit:
    given: dict[str, Any] = {}
    if "row" in fields or "col" in fields:
        given["row"], given["col"] = _place(fields)
    if "label" in fields:
        given["label"] = _label(fields)
    if "level" in fields:
        level = fields.take("level")
        given["level"] = None if level is None else _number(level, "level")
    if "ring" in fields:
        given["ring"] = fields.whole("ring", -100, 100)
    if "polarity" in fields:
        given["polarity"] = fields.one_of("polarity", _POLARITIES)
    if "verdict" in fields:
        given["verdict"] = fields.one_of("verdict", (None, *VERDICTS))
    target = _target(fields)
    if not given:
        wrong("set changes nothing; name row and col, label, level, ring, polarity or verdict")
    return Set(**common, target=target, **given)


def _paint(common: dict[str, Any], fields: Fields) -> AnyEdit:
    put, clear = _runs(fields, "set"), _runs(fields, "clear")
    return Paint(**common, target=_target(fields), put=put, clear=clear)


def _superpixel(common: dict[str, Any], fields: Fields) -> AnyEdit:
    row, col = _place(fields)
    add = fields.one_of("add", (True, False), True)
    return Superpixel(**common, target=_target(fields), row=row, col=col, add=add)


def _drop(common: dict[str, Any], fields: Fields) -> AnyEdit:
    return Drop(**common, target=_target(fields))


def _use_new_file(common: dict[str, Any], fields: Fields) -> AnyEdit:
    return UseNewFile(**common)


def _frame(common: dict[str, Any], fields: Fields) -> AnyEdit:
    return MarkFrame(**common, state=fields.one_of("state", FRAME_STATES))


_FORMS: dict[str, Callable[[dict[str, Any], Fields], AnyEdit]] = {
    "add": _add,
    "set": _set,
    "paint": _paint,
    "superpixel": _superpixel,
    "drop": _drop,
    "frame": _frame,
    "use_new_file": _use_new_file,
}


def _known_name(fields: Fields) -> str | None:
    name = fields.take("name", None)  # of a file: it may hold control characters
    if name is not None and not isinstance(name, str):
        wrong("name is not a text")
    return name


def _target(fields: Fields) -> int:
    return fields.whole("target", 1, LARGEST_NUMBER)


def _place(fields: Fields) -> tuple[int, int]:
    return fields.whole("row", -SIDE, SIDE), fields.whole("col", -SIDE, SIDE)


def _label(fields: Fields) -> str | None:
    label = fields.take("label")
    if label is None:
        return None
    return Fields({"label": label}, "the edit").text("label", _LABEL)


def _number(value: object, name: str) -> float:
    return Fields({name: value}, "the edit").number(name, -1.0, 2.0)


def _runs(fields: Fields, name: str) -> tuple[Run, ...]:
    given: Sequence[object] = fields.take(name, [])
    if not isinstance(given, list) or len(given) > _MOST_RUNS:
        wrong(f"{name} is not a list of at most {_MOST_RUNS:,} runs")
    for run in given:
        is_run = isinstance(run, list) and len(run) == 3
        if not is_run or not all(type(value) is int and 0 <= value < SIDE for value in run):
            wrong(f"{name} holds {str(run)[:60]}, which is not a row, a first and a last column")
    return tuple((run[0], run[1], run[2]) for run in given)

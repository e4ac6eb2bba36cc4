"""Undo and redo: a step is taken back from its own lines, and what its frames become is written out."""

from dataclasses import replace
from typing import Any, Literal, NamedTuple

from pointmask.click.contract.errors import ConflictError, JournalError
from pointmask.click.contract.targets import ClickFrame
from pointmask.click.journal.fold import after_all, before_all, same_marks
from pointmask.click.journal.index import FrameKey, Step
from pointmask.click.journal.lines import Line
from pointmask.click.session.compose import return_lines
from pointmask.click.session.store import Store
from pointmask.folder.records.manifest import Settings

_WORDS = {
    "add": "added",
    "set": "changed",
    "drop": "removed",
    "frame": "marked the frame",
    "refuse": "refused a proposal",
    "track": "tracked",
}


class Returned(NamedTuple):
    """
    A step that was undone or redone.

    Attributes
    ----------
    lines : list of dict
        To be written.
    frames : list of (ClickFrame, ClickFrame)
        Each frame that it concerns, before and after.
    words : str
        What the step had done.
    """

    lines: list[dict[str, Any]]
    frames: list[tuple[ClickFrame, ClickFrame]]
    words: str


def take_back(store: Store, step: Step) -> Returned:
    """
    Undo a step.

    Raises
    ------
    ConflictError
        If a frame is not as the step left it: another annotator, or another theta, changed it since.
    """
    return _return(store, step, "undo")


def do_again(store: Store, step: Step) -> Returned:
    """Redo a step; see `take_back`."""
    return _return(store, step, "redo")


def _return(store: Store, step: Step, op: Literal["undo", "redo"]) -> Returned:
    lines = store.lines(step)
    by_frame: dict[FrameKey, list[tuple[Line, Settings]]] = {}
    for line in lines:
        if "image" in line:
            key = line["image"], line["frame"]
            by_frame.setdefault(key, []).append((line, store.index.basis(line["seq"])))
    there, back = (before_all, after_all) if op == "undo" else (after_all, before_all)
    returned = Returned([], [], _words(lines))
    for key, own in by_frame.items():
        now = store.get(key)
        try:
            then = there(now, own)
            stands = same_marks(back(then, own), now)
        except JournalError:
            stands = False
        if not stands:
            raise ConflictError(
                f"{key[0]}, frame {key[1]}, was changed since by another annotator or with another theta, so "
                f"this step cannot be {'undone' if op == 'undo' else 'done again'}; change it by hand",
                now,
            )
        then = replace(then, last=max(now.last, then.last), revision=now.revision)
        returned.lines.extend(return_lines(op, step.seq, now, then, store.basis))
        returned.frames.append((now, then))
    return returned


def _words(lines: list[Line]) -> str:
    first = lines[0]
    verb = _WORDS.get(first["op"], first["op"])
    target = f" target {first['target']}" if "target" in first else ""
    return f"{verb}{target}"

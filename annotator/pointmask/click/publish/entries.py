"""What other commands read of a frame: its manifest entry, its mask, its points."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointmask.click.contract.targets import ClickFrame, ClickTarget
from pointmask.folder.frame import skipped_entry
from pointmask.folder.records.manifest import Entry, Settings
from pointmask.io.images.array import encode_png
from pointmask.io.layout import result_path


def has_mask(frame: ClickFrame) -> bool:
    """Say whether the entry of a frame is a finished one, which names a mask."""
    return frame.state != "unfinished" and (bool(frame.targets) or frame.state == "empty")


def entry_of(frame: ClickFrame, basis: Settings) -> Entry | None:
    """
    Return the manifest entry of a frame, None if there is nothing to say of it.

    Parameters
    ----------
    frame : ClickFrame
    basis : Settings
        What the entry is said to be made with, if no target says it.
    """
    if frame.state == "unfinished":
        return skipped_entry(frame.image, frame.frame, f"marked unfinished by {frame.state_by}")
    if not has_mask(frame):
        return None
    made = [target.basis for target in frame.targets if target.made != "hand"]
    common = made[-1] if made else basis
    return {
        "image": frame.image,
        "frame": frame.frame,
        "status": "done",
        "shape": list(frame.shape),
        "content": frame.content,
        **common.fields,
        **({} if frame.raster is None else {"raster": frame.raster}),
        "size_prior": "none" if all(target.is_point_only for target in frame.targets) else "hand",
        "mask": result_path("mask", frame.image, frame.frame, frame.frames),
        "targets": [_target(target, common) for target in frame.targets],
    }


def _target(target: ClickTarget, common: Settings) -> dict[str, Any]:
    chosen = {
        "level": target.level,
        "ring": target.ring or None,
        "polarity": target.polarity,
        "verdict": target.verdict,
    }
    other = {} if target.basis == common else {"made_with": target.basis.fields}
    return {
        "point": list(target.point),
        "label": target.label,
        "area": target.area,
        "box": list(target.box),
        "confidence": target.confidence,
        "flags": list(target.flags),
        "rle": target.rle,
        "made": target.made,
        **{name: value for name, value in chosen.items() if value is not None},
        **other,
        "who": target.who,
        "changed": target.changed,
    }


def mask_png(frame: ClickFrame) -> bytes:
    """Return the union of a frame's masks as a PNG of 0 and 255."""
    mask: NDArray[np.bool_] = np.zeros(frame.shape, np.bool_)
    for target in frame.targets:
        top, left, pixels = target.crop(frame.shape)
        mask[top : top + pixels.shape[0], left : left + pixels.shape[1]] |= pixels
    return encode_png(mask)


def point_fields(entry: Entry) -> Iterator[dict[str, Any]]:
    """Yield the points of a finished entry, as ``points.jsonl`` has them."""
    for target in entry["targets"]:
        row, col = target["point"]
        chosen = {name: target.get(name) for name in ("label", "level", "ring", "polarity")}
        yield {"x": col, "y": row, **{name: value for name, value in chosen.items() if value is not None}}


def key_of_entry(entry: Entry) -> str:
    """Return what point lists call the frame of an entry."""
    return f"{entry['image']}#{entry['frame']}" if entry["frame"] else str(entry["image"])

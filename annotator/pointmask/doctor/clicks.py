"""What a folder in which people click says of itself: its journal, what is left to do, files that changed."""

import json
from pathlib import Path

from pointmask.doctor.findings import Notes
from pointmask.errors import ImageError
from pointmask.folder.records.manifest import Entry, name_of, read_manifest
from pointmask.io.clicks import damage, is_ahead, output_of, publishing
from pointmask.io.images.source import ImageSource
from pointmask.io.layout import CLICKS, MANIFEST


def note_clicks(masks: Path, images: ImageSource, notes: Notes) -> None:
    """
    Note what is to be known of a click folder; nothing of any other.

    Parameters
    ----------
    masks : Path
        Output folder, or its folder of masks.
    images : ImageSource
        The images, of which those that were marked are compared with the hashes that were written down.
    notes : Notes
    """
    out = output_of(masks)
    if not (out / CLICKS).is_file():
        return
    reason = damage(out)
    if reason is not None:
        notes.add("click journal", reason)
    elif is_ahead(out):
        notes.add("click ahead", f"{out}: {publishing(out)}")
    if (out / MANIFEST).is_file():
        for entry in read_manifest(out):
            _note_entry(entry, images, notes)


def _note_entry(entry: Entry, images: ImageSource, notes: Notes) -> None:
    name = name_of(entry)
    if entry["status"] != "done":
        notes.add("click unfinished", f"{name}: {entry['reason']}")
        return
    for target in entry["targets"]:
        if target.get("verdict") == "unsure":
            row, col = target["point"]
            notes.add("click unsure", f"{name}: x {col}, y {row}, by {json.dumps(target.get('who', ''))}")
    try:
        with images.open(entry["image"]) as file:
            is_same = file.content == entry["content"]
    except ImageError as error:
        notes.add("click changed", f"{name}: {error}")
    else:
        if not is_same:
            notes.add("click changed", name)

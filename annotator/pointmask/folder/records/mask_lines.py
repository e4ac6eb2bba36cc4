"""``masks.jsonl``: the masks of a folder job as one sorted file of run lengths, in place of a million PNGs.

One JSON line per frame: ``{"image", "frame", "shape": [h, w], "targets": [{"point": [row, col], "label",
"confidence", "box", "area", "rle"}]}``, where ``rle`` holds COCO's compressed counts over the full frame.
The run lengths are stored in the manifest's entries, so that one journal is enough to resume a job; this
file is extracted from them when the manifest is published.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from pointmask.annotator.target import Target
from pointmask.errors import OutputError
from pointmask.folder.records.manifest import Entry, dump, has_run_lengths
from pointmask.io.formats.encodings import rle
from pointmask.io.layout import MASKS
from pointmask.regular import open_regular

_TARGET_FIELDS = ("point", "label", "confidence", "box", "area", "rle")
_FIELDS = {"image", "frame", "shape", "targets"}


def run_lengths(target: Target, shape: tuple[int, int]) -> str:
    """Return the compressed run lengths of one target over an image of ``shape``."""
    return rle.pack(rle.encode(target.mask, target.window[0], target.window[1], shape))


def mask_lines(manifest: Iterable[bytes]) -> Iterator[bytes]:
    """
    Yield the lines of ``masks.jsonl``.

    Parameters
    ----------
    manifest : iterable of bytes
        Lines of the manifest. Skipped images and entries without run lengths are omitted.
    """
    for line in manifest:
        entry: Entry = json.loads(line)
        if entry["status"] == "done" and has_run_lengths(entry):
            targets = [{name: target[name] for name in _TARGET_FIELDS} for target in entry["targets"]]
            yield dump({name: entry[name] for name in ("image", "frame", "shape")} | {"targets": targets})


def check_ours(out: Path) -> None:
    """
    Refuse an output folder whose ``masks.jsonl`` was not written by pointmask.

    Raises
    ------
    OutputError
        If its first line is foreign.
    """
    path = out / MASKS
    if not path.exists():
        return
    with open_regular(path) as handle:
        line = handle.readline()
    try:
        first = json.loads(line) if line else dict.fromkeys(_FIELDS)
    except ValueError:
        first = None
    if not isinstance(first, dict) or first.keys() != _FIELDS:
        raise OutputError(
            f"{path} was not written by pointmask ({line[:40]!r}); move it away, or choose another --out"
        )

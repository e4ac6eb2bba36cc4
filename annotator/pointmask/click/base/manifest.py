"""The manifest of a folder that is gone on with or reviewed: a frame's entry is looked up in the file."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pointmask.click.base.targets import made_of, seed
from pointmask.click.contract.targets import Brief, ClickFrame, ClickTarget
from pointmask.click.journal.index import FrameKey
from pointmask.click.publish.finder import Finder
from pointmask.errors import PointsError
from pointmask.folder.records.manifest import Entry, Settings, entry_lines, parse_or_raise
from pointmask.io.formats.encodings import rle
from pointmask.io.formats.labelled import LabelledTarget
from pointmask.io.formats.tables.native import frame_of_entry
from pointmask.io.points.points import Point


class ManifestBase:
    """
    The entries of a manifest, which stay in the file; close it (`contextlib.closing`).

    The manifest that was there at the start is read, also after publishing has replaced it. Not for several
    threads at once.

    Parameters
    ----------
    out : Path
        Output folder.
    settings : Settings
        Of the session: a mask that was made with the same, and that cannot be read, is made again.

    Raises
    ------
    OSError
        If the manifest cannot be opened.
    """

    def __init__(self, out: Path, settings: Settings) -> None:
        self._out, self._settings = out, settings
        self._finder = Finder(out)
        self._path = self._finder.path

    def close(self) -> None:
        """Close the file."""
        self._finder.close()

    def briefs(self) -> Iterator[tuple[FrameKey, list[Brief]]]:
        """Yield all finished frames, sorted; see `pointmask.click.contract.base.Base`."""
        for entry in self.entries():
            yield (
                (entry["image"], entry["frame"]),
                [
                    Brief(
                        target=number,
                        confidence=fields["confidence"],
                        area=fields["area"],
                        box=tuple(fields["box"]),
                        flags=tuple(fields["flags"]),
                        label=fields["label"],
                        verdict=fields.get("verdict"),
                        changed=fields.get("changed", 0),
                        is_point_only=not ({"level", "ring"} & fields.keys())
                        and fields.get("made") not in ("hand", "predicted"),
                    )
                    for number, fields in enumerate(entry["targets"], 1)
                ],
            )

    def entries(self) -> Iterator[Entry]:
        """Yield all finished entries, sorted; raise OutputError at a line that is not pointmask's."""
        with self._path.open("rb") as file:
            for offset, line in entry_lines(file):
                entry = parse_or_raise(self._path, offset, line)
                if entry["status"] == "done":
                    yield entry

    def frame(self, key: FrameKey, shape: tuple[int, int] | None = None) -> ClickFrame | None:
        """
        Return a finished frame; see `pointmask.click.contract.base.Base`.

        Raises
        ------
        PointsError
            If its masks cannot be told apart, and would not be the same if they were made again.
        """
        entry = self._finder.find(key)
        if entry is None or entry["status"] != "done":
            return None
        where = f"{self._path}, {key[0]}"
        basis = Settings(entry["theta"], entry["version"], entry["polarity"], entry.get("reading", ""))
        try:
            size, labelled = frame_of_entry(entry, self._out, where)
        except PointsError as error:
            if basis != self._settings:
                raise PointsError(
                    f"{error}. They were made with other settings than now; annotate again with --save rle "
                    "to review them"
                ) from None
            size, labelled = frame_of_entry(entry, self._out, where, with_masks=False)
        targets = [
            _target(number, one, fields, basis, size)
            for number, (one, fields) in enumerate(zip(labelled, entry["targets"], strict=True), 1)
        ]
        return ClickFrame(
            image=key[0],
            frame=key[1],
            state="open" if targets else "empty",
            content=entry["content"],
            shape=size,
            frames=_frames(entry),
            raster=entry.get("raster"),
            targets=tuple(targets),
            last=len(targets),
        )


def _target(
    number: int, one: LabelledTarget, fields: Entry, basis: Settings, shape: tuple[int, int]
) -> ClickTarget:
    point = one.point or Point(0, 0)
    target = replace(
        seed(number, point, basis),
        made=made_of(fields),
        level=fields.get("level"),
        ring=fields.get("ring", 0),
        polarity=fields.get("polarity"),
        confidence=fields.get("confidence"),
        flags=tuple(fields.get("flags", ())),
        verdict=fields.get("verdict"),
        who=fields.get("who", ""),
        changed=fields.get("changed", 0),
    )
    if one.patch is None:
        return target
    patch = one.patch
    return replace(
        target,
        box=(patch.box.top, patch.box.left, patch.box.bottom, patch.box.right),
        area=patch.area,
        rle=rle.pack(rle.encode(patch.pixels, patch.box.top, patch.box.left, shape)),
    )


def _frames(entry: Entry) -> int:
    """Say whether the file holds several frames, as far as the entry tells: the mask's name has a number."""
    mask = entry.get("mask")
    numbered = isinstance(mask, str) and mask.endswith(f"_{entry['frame']:04d}.png")
    stem = entry["image"].rpartition(".")[0]
    return 2 if numbered and mask != f"masks/{stem}.png" else 1

"""The self-contained page ``report.html`` for inspecting the masks, least certain targets first."""

import os
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import nsmallest
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from string import Template
from typing import Any

from numpy.typing import NDArray

from pointmask.annotator.image import annotate
from pointmask.drawing.flags import flag_text
from pointmask.drawing.histogram import Bar, histogram
from pointmask.drawing.overlay import MASK_COLOUR, POINT_COLOUR
from pointmask.drawing.tiles import contrast_of, look, missing, number, panels, tile
from pointmask.errors import ImageError, PointmaskError
from pointmask.folder.records.manifest import Entry, read_manifest
from pointmask.io.files import write_whole
from pointmask.io.images.open import open_source
from pointmask.io.images.source import ImageSource
from pointmask.io.layout import MANIFEST, REPORT
from pointmask.io.points.names import natural_key
from pointmask.printable import escape, escape_lines
from pointmask.theta import Polarity, Theta

MOST_SHOWN = 2000
"""Targets on the page, 4.7 kB each on SIRST3. The browser lays out and decodes only those in sight."""

_BINS = 20  # of the confidence histogram
_MOST_SKIPPED = 500  # skipped images listed on the page; the manifest has all
_MOST_EXPANDED = 8  # number of reasons up to which the list is expanded


@dataclass(frozen=True, slots=True)
class _TargetEntry:
    """One target and its manifest entry."""

    entry: Entry
    index: int

    @property
    def target(self) -> Entry:
        target: Entry = self.entry["targets"][self.index]
        return target


@dataclass(slots=True)
class _Totals:
    """Counts over all images; only the least certain targets are stored."""

    images: int = 0
    targets: int = 0
    empty: int = 0
    skipped: int = 0
    by_hand: int = 0
    total_confidence: float = 0.0
    reasons: list[tuple[str, str]] = field(default_factory=list)
    confidences: Counter[int] = field(default_factory=Counter)
    areas: Counter[int] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    versions: set[str] = field(default_factory=set)
    priors: set[str] = field(default_factory=set)

    def count(self, entries: Iterable[Entry]) -> Iterator[_TargetEntry]:
        """Count each entry, and yield its targets."""
        for entry in entries:
            if entry["status"] != "done":
                self.skipped += 1
                if len(self.reasons) < _MOST_SKIPPED:
                    self.reasons.append((_name(entry), entry["reason"]))
                continue
            self.images += 1
            self.empty += not entry["targets"]
            self.versions.add(entry["version"])
            self.priors.add(entry["size_prior"])
            for index, target in enumerate(entry["targets"]):
                self.targets += 1
                self.areas[target["area"]] += 1
                self.flags.update(target["flags"])
                if target["confidence"] is None:  # by hand: there is nothing to be unsure of
                    self.by_hand += 1
                    continue
                self.total_confidence += target["confidence"]
                self.confidences[min(_BINS - 1, int(target["confidence"] * _BINS))] += 1
                yield _TargetEntry(entry, index)


def write_report(
    out: Path, images: ImageSource | Path, *, theta: Theta, polarity: Polarity, limit: int = MOST_SHOWN
) -> Path:
    """Write ``report.html``: a contact sheet of the least certain targets of a finished folder job.

    Counts and histograms cover all targets of the manifest. The pictures are drawn by
    annotating the images again, which is exact because `annotate` is deterministic; a missing or changed
    image is reported instead. The same input gives the same bytes.

    Parameters
    ----------
    out : Path
        Output folder with ``manifest.jsonl``.
    images : ImageSource or Path
        The images.
    theta : Theta
        Parameters of the job.
    polarity : {"bright", "dark", "auto"}
        As in the job.
    limit : int
        Maximum number of targets on the page, which states how many are omitted.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    OutputError
        If there is no manifest, it was not written by pointmask, or the page cannot be written.
    """
    totals = _Totals()
    least_certain = nsmallest(
        limit, totals.count(read_manifest(out)), key=lambda item: item.target["confidence"]
    )
    page = Template(_template(REPORT)).substitute(
        look=look() + _template("report.css"),
        script=_template("report.js"),
        heading=_heading(totals, theta, polarity),
        numbers=_numbers(totals),
        charts=_charts(totals) if totals.targets else "",
        skipped=_skipped(totals),
        theta=escape_lines(theta.to_toml()),
        coverage=_coverage(len(least_certain), totals.targets),
        command=escape(_command(open_source(images).root, out)),
        flags="".join(
            f'<option value="{escape(flag)}">{escape(flag)} ({count:,})</option>'
            for flag, count in sorted(totals.flags.items())
        ),
        meanings=_meanings(totals),
        tiles="\n".join(_tiles(least_certain, open_source(images), theta, polarity)),
        mask_colour=MASK_COLOUR,
        point_colour=POINT_COLOUR,
    )
    path = out / REPORT
    # File names may contain bytes that are not text; these are escaped.
    write_whole(path, page.encode("utf-8", "backslashreplace"), "report")
    return path


def _template(name: str) -> str:
    return files("pointmask").joinpath("templates", name).read_text(encoding="utf-8")


def _tiles(targets: list[_TargetEntry], images: ImageSource, theta: Theta, polarity: Polarity) -> list[str]:
    """Render the targets in order, reading each image once."""
    ranks: dict[tuple[str, int], list[int]] = {}
    for rank, target in enumerate(targets):
        ranks.setdefault((target.entry["image"], target.entry["frame"]), []).append(rank)
    tiles = [""] * len(targets)
    for members in ranks.values():
        entry = targets[members[0]].entry
        drawn = _draw(entry, [(rank, targets[rank].index) for rank in members], images, theta, polarity)
        for rank, (pictures, contrast) in zip(members, drawn, strict=True):
            tiles[rank] = tile(rank, _name(entry), targets[rank].target, pictures, contrast)
    return tiles


def _draw(
    entry: Entry, ranked: list[tuple[int, int]], images: ImageSource, theta: Theta, polarity: Polarity
) -> list[tuple[str, str]]:
    """Draw the targets of one image, given as (rank, index), or explain why they cannot be drawn."""
    try:
        image = _unchanged_image(entry, images)
        points = [(target["point"][0], target["point"][1]) for target in entry["targets"]]
        annotation = annotate(image, points, theta=theta, polarity=polarity)
    except PointmaskError as error:
        return [(missing(f"No picture: {error}"), "")] * len(ranked)
    first = ranked[0][0]
    return [
        (
            panels(rank, image, annotation, index, None if rank == first else first, polarity),
            contrast_of(image, annotation.targets[index]),
        )
        for rank, index in ranked
    ]


def _unchanged_image(entry: Entry, images: ImageSource) -> NDArray[Any]:
    """Read an image again, provided that it has not changed since it was annotated."""
    name = entry["image"]
    with images.open(name) as file:
        if file.content != entry["content"]:
            raise ImageError(f"{name} has changed since its mask was made; run annotate again")
        return file.decode(entry["frame"])


def _name(entry: Entry) -> str:
    """Return the image name, with the frame number except for the first."""
    return f"{entry['image']}#{entry['frame']}" if entry["frame"] else str(entry["image"])


def _heading(totals: _Totals, theta: Theta, polarity: Polarity) -> str:
    prior = ", ".join(sorted(totals.priors - {"none", "hand"}))
    words = [
        f"pointmask {', '.join(sorted(totals.versions))}" if totals.versions else "",
        f"theta {theta.digest}",
        f"{polarity} targets" if polarity != "auto" else "bright and dark targets",
        f"size prior: {prior}" if prior else "",
        "some masks drawn or changed by hand" if "hand" in totals.priors else "",
        "" if totals.priors - {"none"} else "point only, no size prior",
    ]
    return " &middot; ".join(escape(word) for word in words if word)


def _numbers(totals: _Totals) -> str:
    """Return the counts as a description list."""
    measured = totals.targets - totals.by_hand
    mean = f"{totals.total_confidence / measured:.3f}" if measured else "&ndash;"
    items = [
        ("images annotated", f"{totals.images:,}", ""),
        ("targets", f"{totals.targets:,}", ""),
        ("mean confidence", mean, ""),
        ("without target", f"{totals.empty:,}", ""),
        ("skipped", f"{totals.skipped:,}", ' class="bad"' if totals.skipped else ""),
    ]
    return "".join(f"<div{style}><dt>{name}</dt><dd>{value}</dd></div>" for name, value, style in items)


def _charts(totals: _Totals) -> str:
    """Return the histograms of confidence (even bins) and area (half octaves)."""
    octaves = max(totals.areas).bit_length()
    edges = sorted({min(1, *totals.areas), *(round(2 ** (k / 2)) for k in range(2 * octaves + 1))})
    return histogram(
        "Confidence of all targets",
        "confidence",
        # Confidences have four decimals, so that a bin ends at the largest value below the next.
        [
            Bar(
                totals.confidences[k],
                f"{k / _BINS:.2f} to {(k + 1) / _BINS:.2f}",
                number(k / _BINS),
                number((k + 1) / _BINS - 1e-4) if k < _BINS - 1 else "1",
            )
            for k in range(_BINS)
        ],
        {k: number(k / _BINS) for k in range(0, _BINS + 1, 4)},
    ) + histogram(
        "Area of all targets, pixels",
        "area",
        [
            Bar(
                sum(count for area, count in totals.areas.items() if low <= area < high),
                f"{low} px" if high == low + 1 else f"{low} to {high - 1} px",
                str(low),
                str(high - 1),
            )
            for low, high in pairwise(edges)
        ],
        {k: f"{edge:,}" for k, edge in enumerate(edges) if edge.bit_count() == 1},
    )


def _meanings(totals: _Totals) -> str:
    """Explain the flags that occur, as far as they are pointmask's own."""
    rows = "".join(
        f"<dt>{escape(flag)}</dt><dd>{escape(flag_text(flag))}</dd>"
        for flag in sorted(totals.flags)
        if flag_text(flag)
    )
    if not rows:
        return ""
    return f'<details class="meanings"><summary>What the flags mean</summary><dl>{rows}</dl></details>'


def _skipped(totals: _Totals) -> str:
    """Return the skipped images with their reasons, collapsed if there are many."""
    if not totals.skipped:
        return ""
    rows = "".join(
        f'<tr><th scope="row"><bdi>{escape(name)}</bdi></th><td>{escape(reason)}</td></tr>'
        for name, reason in sorted(totals.reasons, key=lambda item: natural_key(item[0]))
    )
    rest = totals.skipped - len(totals.reasons)
    more = f"<p>... and {rest:,} more; all are in {MANIFEST}.</p>" if rest else ""
    expanded = " open" if totals.skipped <= _MOST_EXPANDED else ""
    return (
        f'<details class="skipped"{expanded}><summary>{totals.skipped:,} skipped, and why</summary>'
        f'<div class="scroll"><table>{rows}</table></div>{more}</details>'
    )


def _command(images: Path, out: Path) -> str:
    """Return the command that opens the targets for correction, for a shell in the folder of the page."""
    try:
        path = os.path.relpath(images, out)
    except ValueError:  # on another drive of Windows
        path = str(images)
    return f"pointmask click {shlex.quote(Path(path).as_posix())} --review . --out ."


def _coverage(shown: int, total: int) -> str:
    """State how many of the targets the page shows."""
    if not total:
        return "There are no targets to show."
    if shown == total:
        return f"All {total:,} targets."
    return f"The {shown:,} least sure of {total:,} targets; the other {total - shown:,} are not shown."

"""The self-contained page ``report.html`` for inspecting the masks, least certain targets first."""

import os
import shlex
from collections.abc import Sequence
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from string import Template
from typing import Any

from numpy.typing import NDArray

from pointmask.annotator.image import annotate
from pointmask.drawing.flags import flag_text
from pointmask.drawing.histogram import Bar, histogram
from pointmask.drawing.overlay import MASK_COLOUR, POINT_COLOUR, TRUE_COLOUR
from pointmask.drawing.tiles import contrast_of, look, missing, number, panels, tile
from pointmask.errors import ImageError, PointmaskError
from pointmask.folder.records.manifest import Entry, name_of, read_manifest
from pointmask.folder.report.options import MOST_SHOWN, ReportOptions
from pointmask.folder.report.totals import BINS, TargetEntry, Totals
from pointmask.folder.report.truth import Truths, mean_with_interval
from pointmask.io.files import write_whole
from pointmask.io.images.open import open_source
from pointmask.io.images.source import ImageSource
from pointmask.io.layout import MANIFEST, REPORT
from pointmask.io.points.names import natural_key
from pointmask.printable import escape, escape_lines
from pointmask.theta import Polarity, Theta

_JUDGED = (
    '<p class="judged">Tick each target whose mask is wrong: <b id="judged" role="status"></b> '
    "The address of the page keeps the ticks.</p>"
)
_TRUE_LEGEND = (
    '<span><svg viewBox="0 0 18 18" aria-hidden="true"><path d="M5 4h8v4h2v6h-10z" fill="none" '
    f'stroke="{TRUE_COLOUR}" stroke-width="2"/></svg>true mask</span>'
)
_PLAIN = ReportOptions()
_MOST_EXPANDED = 8  # number of reasons up to which the list is expanded


def write_report(
    out: Path,
    images: ImageSource | Path,
    *,
    theta: Theta,
    polarity: Polarity,
    options: ReportOptions = _PLAIN,
    limit: int = MOST_SHOWN,
) -> Path:
    """Write ``report.html``: a contact sheet of targets of a finished folder job.

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
    options : ReportOptions
        Which targets to show, beside what.
    limit : int
        Maximum number of the least sure targets on the page, which states how many are omitted.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    OutputError
        If there is no manifest, it was not written by pointmask, or the page cannot be written.
    """
    totals, source = Totals(), open_source(images)
    shown = options.choose(totals.count(read_manifest(out)), limit)
    tiles, ious = _tiles(shown, source, theta, polarity, options)
    page = Template(_template(REPORT)).substitute(
        look=look() + _template("report.css"),
        script=_template("report.js"),
        heading=_heading(totals, theta, polarity, options),
        numbers=_numbers(totals),
        charts=_charts(totals) if totals.targets else "",
        skipped=_skipped(totals),
        theta=escape_lines(theta.to_toml()),
        coverage=escape(_coverage(len(shown), totals.targets, options, ious)),
        command=escape(_command(source.root, out)),
        judged=_JUDGED if options.sample else "",
        flags="".join(
            f'<option value="{escape(flag)}">{escape(flag)} ({count:,})</option>'
            for flag, count in sorted(totals.flags.items())
        ),
        meanings=_meanings(totals),
        tiles="\n".join(tiles),
        mask_colour=MASK_COLOUR,
        point_colour=POINT_COLOUR,
        true_colour=TRUE_COLOUR,
        true_legend=_TRUE_LEGEND if options.truth is not None else "",
    )
    path = out / REPORT
    # File names may contain bytes that are not text; these are escaped.
    write_whole(path, page.encode("utf-8", "backslashreplace"), "report")
    return path


def _template(name: str) -> str:
    return files("pointmask").joinpath("templates", name).read_text(encoding="utf-8")


def _tiles(
    targets: list[TargetEntry], images: ImageSource, theta: Theta, polarity: Polarity, options: ReportOptions
) -> tuple[list[str], list[float]]:
    """Render the targets in order, reading each image once; return the known IoUs too."""
    ranks: dict[tuple[str, int], list[int]] = {}
    for rank, target in enumerate(targets):
        ranks.setdefault((target.entry["image"], target.entry["frame"]), []).append(rank)
    truths = Truths(options.truth, [target.entry["image"] for target in targets])
    tiles, ious = [""] * len(targets), []
    for members in ranks.values():
        entry = targets[members[0]].entry
        drawn = _draw(
            entry, [(rank, targets[rank].index) for rank in members], images, theta, polarity, truths
        )
        for rank, (pictures, contrast, iou) in zip(members, drawn, strict=True):
            tiles[rank] = tile(
                rank,
                name_of(entry),
                targets[rank].target,
                pictures,
                contrast,
                iou=iou,
                asks=bool(options.sample),
            )
            ious += [] if iou is None else [iou]
    return tiles, ious


def _draw(
    entry: Entry,
    ranked: list[tuple[int, int]],
    images: ImageSource,
    theta: Theta,
    polarity: Polarity,
    truths: Truths,
) -> list[tuple[str, str, float | None]]:
    """Draw the targets of one image, given as (rank, index), or explain why they cannot be drawn."""
    try:
        image = _unchanged_image(entry, images)
        points = [(target["point"][0], target["point"][1]) for target in entry["targets"]]
        annotation = annotate(image, points, theta=theta, polarity=polarity)
    except PointmaskError as error:
        return [(missing(f"No picture: {error}"), "", None)] * len(ranked)
    first = ranked[0][0]
    fits = truths.fits(entry, annotation)
    return [
        (
            panels(
                rank, image, annotation, index, None if rank == first else first, polarity, truth=fits.truth
            ),
            contrast_of(image, annotation.targets[index]),
            fits.iou(index),
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


def _heading(totals: Totals, theta: Theta, polarity: Polarity, options: ReportOptions) -> str:
    prior = ", ".join(sorted(totals.priors - {"none", "hand"}))
    words = [
        f"pointmask {', '.join(sorted(totals.versions))}" if totals.versions else "",
        f"theta {theta.digest}",
        f"{polarity} targets" if polarity != "auto" else "bright and dark targets",
        f"size prior: {prior}" if prior else "",
        "some masks drawn or changed by hand" if "hand" in totals.priors else "",
        "" if totals.priors - {"none"} else "point only, no size prior",
    ]
    made_by = f"<br>{escape(options.made_by)}" if options.made_by else ""
    return " &middot; ".join(escape(word) for word in words if word) + made_by


def _numbers(totals: Totals) -> str:
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


def _charts(totals: Totals) -> str:
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
                f"{k / BINS:.2f} to {(k + 1) / BINS:.2f}",
                number(k / BINS),
                number((k + 1) / BINS - 1e-4) if k < BINS - 1 else "1",
            )
            for k in range(BINS)
        ],
        {k: number(k / BINS) for k in range(0, BINS + 1, 4)},
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


def _meanings(totals: Totals) -> str:
    """Explain the flags that occur, as far as they are pointmask's own."""
    rows = "".join(
        f"<dt>{escape(flag)}</dt><dd>{escape(flag_text(flag))}</dd>"
        for flag in sorted(totals.flags)
        if flag_text(flag)
    )
    if not rows:
        return ""
    return f'<details class="meanings"><summary>What the flags mean</summary><dl>{rows}</dl></details>'


def _skipped(totals: Totals) -> str:
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


def _coverage(shown: int, total: int, options: ReportOptions, ious: Sequence[float]) -> str:
    """State how many of the targets the page shows, and how well they fit true masks."""
    if not total:
        return "There are no targets to show."
    if shown == total:
        said = f"All {total:,} targets."
    elif options.sample:
        said = f"A random sample of {shown:,} of {total:,} targets (seed {options.seed})."
    else:
        said = (
            f"The {shown:,} least sure of {total:,} targets; the other {total - shown:,} are not shown. "
            "What is true of these is not true of all: --report-sample draws at random."
        )
    if options.truth is None:
        return said
    return f"{said} Against {len(ious):,} true targets: {mean_with_interval(ious)}."

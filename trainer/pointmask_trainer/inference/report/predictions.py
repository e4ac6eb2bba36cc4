"""The page of a prediction, ``report.html``: what was found, the least sure targets first."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from math import ceil, sqrt
from pathlib import Path
from typing import Any

from pointmask.advice import command as command_line
from pointmask.drawing.cases import STYLE, Case, legend, tile
from pointmask.drawing.page import origin, page
from pointmask.errors import ImageError
from pointmask.folder.records.manifest import name_of
from pointmask.io.files import write_whole
from pointmask.io.images.array import read_mask
from pointmask.io.images.source import ImageSource
from pointmask.io.layout import PREDICTIONS, REPORT, result_path
from pointmask.printable import escape
from pointmask_trainer.inference.predictions import PREDICT_TAG, DetectedTarget

MOST_SHOWN = 400
"""Targets on the page, about 6 kB each."""

_EMPTY_NAMED = 40  # images without a target named on the page

Entry = dict[str, Any]


@dataclass(slots=True)
class _Counts:
    images: int = 0
    targets: int = 0
    scores: float = 0.0
    empty: int = 0
    some_empty: tuple[str, ...] = ()

    def of(self, entries: Iterator[Entry]) -> Iterator[tuple[Entry, DetectedTarget]]:
        """Count frames, and yield their targets."""
        for entry in entries:
            self.images += 1
            if not entry["targets"]:
                self.empty += 1
                if self.empty <= _EMPTY_NAMED:
                    self.some_empty += (name_of(entry),)
            for fields in entry["targets"]:
                target = DetectedTarget(**fields)
                self.targets += 1
                self.scores += target.score
                yield entry, target


def write_prediction_report(out: Path, source: ImageSource, command: str) -> Path:
    """Write the page of a finished prediction into its folder.

    Parameters
    ----------
    out : Path
        Output folder of `pointmask_trainer.inference.predict.predict_source`.
    source : ImageSource
        The images.
    command : str
        Named on the page.

    Returns
    -------
    Path
        The page.
    """
    counts = _Counts()
    with (out / PREDICTIONS).open(encoding="utf-8") as lines:
        shown = nsmallest(MOST_SHOWN, counts.of(map(json.loads, lines)), key=lambda pair: pair[1].score)
    score = command_line("score", out, "--truth", "TRUE-MASKS", "--images", source.root)
    text = page(
        f"pointmask predictions: {escape(source.root.name)}",
        origin(command),
        f"{legend(truth=False)}<h2>Targets, the least sure first</h2>"
        f'<p class="where">{_coverage(len(shown), counts.targets)} With true masks, misses and false alarms '
        f"are named by <code>{escape(score)}</code></p>"
        f'<ol class="tiles">{"".join(_tile(out, source, *pair) for pair in shown)}</ol>'
        f"{_without(counts)}\n",
        summary=f'<div class="summary"><dl class="numbers">{_numbers(counts)}</dl></div>\n',
        style=STYLE,
    )
    path = out / REPORT
    write_whole(path, text.encode("utf-8", "backslashreplace"), PREDICT_TAG)
    return path


def _tile(out: Path, source: ImageSource, entry: Entry, target: DetectedTarget) -> str:
    """Draw one target; where its image is gone, the masks alone."""
    image = None
    try:
        mask = read_mask(out / result_path("mask", entry["image"], entry["frame"], entry["frames"]))
        with source.open(entry["image"]) as file:
            if file.content == entry["content"]:
                image = file.decode(entry["frame"])
    except ImageError as error:
        return f'<li class="tile"><p class="missing">{escape(f"No picture: {error}")}</p></li>'
    half = ceil(sqrt(target.area) / 2)
    row, col = round(target.y), round(target.x)
    box = (row - half, col - half, row + half + 1, col + half + 1)
    facts = f" \N{MIDDLE DOT} {target.area:,} px \N{MIDDLE DOT} mean {target.mean:.2f}"
    return tile(
        Case(f"score {target.score:.2f}", name_of(entry), box, target.score, facts, (row, col)),
        image,
        None,
        mask,
    )


def _numbers(counts: _Counts) -> str:
    items: Sequence[tuple[str, str]] = (
        ("images", f"{counts.images:,}"),
        ("targets", f"{counts.targets:,}"),
        ("mean score", f"{counts.scores / counts.targets:.3f}" if counts.targets else "&ndash;"),
        ("images without a target", f"{counts.empty:,}"),
    )
    return "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in items)


def _coverage(shown: int, total: int) -> str:
    if shown == total:
        return f"All {total:,}."
    return f"{shown:,} of {total:,}; those not shown are surer."


def _without(counts: _Counts) -> str:
    """Name images in which nothing was found."""
    if not counts.empty:
        return ""
    names = "".join(f"<li><bdi>{escape(name)}</bdi></li>" for name in counts.some_empty)
    more = counts.empty - len(counts.some_empty)
    rest = f"<p>... and {more:,} more; all are in {PREDICTIONS}.</p>" if more else ""
    return (
        f"<details><summary>{counts.empty:,} images without a target</summary>"
        f'<div class="scroll"><ul>{names}</ul></div>{rest}</details>'
    )

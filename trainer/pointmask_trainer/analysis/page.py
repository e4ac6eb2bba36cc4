"""An analysis as a fragment of HTML for the run's report, as a page of its own, and as JSON."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pointmask.drawing.page import FIGURE_STYLE, figure, page
from pointmask.io.files import write_whole
from pointmask.io.layout import RUN_TAG
from pointmask.io.own import is_json_of
from pointmask.printable import escape
from pointmask_trainer.analysis.pictures import FILES, FILES_OF_STRATEGIES, Picture
from pointmask_trainer.analysis.relations import Relation
from pointmask_trainer.analysis.study import Study

NUMBERS, PAGE = "analysis.json", "index.html"

NAMES = (NUMBERS, *FILES, *FILES_OF_STRATEGIES, PAGE)
"""All files that `write_analysis` may write; the first, by which they are known, is written first."""


def section(pictures: Sequence[Picture]) -> str:
    """Return the section of a page with the pictures and their texts."""
    shown = "".join(
        figure(one.png, one.title, one.text, has_photos=one.has_photos) for one in pictures if one.png
    )
    left_out = "".join(
        f"<li>{escape(picture.title)}: {escape(picture.text)}</li>" for picture in pictures if not picture.png
    )
    more = f'<p class="heading">Not shown:</p><ul class="heading">{left_out}</ul>' if left_out else ""
    return f'<h2 id="learned">What was learned</h2>{shown}{more}'


def excuse(reason: str) -> str:
    """Return the same section with a reason why nothing was drawn."""
    return f'<h2 id="learned">What was learned</h2><p class="heading">{escape(reason)}</p>'


def write_analysis(study: Study, pictures: Sequence[Picture], out: Path) -> list[Path]:
    """Write the pictures, all numbers and a self-contained page.

    Parameters
    ----------
    study : Study
    pictures : sequence of Picture
    out : Path
        Folder; its files of an earlier analysis are replaced, and pictures that there no longer are, removed.

    Returns
    -------
    list of Path
        Files that were written.
    """
    contents = {NUMBERS: (json.dumps(numbers(study), indent=1) + "\n").encode()}
    contents |= {picture.file: picture.png for picture in pictures if picture.png}
    contents[PAGE] = _page(study, pictures).encode("utf-8", "backslashreplace")
    for name, content in contents.items():
        write_whole(out / name, content, RUN_TAG)
    for name in {*FILES, *FILES_OF_STRATEGIES} - set(contents):
        (out / name).unlink(missing_ok=True)
    return [out / name for name in contents]


def is_analysis(path: Path) -> bool:
    """Say whether a file holds the numbers of an analysis; see `pointmask.io.own.Proof`."""
    return is_json_of(path, ("run", "strategy", "averaged_epochs", "spearman_with_alpha"))


def numbers(study: Study) -> dict[str, Any]:
    """Return all numbers behind the pictures, for plots of one's own; None stands for a missing number."""
    history = study.history
    return {
        "run": study.run.resolve().name,
        "strategy": history.config.strategy.name,
        "epochs": int(history.epochs[-1]),
        "averaged_epochs": study.averaged,
        "labels_version": study.version,
        "spearman_with_alpha": {name: _relation(found) for name, found in study.relations.items()},
        "images": [
            {
                "id": name,
                "alpha": _plain(study.alpha[k]),
                "loss": _plain(study.loss[k]),
                **{measure: _plain(values[k]) for measure, values in study.shapes.items()},
            }
            for k, name in enumerate(history.ids)
        ],
        "theta": [
            {
                "epoch": update.epoch,
                "offline": _plain(update.offline),
                "detector": _plain(update.detector),
                **{name: value.tolist() for name, value in update.entries.items()},
            }
            for update in history.updates
        ],
        "labels": [
            {
                "version": change.version,
                "iou_with_first": [_plain(value) for value in change.iou],
                "area_ratio": _plain(change.area),
            }
            for change in study.changes
        ],
        "label_quality": [
            {
                "epoch": one.epoch,
                "version": one.version,
                "train": _plain(one.train),
                "val": _plain(one.val),
                "px_per_point": _plain(one.area),
            }
            for one in history.scores
        ],
        "pool": [{"epoch": epoch, **counts} for epoch, counts in history.pools],
        "drift": [
            {"epoch": epoch, **{name: _plain(value) for name, value in figures.items()}}
            for epoch, figures in history.drifts
        ],
    }


def _page(study: Study, pictures: Sequence[Picture]) -> str:
    history = study.history
    heading = (
        f"strategy {history.config.strategy.name}, {history.config.model.name}, {len(history.ids):,} "
        f"training images, {int(history.epochs[-1]):,} epochs; averaged over the last {study.averaged}"
    )
    title = f"pointmask analysis: {escape(study.run.resolve().name)}"
    return page(title, escape(heading), section(pictures) + "\n", style=FIGURE_STYLE)


def _relation(found: Relation) -> dict[str, float | int | None]:
    return {"rho": _plain(found.rho), "p": _plain(found.p), "n": found.n}


def _plain(value: float) -> float | None:
    return float(f"{value:.6g}") if np.isfinite(value) else None

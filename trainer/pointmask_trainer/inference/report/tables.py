"""Output of ``pointmask evaluate``: tables for the terminal, and a more detailed JSON report."""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from rich.table import Table

from pointmask.metrics.counters import Score
from pointmask.metrics.points import average_precision
from pointmask.metrics.targets import SIZE_CLASSES
from pointmask.printable import printable
from pointmask_trainer.inference.evaluate import (
    AUC_CUTS,
    THRESHOLDS,
    Evaluation,
    EvaluationTally,
    area_under,
    false_pixel_rate,
)

LEGEND = (
    "IoU: sum of intersections over sum of unions. nIoU: mean over images. Pd: share of targets whose "
    "centroid is matched within 3 px. Fa: pixels of unmatched components per million pixels. Threshold 0.5. "
    "AUC: mean over Fa from 0 to 100 per million of the best Pd. Target IoU: mean over targets, missed "
    "ones 0."
)
_AUC_KEYS = ("0.5e-4", "1e-4")  # of `AUC_CUTS`


def figures(score: Score) -> dict[str, float | None]:
    """Return IoU, nIoU, Pd and Fa; None where a figure is undefined, since JSON has no NaN."""
    return {
        "iou": _finite(score.iou),
        "niou": _finite(score.niou),
        "pd": _finite(score.pd),
        "fa": _finite(score.fa),
    }


def to_json(evaluation: Evaluation, facts: Mapping[str, Any]) -> str:
    """Serialise an evaluation as JSON.

    Parameters
    ----------
    evaluation : Evaluation
    facts : Mapping
        Description of the model and the data; written first. If the masks are the operator's, the figures of
        the network's own stand under ``network``.

    Returns
    -------
    str
        Ends with a newline. Rates are shares in [0, 1], null where undefined.
    """
    table = {
        **facts,
        "threshold": 0.5,
        "within": evaluation.within,
        **_parts(evaluation),
        **({} if evaluation.network is None else {"network": _parts(evaluation.network)}),
    }
    return json.dumps(table, indent=2, ensure_ascii=False) + "\n"


def _parts(evaluation: Evaluation) -> dict[str, Any]:
    """Return the figures of the images unknown to the run, of all, and of each data set."""
    return {
        **({} if evaluation.unseen is None else {"unseen": _table(evaluation.unseen)}),
        "all": _table(evaluation.whole),
        "data_sets": {name: _table(tally) for name, tally in evaluation.data_sets.items()},
    }


def tables(evaluation: Evaluation) -> list[Table]:
    """Return the tables for the terminal: by data set, by the true target's size, and of targets as points.

    If the masks are the operator's, each is followed by that of the network's own masks.
    """
    if evaluation.network is None:
        return [_by_set(evaluation, ""), _by_size(evaluation, ""), _by_points(evaluation, "")]
    operator, network = ", operator's masks", ", network's masks"
    return [
        _by_set(evaluation, operator),
        _by_set(evaluation.network, network),
        _by_size(evaluation, operator),
        _by_size(evaluation.network, network),
        _by_points(evaluation, operator),
        _by_points(evaluation.network, network),
    ]


def _by_set(evaluation: Evaluation, whose: str) -> Table:
    table = Table(title=f"By data set{whose}", title_justify="left", title_style="bold")
    for k, column in enumerate(("data set", "images", "targets", "IoU", "nIoU", "Pd", "Fa / 1e-6", "AUC")):
        table.add_column(column, justify="right" if k else "left", no_wrap=True)
    for name, tally in _named(evaluation).items():
        own = tally.score
        shares = [_format(value) for value in (own.iou, own.niou, own.pd)]
        auc = _format(area_under(tally.curve, AUC_CUTS[-1]))
        counts = (f"{tally.images:,}", f"{own.truth_targets:,}")
        table.add_row(printable(name), *counts, *shares, _format(1e6 * own.fa, 2), auc)
    return table


def _by_points(evaluation: Evaluation, whose: str) -> Table:
    title = f"Targets within {evaluation.within:g} px{whose}"
    table = Table(title=title, title_justify="left", title_style="bold")
    columns = ("data set", "precision", "recall", "F1", "AP", "false/image", "error px")
    for k, column in enumerate(columns):
        table.add_column(column, justify="right" if k else "left", no_wrap=True)
    for name, tally in _named(evaluation).items():
        own = tally.points
        ap = average_precision(tally.point_curve)
        shares = [_format(value) for value in (own.precision, own.recall, own.f1, ap, own.false_per_image)]
        table.add_row(printable(name), *shares, _format(own.error, 2))
    return table


def _by_size(evaluation: Evaluation, whose: str) -> Table:
    title = f"By true area in px: Pd, target IoU{whose}"
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("data set", no_wrap=True)
    for name in SIZE_CLASSES:
        count = evaluation.whole.sizes[name].fits.count
        table.add_column(f"{name} (n={count:,})", justify="right", no_wrap=True)
    for name, tally in _named(evaluation).items():
        cells = [f"{_format(size.pd)}  {_format(size.fits.mean_iou)}" for size in tally.sizes.values()]
        table.add_row(name, *cells)
    return table


def _named(evaluation: Evaluation) -> dict[str, EvaluationTally]:
    """Return the tallies of images unknown to the run, if it knows others, of all, and of data sets."""
    parts = evaluation.data_sets if len(evaluation.data_sets) > 1 else {}
    if evaluation.unseen is not None:
        return {"unseen": evaluation.unseen, "all": evaluation.whole} | parts
    return {"all": evaluation.whole} | parts


def _table(tally: EvaluationTally) -> dict[str, Any]:
    own = tally.score
    return {
        "images": tally.images,
        "targets": own.truth_targets,
        **figures(own),
        "points": _points(tally),
        "pixel_recall": _finite(own.recall),
        "false_targets_per_target": _finite(own.fa_targets),
        "auc": _areas(tally, lambda score: score.fa),
        "auc_of_false_pixels": _areas(tally, false_pixel_rate),
        "sizes": {
            name: {
                "targets": size.fits.count,
                "pd": _finite(size.pd),
                "target_iou": _finite(size.fits.mean_iou),
            }
            for name, size in tally.sizes.items()
        },
        "curve": [
            {"threshold": threshold, **figures(score), **_pixel_rates(score)}
            for threshold, score in zip(THRESHOLDS, tally.curve, strict=True)
        ],
    }


def _points(tally: EvaluationTally) -> dict[str, Any]:
    """Return the figures of targets as points, and their curve where targets are points."""
    figures_of_points: dict[str, Any] = tally.points.figures()
    if tally.point_curve:
        figures_of_points["average_precision"] = _finite(average_precision(tally.point_curve))
        figures_of_points["curve"] = [
            {"threshold": threshold, **score.figures()}
            for threshold, score in zip(THRESHOLDS, tally.point_curve, strict=True)
        ]
    return figures_of_points


def _areas(tally: EvaluationTally, rate: Callable[[Score], float]) -> dict[str, float | None]:
    areas = (_finite(area_under(tally.curve, cut, rate)) for cut in AUC_CUTS)
    return dict(zip(_AUC_KEYS, areas, strict=True))


def _pixel_rates(score: Score) -> dict[str, float | None]:
    """Return both axes of the pixel ROC."""
    return {
        "pixel_recall": _finite(score.recall),
        "false_pixel_rate": _finite(false_pixel_rate(score)),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _format(value: float, digits: int = 3) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else "-"

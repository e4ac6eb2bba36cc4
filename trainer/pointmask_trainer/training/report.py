"""The report of a run, ``report.html``: a self-contained page that is rewritten at every validation."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from pointmask.drawing.overlay import MASK_COLOUR
from pointmask.drawing.page import FIGURE_STYLE, origin, page
from pointmask.io.files import write_whole
from pointmask.io.layout import RUN_CONFIG, RUN_TAG
from pointmask.printable import escape, escape_lines
from pointmask_trainer.config import Config
from pointmask_trainer.detectors.base import parameter_count
from pointmask_trainer.run.choice import best_of
from pointmask_trainer.training.curves import Curve, line_chart
from pointmask_trainer.training.gallery import SHOWN, Gallery
from pointmask_trainer.training.loop import Loop
from pointmask_trainer.training.prepare import SEEN, said_of

_VERSIONS_LISTED = 200
_KEYS = (
    ("val_unseen", "never seen"),
    ("val_labels", "labels"),
    ("val_truth", "true masks"),
    ("val_network_truth", "true masks, network alone"),  # where the operator draws the masks
)
_POINT_FIGURES = (("f1", "F1"), ("precision", "precision"), ("recall", "recall"))

Lines = Sequence[dict[str, Any]]  # of metrics.jsonl


def write_run_report(
    path: Path,
    config: Config,
    loop: Loop,
    lines: Lines,
    gallery: Gallery,
    learned: str = "",
    *,
    data: Path | None = None,
    command: str = "",
    unseen: int = 0,
) -> None:
    """Write the page of a run.

    Parameters
    ----------
    path : Path
        Replaced as a whole.
    config : Config
    loop : Loop
        The training; it is not changed.
    lines : sequence of dict
        Metrics of all epochs so far.
    gallery : Gallery
        Of the last validation.
    learned : str
        Section from `pointmask_trainer.analysis`, as HTML.
    data : Path, optional
        The training folder.
    command : str
        That began or resumed the run; both are named on the page.
    unseen : int
        Validation images that are kept apart.
    """
    name = path.resolve().parent.name
    text = page(
        f"pointmask run: {escape(name)}",
        f"{_heading(config, loop, data, unseen)}<br>{origin(command)}",
        f'<div class="charts">{_charts(config, lines)}</div>\n'
        f"{_versions(lines)}\n"
        f"<details><summary>Settings: {RUN_CONFIG}</summary>"
        f"<pre>{escape_lines(config.to_toml())}</pre></details>\n"
        f"{learned}\n"
        f"{_pictures(gallery, lines)}\n",
        summary=f'<div class="summary"><dl class="numbers">{_numbers(config, loop, lines)}</dl></div>\n',
        style=f"{FIGURE_STYLE}\n{_style()}",
    )
    write_whole(path, text.encode("utf-8", "backslashreplace"), RUN_TAG)


def _style() -> str:
    return files("pointmask_trainer").joinpath("templates", "run.css").read_text("utf-8")


def _heading(config: Config, loop: Loop, data: Path | None, unseen: int) -> str:
    splits = loop.splits
    words = [
        config.model.name,
        f"{parameter_count(loop.model):,} parameters",
        f"strategy {config.strategy.name}",
        f"{len(splits['train']):,} images to train, {len(splits['val']):,} to validate",
        f"seed {config.seed}",
        *([] if data is None else [f"data {data}"]),
    ]
    heading = " &middot; ".join(map(escape, words))
    if not loop.strategy.sees_validation:
        return heading
    return f"{heading}<br>{escape(_sentence(said_of(unseen) if unseen else SEEN))}"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _numbers(config: Config, loop: Loop, lines: Lines) -> str:
    """Progress of the run, and figures of its best epoch."""
    items = [("epoch", f"{lines[-1]['epoch']:,} of {config.epochs:,}")]
    scored = [line for line in lines if _value(line, "val_labels", "iou") is not None]
    if scored:
        best = best_of(scored, loop.task.rank, len(loop.splits["val"]))
        items.append(("best epoch", f"{best['epoch']:,}"))
        for key, against in _KEYS:
            for figure, word in (("iou", "IoU"), ("pd", "Pd")):
                value = _value(best, key, figure)
                if value is not None:
                    items.append((f"val {word}, {against}", f"{value:.3f}"))
        for figure, word in _POINT_FIGURES:
            if (value := _value(best, "val_points", figure)) is not None:
                items.append((f"val {word}, clicks", f"{value:.3f}"))
    items.append(("images/s", f"{lines[-1]['images_per_second']:,.1f}"))
    return "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in items)


def _charts(config: Config, lines: Lines) -> str:
    ious = [
        Curve(
            against,
            [(line["epoch"], value) for line in lines if (value := _value(line, key, "iou")) is not None],
            dashed=key != "val_labels",
        )
        for key, against in (*_KEYS[1:], _KEYS[0])
    ]
    charts = [
        line_chart("Loss", [_curve(lines, "loss")], last=config.epochs),
        line_chart("IoU on the validation list", ious, last=config.epochs, top=1.0),
        *_point_charts(config, lines),
        line_chart("Learning rate", [_curve(lines, "lr")], last=config.epochs),
    ]
    return "".join(charts)


def _point_charts(config: Config, lines: Lines) -> list[str]:
    """Precision, recall and F1 of a network that finds points."""
    if not any("val_points" in line for line in lines):
        return []
    curves = [
        Curve(
            word,
            [
                (line["epoch"], value)
                for line in lines
                if (value := _value(line, "val_points", figure)) is not None
            ],
            dashed=figure != "f1",
        )
        for figure, word in _POINT_FIGURES
    ]
    return [line_chart("Points on the validation list", curves, last=config.epochs, top=1.0)]


def _curve(lines: Lines, key: str) -> Curve:
    return Curve(key, [(line["epoch"], line[key]) for line in lines])


def _versions(lines: Lines) -> str:
    """Epochs after which labels were replaced."""
    first: dict[int, int] = {}
    for line in lines:
        first.setdefault(line["labels"], line["epoch"])
    if len(first) < 2:
        return ""
    rows = "".join(
        f"<tr><td>{version}</td><td>{epoch}</td></tr>"
        for version, epoch in list(first.items())[-_VERSIONS_LISTED:]
    )
    return (
        f"<details><summary>Labels: version {lines[-1]['labels']}</summary><div class='scroll'><table>"
        f"<tr><th>version</th><th>after epoch</th></tr>{rows}</table></div></details>"
    )


def _pictures(gallery: Gallery, lines: Lines) -> str:
    tiles = gallery.tiles()
    if not tiles:
        return ""
    return (
        f"<h2>Worst of the validation list, at most {SHOWN}, after epoch {lines[-1]['epoch']:,}</h2>"
        f'<div class="legend"><span>outline <b style="color:{MASK_COLOUR}">&#9632;</b></span>'
        "<span>probability 0 <i></i> 1</span><span>white square: the enlarged part</span></div>"
        f'<ol class="tiles">{tiles}</ol>'
    )


def _value(line: dict[str, Any], key: str, figure: str) -> float | None:
    scores = line.get(key)
    return None if scores is None else scores[figure]

"""``pointmask evaluate``: weights and true masks in; tables, ``metrics.json`` and charts out."""

from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pointmask.advice import command, install, unused
from pointmask.cli import advise, called, say
from pointmask.cli.options import dead_pixels_option, json_option
from pointmask.errors import OutputError
from pointmask.io.layout import IMAGES
from pointmask.io.own import check_set, is_json_of
from pointmask.printable import printable_json
from pointmask_trainer.cli.options import (
    device_option,
    existing_folder,
    flips_option,
    masks_by_option,
    weights_argument,
)
from pointmask_trainer.cli.places import check_data, check_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pointmask.defects import DeadPixels
    from pointmask_trainer.inference.evaluate import Evaluation, Probabilities
    from pointmask_trainer.inference.evaluate_folder import FolderEvaluation
    from pointmask_trainer.run.mask_settings import MaskSource

_METRICS, _CHARTS, _PAGE = "metrics.json", ("curves.png", "sizes.png"), "report.html"
_TITLES = dict(zip(("Curves over thresholds", "By size of the target"), _CHARTS, strict=True))
_KEYS = ("weights", "model", "threshold", "all")  # of metrics.json, by which it is known


@click.command(short_help="How good a detector is: IoU, nIoU, Pd, Fa and their curves.")
@weights_argument
@click.argument("data", type=existing_folder)
@click.option(
    "--list",
    "id_list",
    metavar="val|train|test|all|FILE",
    help="Which images: a list of DATA (else of RUN), all, or a list's file.  [default: the validation list "
    "of RUN in its own DATA, all images of another]",
)
@click.option("--masks", type=existing_folder, help="True masks.  [default: DATA/masks]")
@masks_by_option
@dead_pixels_option("as trained")
@flips_option
@click.option(
    "--include",
    metavar="PATTERN",
    help="Only images of such names: 'Misc_*'.  [default: as RUN was trained]",
)
@click.option(
    "--within",
    type=click.FloatRange(0),
    default=5.0,
    show_default=True,
    metavar="PX",
    help="Points nearer to the true target's centre than this, and those at it, are right.",
)
@click.option(
    "--save-predictions",
    "predictions",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write each image's probabilities by the network as 16-bit PNG, 65535 for 1.",
)
@device_option
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("pointmask-evaluation"),
    show_default=True,
    help="Folder for metrics.json, curves.png and sizes.png.",
)
@click.option(
    "--report",
    is_flag=True,
    help="Write report.html: misses, false alarms and the least overlaps, in pictures.",
)
@json_option
@click.option("--overwrite", is_flag=True, help="Replace the files of an earlier evaluation.")
def evaluate(
    weights: Path,
    data: Path,
    id_list: str | None,
    masks: Path | None,
    masks_by: "MaskSource | None",
    dead_pixels: "DeadPixels | None",
    flips: bool,
    include: str | None,
    within: float,
    predictions: Path | None,
    device: str,
    out: Path,
    report: bool,
    as_json: bool,
    overwrite: bool,
) -> None:
    """Score a detector on images of DATA with true masks, at native resolution.

    RUN|WEIGHTS is a run of pointmask train, of which the best epoch is taken, or a .safetensors file; builtin
    stands for the weights that come with the package. The test list is read only here, and only with --list
    test.
    """
    from pointmask.cli.progress import progress_display
    from pointmask.executors import Progress
    from pointmask_trainer.data.layout import image_folder
    from pointmask_trainer.inference.evaluate_folder import evaluate_folder
    from pointmask_trainer.inference.report.tables import to_json

    check_weights(weights, [data])
    check_data(data, masks)
    reads = [data, data / IMAGES, masks, *(path for path in (weights, Path(id_list or "")) if path.is_file())]
    check_set(
        out, (_METRICS, *_CHARTS, _PAGE), reads, lambda path: is_json_of(path, _KEYS), overwrite=overwrite
    )
    saved = None if predictions is None else _Saved(predictions, reads, overwrite=overwrite)
    done = count(1)
    with progress_display() as show:

        def on_prediction(key: str, images: int, probabilities: "Probabilities") -> None:
            if saved is not None:
                saved.save(f"{key}.png", probabilities)
            show(Progress(next(done), images, 0, 0))

        scored = evaluate_folder(
            weights,
            data,
            id_list,
            masks=masks,
            masks_by=masks_by,
            dead_pixels=dead_pixels,
            flips=flips,
            include=include,
            within=within,
            device=device,
            on_prediction=on_prediction,
            keep_worst=report,
        )
    for note in scored.notes:
        say(f"Note: {note}", err=True)
    if as_json:
        say(*printable_json(to_json(scored.evaluation, scored.facts)).splitlines())
    else:
        _print_tables(scored.evaluation)
    _save(scored, out, tells=not as_json)
    if as_json:
        return
    again = () if report else (called("--report", "--overwrite"),)
    advise(*again, command("predict", weights, image_folder(data), "--out", unused("detections")))


class _Saved:
    """Images of probabilities in a folder that lists them, so that no other file is ever replaced."""

    def __init__(self, folder: Path, reads: "Sequence[Path | None]", *, overwrite: bool) -> None:
        from pointmask.io.listed import OwnFiles
        from pointmask.io.own import check_apart, check_folder

        check_folder(folder)
        check_apart([folder], reads)
        if not overwrite and folder.is_dir() and any(folder.iterdir()):
            raise OutputError(
                f"{folder} exists already; choose another folder, or replace it with --overwrite"
            )
        self._folder, self._own = folder, OwnFiles(folder)
        self._listed = self._own.names()

    def save(self, name: str, probabilities: "Probabilities") -> None:
        """Write the image of one frame."""
        import numpy as np

        from pointmask.io.files import write_whole
        from pointmask.io.images.array import encode_png
        from pointmask.io.own import check_free

        check_free(self._folder, [name], self._listed)
        if name not in self._listed:
            self._own.add([name], durable=False)
            self._listed.add(name)
        data = encode_png(np.rint(65535 * probabilities).astype(np.uint16))
        write_whole(self._folder / name, data, durable=False)


def _print_tables(evaluation: "Evaluation") -> None:
    from rich.console import Console

    from pointmask_trainer.inference.report.tables import LEGEND, tables

    console = Console(highlight=False)
    for table in tables(evaluation):
        console.print(table)
    console.print(LEGEND, style="dim", markup=False)


def _save(scored: "FolderEvaluation", out: Path, *, tells: bool) -> None:
    from pointmask.drawing.page import made_by
    from pointmask.io.files import write_whole
    from pointmask_trainer.inference.report.tables import to_json

    evaluation, facts = scored.evaluation, scored.facts
    contents = {_METRICS: to_json(evaluation, facts).encode()}
    if find_spec("matplotlib"):
        from pointmask_trainer.inference.report.chart import curves_png, sizes_png

        title = f"{facts['model']} on {facts['list']} ({evaluation.whole.images:,} images)"
        origin = made_by(called())
        charts = (curves_png(evaluation, title, origin), sizes_png(evaluation, title, origin))
        contents |= dict(zip(_CHARTS, charts, strict=True))
    else:
        say(f"No charts, as matplotlib is missing; install it with: {install('train')}", err=True)
    if scored.worst is not None:
        drawn = {heading: contents[name] for heading, name in _TITLES.items() if name in contents}
        text = scored.worst.page(evaluation, facts, called(), drawn)
        contents[_PAGE] = text.encode("utf-8", "backslashreplace")
    for name, content in contents.items():
        write_whole(out / name, content)
        if tells:
            say(str(out / name))

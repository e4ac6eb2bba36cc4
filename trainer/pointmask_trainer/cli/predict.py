"""``pointmask predict``: weights and images in; masks, points and scores out."""

import json
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pointmask.advice import command, unused
from pointmask.cli import EXIT_SOME_SKIPPED, advise, called, complain, say
from pointmask.cli.options import dead_pixels_option, json_option, source_options
from pointmask.io.layout import POINTS, RESULTS
from pointmask.printable import printable_json
from pointmask_trainer.cli.options import device_option, flips_option, masks_by_option, weights_argument
from pointmask_trainer.cli.places import check_weights

if TYPE_CHECKING:
    from pointmask.defects import DeadPixels
    from pointmask.theta import Polarity
    from pointmask_trainer.inference.predict import PredictSummary
    from pointmask_trainer.run.mask_settings import MaskSource


@click.command(short_help="Targets in new images: masks, points, scores.")
@weights_argument
@click.argument("images", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Output folder.")
@source_options
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="Pixels of a higher probability are target.",
)
@masks_by_option
@dead_pixels_option("as trained")
@click.option(
    "--soft", is_flag=True, help="Write soft/ too: the network's probabilities as 16-bit PNG, 65535 for 1."
)
@click.option(
    "--tile",
    type=click.IntRange(16),
    help="Larger frames are cut into tiles of this side.  [default: as the detector was trained]",
)
@click.option("--overlap", type=click.IntRange(0), help="Of tiles, in px.  [default: 64, or a quarter]")
@flips_option
@device_option
@click.option("--report", is_flag=True, help="Write report.html: the targets, the least sure first.")
@json_option
@click.option("--overwrite", is_flag=True, help="Redo everything, and replace results of earlier jobs.")
def predict(
    weights: Path,
    images: Path,
    out: Path,
    raw: str | None,
    radiometric: bool,
    id_list: Path | None,
    threshold: float,
    masks_by: "MaskSource | None",
    dead_pixels: "DeadPixels | None",
    soft: bool,
    tile: int | None,
    overlap: int | None,
    flips: bool,
    device: str,
    report: bool,
    as_json: bool,
    overwrite: bool,
) -> None:
    """Find targets in IMAGES, a folder, zip or tar archive, with a trained detector.

    \b
    pointmask predict run images --out found
    pointmask predict builtin images --out found    # no training: weights that never saw a real image

    OUT gets masks/, points.csv (image,x,y,frame,score,mean,area: centroid, largest and mean probability) and
    predictions.jsonl. Run the same command again after an interruption: it does only what is missing.
    Images that cannot be read are skipped and listed; the exit status is then 3, as it is if nothing is
    found in 10 images or more, or half of the pixels of most.

    Found are targets like those of the training: builtin, and a run without masks.polarity, know bright ones
    alone. Where targets are darker than their surroundings, propose with --polarity dark finds candidates.
    """  # noqa: D301 - click wants the character
    from pointmask.cli.progress import progress_display
    from pointmask.folder.output import check_page
    from pointmask.io.images.open import open_source
    from pointmask.io.points.lists import read_ids
    from pointmask.places import check_images
    from pointmask_trainer.detectors.flips import average_flips
    from pointmask_trainer.distributed import choose_device
    from pointmask_trainer.inference.operator_masks import OperatorMasks
    from pointmask_trainer.inference.predict import predict_source
    from pointmask_trainer.inference.predictions import PredictionSettings
    from pointmask_trainer.inference.tiles import overlap_of
    from pointmask_trainer.run.checkpoint import load_model, weights_path

    check_weights(weights, [images])
    check_images(images)
    if report:
        check_page(out)
    source = open_source(images, raw=raw, radiometric=radiometric)
    only = read_ids(id_list) if id_list else None
    model, card = load_model(weights, choose_device(device))
    if flips:
        average_flips(model)
    tile = model.tile if tile is None else tile
    overlap = overlap_of(tile) if overlap is None else overlap
    if overlap >= tile:
        raise click.UsageError(f"--overlap {overlap} must be smaller than --tile {tile}")
    digest = blake2b(weights_path(weights).read_bytes(), digest_size=8).hexdigest()
    operator = OperatorMasks.of(card.masks, card.model.name, masks_by)
    drawn = {} if operator is None else operator.facts()
    dead_pixels = card.model.dead_pixels if dead_pixels is None else dead_pixels
    settings = PredictionSettings(
        digest,
        threshold,
        tile,
        overlap,
        str(source.reading),
        **drawn,
        dead_pixels=dead_pixels,
        flips=flips,
    )
    with progress_display() as show:
        summary = predict_source(
            model,
            card.normalisation,
            source,
            out,
            settings,
            operator=operator,
            soft=soft,
            only=only,
            overwrite=overwrite,
            reads=[weights_path(weights), *([id_list] if id_list else [])],
            progress=show,
        )
    if as_json:
        say(*printable_json(json.dumps(_facts(summary, out), indent=1)).splitlines())
    else:
        _print_summary(summary, out)
    if report:
        from pointmask_trainer.inference.report.predictions import write_prediction_report

        page = write_prediction_report(out, source, called())
        say(f"Report:  {page}  (open it in a browser)", err=as_json)
    _say_next(summary, images, out, polarity=card.masks.polarity, as_json=as_json)
    if summary.skipped or summary.why_senseless:
        raise SystemExit(EXIT_SOME_SKIPPED)


def _say_next(
    summary: "PredictSummary", images: Path, out: Path, *, polarity: "Polarity", as_json: bool
) -> None:
    """Say what comes next, and what is wrong if the predictions make no sense."""
    from pointmask.places import true_masks_of

    if as_json:
        pass
    elif (truth := true_masks_of(images)) is not None:
        advise(command("score", out, "--truth", truth, "--images", images, "--out", unused("score")))
    elif summary.targets:
        table = out / POINTS
        advise(command("click", images, "--proposals", table, "--out", unused("reviewed")))
    if summary.why_senseless:
        tell = complain if as_json else say
        tell(
            f"WARNING: {summary.why_senseless}",
            "What to do: compare these images with those of the training "
            "(range of grey values, sensor, size of targets: pointmask check), or try another --threshold"
            + ("" if summary.targets else _of_other_polarity(polarity, images)),
        )


def _of_other_polarity(polarity: "Polarity", images: Path) -> str:
    """Say how to look for targets that a detector was not made for."""
    if polarity == "auto":
        return ""
    other = "dark" if polarity == "bright" else "bright"
    call = command("propose", images, "--polarity", other, "--out", unused("proposals.csv"))
    return f". This detector was made for {polarity} targets; candidates of {other} ones come from {call}"


def _facts(summary: "PredictSummary", out: Path) -> dict[str, Any]:
    """Return the summary as it is printed as JSON."""
    places = {"masks": str(out / RESULTS["mask"]), "points": str(out / POINTS)}
    return {**asdict(summary), **places}


def _print_summary(summary: "PredictSummary", out: Path) -> None:
    from pointmask.cli.summary import list_some

    resumed = f" ({summary.resumed:,} done before)" if summary.resumed else ""
    say(f"images   {summary.done + summary.resumed:,}{resumed}")
    say(f"targets  {summary.targets:,}")
    if summary.skipped:
        list_some("Skipped", [f"{name}: {reason}" for name, reason in summary.skipped], "")
    say(f"Masks:   {out / RESULTS['mask']}")
    say(f"Points:  {out / POINTS}")

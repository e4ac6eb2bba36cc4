"""``pointmask demo``: annotate five built-in scenes and print the paths to open."""

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pointmask.advice import command, unused
from pointmask.cli import advise, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pointmask.synth.scenes import Scene


@click.command(short_help="Five built-in scenes.")
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), default="pointmask-demo")
@click.option(
    "--scenes",
    metavar="N",
    type=click.IntRange(1, 100_000),
    help="Instead: N scenes with points and exact masks, to train and score on; nothing is annotated.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of --scenes.")
@click.option("--overwrite", is_flag=True, help="Replace an earlier demo.")
def demo(folder: Path, scenes: int | None, seed: int, overwrite: bool) -> None:
    """Write five infrared scenes with points into DIR (pointmask-demo), annotate them and write a report."""
    from pointmask.io.layout import IMAGES, POINT_LIST, TRUE_MASKS
    from pointmask.synth.scenes import demo_scenes, make_scenes

    if scenes is not None:
        made = list(make_scenes(scenes, seed, shape=(128, 128)))
        _put(made, folder, overwrite, masks=True, more=f" --scenes {scenes} --seed {seed}")
        targets = sum(len(scene.points) for scene in made)
        say(f"{scenes} scenes with {targets} targets: {folder / IMAGES}")
        say(f"Points: {folder / POINT_LIST}", f"Masks:  {folder / TRUE_MASKS}")
        given = (folder / IMAGES, "--points", folder / POINT_LIST)
        advise(
            command("check", *given, "--masks", folder / TRUE_MASKS),
            command("annotate", *given, "--out", unused("labels"), "--report"),
        )
        return
    _put(demo_scenes(), folder, overwrite)
    _annotate(folder, overwrite)


def _put(
    scenes: "Sequence[Scene]", folder: Path, overwrite: bool, *, masks: bool = False, more: str = ""
) -> None:
    """Write scenes and their points, and their exact masks where asked for, unless that is done."""
    from pointmask.errors import OutputError, WriteError
    from pointmask.io.files import staged
    from pointmask.io.layout import IMAGES, POINT_LIST, TRUE_MASKS
    from pointmask.io.listed import put_own

    for path in (folder / IMAGES, folder / POINT_LIST, *([folder / TRUE_MASKS] if masks else [])):
        if path.exists() and not overwrite:
            raise OutputError(
                f"{path} exists; make the demo again with: pointmask demo {folder}{more} --overwrite"
            )
    try:
        with staged(folder) as made:
            write_scenes(scenes, made / IMAGES, made / POINT_LIST, made / TRUE_MASKS if masks else None)
            put_own(made, folder, drop=False)
    except WriteError as error:
        raise OutputError(
            f"the demo cannot be written to {folder} ({error}); choose another folder"
        ) from None


def _annotate(folder: Path, overwrite: bool) -> None:
    """Annotate the scenes of a folder, and say what to open and what to do next."""
    from pointmask.cli.summary import announce_compilation, show_summary
    from pointmask.folder.job import annotate_folder
    from pointmask.io.layout import IMAGES, POINT_LIST

    images, points, out = folder / IMAGES, folder / POINT_LIST, folder / "result"
    announce_compilation()
    summary = annotate_folder(
        images,
        points,
        out,
        polarity="auto",
        save=("mask", "soft", "instance", "overlay"),
        report=True,
        overwrite=overwrite,
    )
    show_summary(summary)
    say(f"Pictures: {out / 'overlays'}")
    say("Your own images: pointmask annotate IMAGES --points points.csv --out labels --report")
    advise(
        f"{_program()} click {shlex.quote(str(images))} --polarity auto",
        f"{_program()} demo {shlex.quote(str(unused('frames')))} --scenes 60",
    )


def _program() -> str:
    """Return what the user types to run pointmask here, where ``make`` may have put it on no path."""
    return "pointmask" if shutil.which("pointmask") else shlex.quote(sys.argv[0])


def write_scenes(scenes: "Sequence[Scene]", images: Path, points: Path, masks: Path | None = None) -> None:
    """Write scenes as a folder of PNG images, a CSV point list and, where asked for, a folder of masks."""
    from pointmask.io.files import write_whole
    from pointmask.io.formats.tables.csv import Csv
    from pointmask.io.images.array import encode_png
    from pointmask.io.points.points import Point, Points

    for scene in scenes:
        write_whole(images / f"{scene.name}.png", encode_png(scene.image))
        if masks is not None:
            write_whole(masks / f"{scene.name}.png", encode_png(scene.mask))
    by_image = {f"{scene.name}.png": tuple(Point(row, col) for row, col in scene.points) for scene in scenes}
    Csv().write(Points(by_image), points)

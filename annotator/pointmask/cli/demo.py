"""``pointmask demo``: annotate five built-in scenes and print the paths to open."""

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pointmask.cli import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pointmask.synth.scenes import Scene


@click.command(short_help="Five built-in scenes.")
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), default="pointmask-demo")
@click.option("--overwrite", is_flag=True, help="Replace an earlier demo.")
def demo(folder: Path, overwrite: bool) -> None:
    """Write five infrared scenes with points into DIR (pointmask-demo), annotate them and write a report."""
    from pointmask.cli.summary import announce_compilation, show_summary
    from pointmask.errors import OutputError, WriteError
    from pointmask.folder.job import annotate_folder
    from pointmask.io.files import staged
    from pointmask.io.layout import IMAGES, POINT_LIST
    from pointmask.io.listed import put_own
    from pointmask.synth.scenes import demo_scenes

    images, points, out = folder / IMAGES, folder / POINT_LIST, folder / "result"
    for path in (images, points):
        if path.exists() and not overwrite:
            raise OutputError(f"{path} exists; make the demo again with: pointmask demo {folder} --overwrite")
    scenes = demo_scenes()
    try:
        with staged(folder) as made:
            write_scenes(scenes, made / IMAGES, made / POINT_LIST)
            put_own(made, folder, drop=False)
    except WriteError as error:
        raise OutputError(
            f"the demo cannot be written to {folder} ({error}); choose another folder"
        ) from None
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
    say("", f"Now yours:  pointmask annotate IMAGES --points {points.name} --out masks-out --report")
    say(f"On a page:  {_program()} click {shlex.quote(str(images))} --polarity auto")


def _program() -> str:
    """Return what the user types to run pointmask here, where ``make`` may have put it on no path."""
    return "pointmask" if shutil.which("pointmask") else shlex.quote(sys.argv[0])


def write_scenes(scenes: "Sequence[Scene]", images: Path, points: Path) -> None:
    """Write scenes as a folder of PNG images and a CSV point list."""
    from pointmask.io.files import write_whole
    from pointmask.io.formats.tables.csv import Csv
    from pointmask.io.images.array import encode_png
    from pointmask.io.points.points import Point, Points

    for scene in scenes:
        write_whole(images / f"{scene.name}.png", encode_png(scene.image))
    by_image = {f"{scene.name}.png": tuple(Point(row, col) for row, col in scene.points) for scene in scenes}
    Csv().write(Points(by_image), points)

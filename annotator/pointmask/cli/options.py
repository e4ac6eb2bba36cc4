"""Options that several commands share, worded once."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

F = TypeVar("F", bound=Callable[..., object])

FORMATS = (
    "csv", "jsonl", "coco", "labelme", "cvat", "labelstudio", "voc", "yolo", "yolo-seg", "via", "napari",
    "mclc", "point_images", "masks", "native", "basicirstd", "pal",
)  # fmt: skip
"""The keys of `pointmask.io.formats.FORMATS`, repeated so that help need not load numpy."""

point_format_option = click.option(
    "--points-format",
    "--format",
    "point_format",
    metavar="NAME",
    help=f"Format of the points, if it is not recognised: {', '.join(FORMATS)}.",
)

polarity_option = click.option(
    "--polarity",
    type=click.Choice(["bright", "dark", "auto"]),
    default="bright",
    show_default=True,
    help="Targets against their background.",
)

_image_options = (
    click.option("--raw", metavar="WxH:TYPE", help="Read .bin, .raw, .dat, .img: 640x512:u16le[:OFFSET]."),
    click.option(
        "--radiometric/--no-radiometric",
        default=True,
        show_default=True,
        help="Of a FLIR radiometric JPEG, take the thermal raster.",
    ),
)

_list_option = click.option(
    "--list", "listed", type=click.Path(path_type=Path), help="Only the images of this list of ids."
)


def image_options(command: F) -> F:
    """Add what `pointmask.io.images.open.open_source` needs to know of the images."""
    for option in reversed(_image_options):
        command = option(command)
    return command


def source_options(command: F) -> F:
    """Add what `pointmask.io.images.open.open_source` needs to know of the images, and ``--list``."""
    return image_options(_list_option(command))

"""Options that several commands share, worded once."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from pointmask.cli.plugins import NamesOption
from pointmask.io.formats.registry import FORMATS, layouts, saved_as

F = TypeVar("F", bound=Callable[..., object])


def written_formats() -> str:
    """Names of all formats that can be written, for help."""
    return _by_layout({name: name for name in sorted(layouts())})


def saved_documents() -> str:
    """Names of the formats that ``--save`` writes, with the files, for help."""
    files = saved_as()
    return _by_layout({name: name if name == file else f"{name} ({file})" for name, file in files.items()})


def _by_layout(entries: dict[str, str]) -> str:
    kinds = layouts()
    groups = {
        what: ", ".join(text for name, text in entries.items() if kinds[name] == layout)
        for layout, what in _LAYOUTS.items()
    }
    return "; ".join(f"{what}: {names}" for what, names in groups.items())


_LAYOUTS = {
    "file": "one file",
    "folder": "a folder",
    "training folder": "a training folder, in which images are linked",
}

point_format_option = click.option(
    "--points-format",
    "--format",
    "point_format",
    metavar="NAME",
    cls=NamesOption,
    registry=FORMATS,
    help="Format of the points, if it is not recognised",
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

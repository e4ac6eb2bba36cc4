"""Options that several commands share, worded once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from pointmask.io.formats import FORMATS, layouts, saved_as

F = TypeVar("F", bound=Callable[..., object])


class LateHelp(click.Option):
    """An option whose help is written when it is shown: what it lists, other packages may add to.

    Parameters
    ----------
    write : callable
        Returns the help.
    """

    def __init__(self, *arguments: Any, write: Callable[[], str], **attributes: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments, **attributes)
        self._write = write

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Name and help."""
        self.help = self._write()
        return super().get_help_record(ctx)


def format_names() -> str:
    """Names of all formats that can be read, for help."""
    return ", ".join(sorted(FORMATS))


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
    cls=LateHelp,
    write=lambda: f"Format of the points, if it is not recognised: {format_names()}.",
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

"""Options shared by several commands."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click
from click.core import ParameterSource

from pointmask.cli.plugins import NamesOption
from pointmask.io.formats.registry import FORMATS, layouts, saved_as

F = TypeVar("F", bound=Callable[..., object])


def written_formats() -> str:
    """Return the names of all formats that can be written, for help."""
    return _by_layout({name: name for name in sorted(layouts())})


def saved_documents() -> str:
    """Return the names of the formats that ``--save`` writes, with their files, for help."""
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
    help="Polarity of the targets against their background.",
)

style_option = click.option(
    "--style",
    metavar="tight|core|halo|PX",
    help="How masks are drawn: smaller than the visible core, to it, or to its halo, or by how many px of "
    "margin; instead of theta's. `pointmask calibrate` finds yours from five masks.",
)


def data_set_name(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Refuse a name of a data set that would be a path."""
    if value is not None and (not value.strip() or set(value) & set("/\\") or value.startswith(".")):
        raise click.BadParameter(f"{value!r} is no name of a data set; give a word, such as mine")
    return value


def refuse_idle(parameter: str, belongs: str, *, idle: bool) -> None:
    """
    Refuse an option that was given and would change nothing, as it would leave a user in the wrong belief.

    Parameters
    ----------
    parameter : str
        Its name in the running command.
    belongs : str
        What follows on its name in the message: to which other option it belongs.
    idle : bool
        Whether it changes nothing.
    """
    context = click.get_current_context()
    if idle and context.get_parameter_source(parameter) is ParameterSource.COMMANDLINE:
        option = next(option for option in context.command.params if option.name == parameter)
        raise click.UsageError(f"{option.opts[0]} {belongs}; leave it out, or give both")


def dead_pixels_option(default: str) -> Callable[[F], F]:
    """Return the option ``--dead-pixels``, whose help tells a default."""
    return click.option(
        "--dead-pixels",
        type=click.Choice(["replace", "keep"]),
        help="Pixels that stand alone far off all their neighbours: keep them where targets of one pixel "
        f"look so.  [default: {default}]",
    )


json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print the figures as JSON instead of tables, and nothing else."
)

_image_options = (
    click.option(
        "--raw",
        metavar="WxH:TYPE",
        help="Read .bin, .raw, .dat, .img: 640x512:u16le[:OFFSET]. With text: matrices of numbers in .csv.",
    ),
    click.option(
        "--radiometric/--no-radiometric",
        default=True,
        show_default=True,
        help="Read the thermal raster of FLIR radiometric JPEGs.",
    ),
)

_list_option = click.option(
    "--list", "id_list", type=click.Path(path_type=Path), help="Only the images of this list of ids."
)


def image_options(command: F) -> F:
    """Add the options of `pointmask.io.images.open.open_source`."""
    for option in reversed(_image_options):
        command = option(command)
    return command


def source_options(command: F) -> F:
    """Add the options of `pointmask.io.images.open.open_source`, and ``--list``."""
    return image_options(_list_option(command))

"""Options that several commands share, worded once."""

import click

point_format_option = click.option(
    "--format", "point_format", metavar="NAME", help="Point format, if it is not recognised."
)

polarity_option = click.option(
    "--polarity",
    type=click.Choice(["bright", "dark", "auto"]),
    default="bright",
    show_default=True,
    help="Targets against their background.",
)

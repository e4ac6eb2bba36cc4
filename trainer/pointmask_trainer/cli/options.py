"""Options that are shared by several commands."""

from pathlib import Path

import click

device_option = click.option(
    "--device", metavar="NAME", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 ..."
)

list_option = click.option(
    "--include",
    metavar="PATTERN",
    default="*",
    show_default=True,
    help="Only images of such names: 'Misc_*'.",
)

existing_folder = click.Path(exists=True, file_okay=False, path_type=Path)

masks_by_option = click.option(
    "--masks-by",
    type=click.Choice(["operator", "network"]),
    help="Who draws the masks: the annotator at the predicted points, or the network.  [default: as trained]",
)

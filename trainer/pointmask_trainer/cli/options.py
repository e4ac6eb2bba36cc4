"""Options that are shared by several commands."""

import os
from pathlib import Path

import click

from pointmask_trainer.run.layout import BUILTIN

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


class Weights(click.Path):
    """A run, a checkpoint or a file of weights that exists, or the name of the weights of the package."""

    name = "weights"

    def __init__(self) -> None:
        super().__init__(exists=True, path_type=Path)

    def convert(
        self, value: "str | os.PathLike[str]", param: click.Parameter | None, ctx: click.Context | None
    ) -> "str | bytes | os.PathLike[str]":
        """Pass on the name, or a path that exists."""
        return Path(BUILTIN) if value == BUILTIN else super().convert(value, param, ctx)


weights_argument = click.argument("weights", type=Weights(), metavar="RUN|WEIGHTS|builtin")


existing_folder = click.Path(exists=True, file_okay=False, path_type=Path)

flips_option = click.option(
    "--flips",
    is_flag=True,
    help="Average over each frame's mirror images too: fewer false alarms, four times the network's time.",
)

masks_by_option = click.option(
    "--masks-by",
    type=click.Choice(["operator", "network"]),
    help="Who draws the masks: the annotator at the predicted points, or the network.  [default: as trained]",
)

"""The command line: a table of commands, each imported only when it is run.

So ``pointmask --help`` is instant and loads neither numpy nor numba, and no arrow leads from here to
the trainer: its commands are import strings. A command reads options, calls one function and prints.
May import: everything of pointmask. Open first: ``annotate.py``.
"""

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

from pointmask.errors import PluginWarning, PointmaskError
from pointmask.version import __version__

COMMANDS = {
    "annotate": (
        "pointmask.cli.annotate:annotate",
        "A folder of images and points in, a folder of masks out.",
    ),
    "demo": ("pointmask.cli.demo:demo", "Make and annotate five built-in scenes, to see what it does."),
    "check": (
        "pointmask.cli.check:check",
        "Say what is recognised in a folder, what is wrong and what to do.",
    ),
    "convert": (
        "pointmask.cli.convert:convert",
        "Annotations from one format into another: COCO, LabelMe, CVAT, YOLO and more.",
    ),
    "calibrate": (
        "pointmask.cli.calibrate:calibrate",
        "Fit the annotator to a few dozen masks of your own.",
    ),
    "bench": (
        "pointmask.cli.bench:bench",
        "Compare annotators, quality and time, side by side in one run.",
    ),
    "train": (
        "pointmask_trainer.cli.train:train",
        "Train a detector on masks, pseudo-masks or points.",
    ),
    "analyse": (
        "pointmask_trainer.cli.analyse:analyse",
        "Draw what a run learned: sample weights, theta and labels.",
    ),
    "evaluate": (
        "pointmask_trainer.cli.evaluate:evaluate",
        "Say how good a detector is: IoU, nIoU, Pd, Fa and their curves.",
    ),
    "select": (
        "pointmask_trainer.cli.select:select",
        "Keep the training images that a run learned most from.",
    ),
    "predict": (
        "pointmask_trainer.cli.predict:predict",
        "Find targets in new images: masks, points and scores.",
    ),
    "export": ("pointmask_trainer.cli.export:export", "Write a detector as ONNX, checked against torch."),
    "models": (
        "pointmask_trainer.cli.models:models",
        "List the detectors: parameters, operations and time.",
    ),
}
"""Command name to import string and one-line help."""

EXIT_STOPPED = 1
EXIT_BAD_ARGUMENTS = 2
EXIT_SOME_SKIPPED = 3

_OF_TRAINING = ("torch", "safetensors")  # packages of the extra "train"


class LazyGroup(click.Group):
    """A group that imports a command when it is run, and turns errors into messages."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as in click
        """Run a command; what a user can cause ends in one message and an exit status."""
        from pointmask.io.notes import gathering

        try:
            with _short_warnings(), gathering() as notes:
                try:
                    return super().invoke(ctx)
                finally:
                    show_notes(notes.lines())
        except PointmaskError as error:
            click.echo(f"Error: {printable(str(error))}", err=True)
            raise SystemExit(error.exit_status) from None
        except ModuleNotFoundError as error:
            if error.name not in _OF_TRAINING:
                raise
            click.echo(
                f"Error: this command needs {error.name}; install it with: pip install 'pointmask[train]'",
                err=True,
            )
            raise SystemExit(EXIT_BAD_ARGUMENTS) from None
        except KeyboardInterrupt:
            click.echo("\nStopped. What is finished is kept; run the same command again to go on.", err=True)
            raise SystemExit(EXIT_STOPPED) from None


@contextmanager
def _short_warnings() -> Iterator[None]:
    """Show warnings of broken packages as one line, without the line of code that warned."""
    as_usual = warnings.formatwarning

    def shorten(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
    ) -> str:
        if issubclass(category, PluginWarning):
            return f"Warning: {printable(str(message))}\n"
        return as_usual(message, category, filename, lineno, line)

    warnings.formatwarning = shorten
    try:
        yield
    finally:
        warnings.formatwarning = as_usual


def printable(text: str) -> str:
    """Replace what a terminal cannot show, such as undecodable bytes in a file name."""
    return text.encode("utf-8", "backslashreplace").decode()


def show_notes(notes: Iterable[str]) -> None:
    """Say what was assumed, a line each, where it does not mix with results."""
    for line in notes:
        click.echo(f"Note: {printable(line)}", err=True)


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="pointmask")
def main() -> None:
    """One click per infrared small target in, a pixel mask out.

    Start with: pointmask demo
    """

"""The command line: a table of commands, each imported only when it runs.

Therefore ``pointmask --help`` is instant and loads neither numpy nor numba. Commands of the trainer are
import strings, so nothing here imports it. A command parses options, calls one function and prints.
May import: everything of pointmask. Open first: ``annotating/annotate.py``.
"""

import errno
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from pointmask.errors import PluginWarning, PointmaskError, WriteError
from pointmask.printable import printable
from pointmask.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

COMMANDS = {
    "annotate": (
        "pointmask.cli.annotating.annotate:annotate",
        "Annotate a folder of images and points: a folder of masks.",
    ),
    "click": (
        "pointmask.cli.clicking.click:click_command",
        "Click on targets in the browser, see their masks, correct them.",
    ),
    "agree": (
        "pointmask.cli.clicking.agree:agree",
        "Compare the folders of several annotators on the images that they share.",
    ),
    "merge": ("pointmask.cli.clicking.merge:merge", "Put the folders of several annotators together."),
    "propose": (
        "pointmask.cli.propose:propose",
        "Find places where targets may be, without any training.",
    ),
    "demo": ("pointmask.cli.demo:demo", "Create and annotate five built-in scenes."),
    "check": (
        "pointmask.cli.check:check",
        "Report what a folder holds, what is wrong and what to do.",
    ),
    "convert": (
        "pointmask.cli.convert:convert",
        "Convert annotations between formats: COCO, LabelMe, CVAT, YOLO and more.",
    ),
    "calibrate": (
        "pointmask.cli.calibrate:calibrate",
        "Fit the annotator to a few dozen of your own masks.",
    ),
    "bench": (
        "pointmask.cli.measuring.bench:bench",
        "Compare annotators in quality and time, in one run.",
    ),
    "score": (
        "pointmask.cli.measuring.score:score",
        "Score masks of any origin against true masks.",
    ),
    "train": (
        "pointmask_trainer.cli.train:train",
        "Train a detector on masks, pseudo-masks or points.",
    ),
    "analyse": (
        "pointmask_trainer.cli.analyse:analyse",
        "Plot what a run learned: sample weights, theta and labels.",
    ),
    "evaluate": (
        "pointmask_trainer.cli.evaluate:evaluate",
        "Evaluate a detector: IoU, nIoU, Pd, Fa and their curves.",
    ),
    "select": (
        "pointmask_trainer.cli.select:select",
        "Select the training images from which a run learned most.",
    ),
    "predict": (
        "pointmask_trainer.cli.predict:predict",
        "Detect targets in new images: masks, points and scores.",
    ),
    "export": ("pointmask_trainer.cli.export:export", "Export a detector to ONNX, verified against torch."),
    "import-weights": (
        "pointmask_trainer.cli.import_weights:import_weights",
        "Import weights that others published, for predict and evaluate.",
    ),
    "completion": (
        "pointmask.cli.completion:completion",
        "Print what makes Tab complete commands, options and names in a shell.",
    ),
    "models": (
        "pointmask_trainer.cli.models:models",
        "List the detectors with parameters, operations and time.",
    ),
}
"""Command name to import string and one-line help."""

EXIT_BAD_ARGUMENTS = 2
EXIT_SOME_SKIPPED = 3

_AGAIN = "What is finished is kept; run the same command again (without --overwrite) to go on."
_KEPT = {
    "annotate": _AGAIN,
    "predict": _AGAIN,
    "train": "Finished epochs are kept; go on with the same command and --resume.",
    "click": "All that was clicked is kept; run the same command again to go on.",
    "merge": "Run the same command again.",
}
"""What an interrupted command leaves, and how to go on."""

_NOTHING = "Nothing was finished; run the same command again."

WORDS = "pointmask.words"
"""Key of the words of the command line in the context of click."""

_TRAIN_PACKAGES = ("torch", "safetensors")  # packages of the extra "train"

_QUIET = "pointmask.quiet"  # in the context of click: whether results and errors alone are printed

_EPILOG = (
    "Exit status: 0 done; 1 broken off, what is finished is kept; 2 a wrong call, or nothing that can be "
    "used; 3 done, but something was skipped or is doubtful, as is said; 129, 130, 143 ended by a signal."
)


class LazyGroup(click.Group):
    """A group that imports commands on demand and turns errors into messages."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the command names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        if not any(parameter.name == "quiet" for parameter in command.params):
            command.params.append(_quiet_option())
        command.epilog = command.epilog or _EPILOG
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete names of commands without importing them; options of the program as click does."""
        options = click.Command.shell_complete(self, ctx, incomplete)
        found = [(name, text) for name, (_, text) in COMMANDS.items() if name.startswith(incomplete)]
        return [*(CompletionItem(name, help=text) for name, text in found), *options]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse empty arguments: as a path, an unset variable of a shell would mean the present folder."""
        for before, argument in zip(["", *args], args, strict=False):
            if not argument or (argument.startswith("--") and argument.endswith("=")):
                name = before if not argument and before.startswith("--") else argument.rstrip("=")
                raise click.UsageError(
                    f"{name or 'an argument'} is empty; give a value (is a variable of the shell unset?)", ctx
                )
        ctx.meta[WORDS] = list(args)
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def main(self, args: Sequence[str] | None = None, *others: Any, **extra: Any) -> Any:  # noqa: ANN401 - as in click
        """Run a command line, the program's own if none is given."""
        try:
            return super().main(args, *others, **extra)
        except BaseException as end:
            if args is None:  # else the caller's process goes on
                from pointmask.stopping import note_status

                note_status(end)
            raise

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as in click
        """Run a command; errors that a user can cause end in one message and an exit status."""
        from pointmask.io.notes import gathering
        from pointmask.stopping import drop_output, end_at_once, signals_stop, status_of, stop_behind

        end_at_once()
        try:
            with signals_stop(), _short_warnings(), gathering() as notes:
                try:
                    return super().invoke(ctx)
                finally:
                    show_notes(notes.lines())
        except PointmaskError as error:
            complain(f"Error: {error}", *_nearer(error, ctx))
            raise SystemExit(error.exit_status) from None
        except click.ClickException as error:  # of click itself, which shows arguments as they are
            error.message = printable(error.message)  # type: ignore[misc]
            _explained(error, ctx)
            raise
        except ModuleNotFoundError as error:
            if error.name not in _TRAIN_PACKAGES:
                raise
            from pointmask.advice import install

            complain(f"Error: this command needs {error.name}; install it with: {install('train')}")
            raise SystemExit(EXIT_BAD_ARGUMENTS) from None
        except BrokenPipeError as error:
            drop_output()
            raise SystemExit(status_of(error)) from None
        except OSError as error:
            stopped = stop_behind(error)
            if stopped is not None:  # the terminal closed, and took the output with it
                drop_output()
                raise SystemExit(status_of(stopped)) from None
            if error.errno == errno.ENAMETOOLONG:
                complain(f"Error: {error.filename}: the name is too long for this disk; give a shorter one")
                raise SystemExit(EXIT_BAD_ARGUMENTS) from None
            if error.errno != errno.ENOSPC or error.filename is not None:
                raise
            drop_output()  # writers of files name them: this is the output, redirected to a disk that is full
            complain(
                f"Error: the output cannot be written ({error.strerror}); files that were finished are kept"
            )
            raise SystemExit(1) from None
        except KeyboardInterrupt as error:
            try:
                complain("", f"Stopped. {_KEPT.get(ctx.invoked_subcommand or '', _NOTHING)}")
            except OSError:  # of a terminal that is closed
                drop_output()
            raise SystemExit(status_of(error)) from None


def _explained(error: click.ClickException, ctx: click.Context) -> None:
    """Put the right command below click's word for a wrong call."""
    if not isinstance(error, click.UsageError):
        return
    from pointmask.near_paths import near_path
    from pointmask.slips import explain

    text, words = error.format_message(), ctx.meta.get(WORDS, [])
    if answer := explain(error, words, COMMANDS, _elsewhere) or near_path(text, words):
        error.format_message = lambda: f"{text}\n{printable(answer)}"  # type: ignore[method-assign]


def _nearer(error: PointmaskError, ctx: click.Context) -> Iterator[str]:
    """Yield the call with the path that was meant, where one that does not exist is the error."""
    from pointmask.near_paths import near_path

    if isinstance(error, WriteError):  # the place was there when the job began, and is gone
        return
    if answer := near_path(str(error), ctx.meta.get(WORDS, [])):
        yield answer


def _elsewhere(name: str, option: str) -> str | None:
    """Say what an option that `train` does not have is among its settings."""
    if name != "train":
        return None
    try:
        meanings = import_module("pointmask_trainer.meanings").MEANINGS
    except ModuleNotFoundError:
        return None
    known = {**meanings, **{place.rpartition(".")[2]: place for place in meanings.values()}}
    return f"--set {known[option]}=VALUE" if option in known else None


@contextmanager
def _short_warnings() -> Iterator[None]:
    """Show warnings about broken packages as one line, without the source line."""
    default_format = warnings.formatwarning

    def shorten(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
    ) -> str:
        if issubclass(category, PluginWarning):
            return f"Warning: {printable(str(message))}\n"
        return default_format(message, category, filename, lineno, line)

    warnings.formatwarning = shorten
    try:
        yield
    finally:
        warnings.formatwarning = default_format


def say(*lines: str, err: bool = False) -> None:
    """
    Print lines, as every command does: text from outside cannot break out of its line.

    Parameters
    ----------
    *lines : str
        Each becomes one line; see `pointmask.printable.printable`.
    err : bool
        Print on standard error what is no result; ``--quiet`` leaves it out.
    """
    if err and is_quiet():
        return
    for line in lines:
        click.echo(printable(line), err=err)


def complain(*lines: str) -> None:
    """Print what went wrong on standard error, ``--quiet`` or not."""
    for line in lines:
        click.echo(printable(line), err=True)


def advise(*commands: str) -> None:
    """Print the commands that come next, after the results; ``--quiet`` leaves them out."""
    if not is_quiet():
        for k, text in enumerate(commands):
            click.echo(f"{'       ' if k else 'Next:  '}{printable(text)}")


def is_quiet() -> bool:
    """Whether the running command prints its results and errors alone."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(_QUIET))


def _quiet_option() -> click.Option:
    def note(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
        if value:
            ctx.meta[_QUIET] = True

    return click.Option(
        ["-q", "--quiet"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=note,
        help="Print results and errors alone: no progress, notes or next commands.",
    )


def called(*more: "str | Path", instead: "Mapping[Path, Path] | None" = None) -> str:
    """
    Return the command line that runs, quoted for a shell.

    Parameters
    ----------
    *more : str or Path
        Words to add behind it.
    instead : Mapping, optional
        Paths to exchange for others.
    """
    from pointmask.advice import command

    words = click.get_current_context().meta.get(WORDS, sys.argv[1:])
    others = {str(path): str(other) for path, other in (instead or {}).items()}
    return command(*(others.get(word.rstrip("/"), word) for word in words), *more)


def show_notes(notes: Iterable[str]) -> None:
    """Print assumptions, one per line, on standard error, apart from the results."""
    for line in notes:
        say(f"Note: {line}", err=True)


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="pointmask")
def main() -> None:
    """One click per infrared small target in, a pixel mask out.

    Start with: pointmask demo
    """

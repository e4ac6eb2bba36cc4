"""``pointmask completion``: what makes Tab complete commands, options and names; click does the work."""

import os

import click

from pointmask.cli import say
from pointmask.errors import PointmaskError

_FILES = {"bash": "~/.bashrc", "zsh": "~/.zshrc", "fish": "~/.config/fish/completions/pointmask.fish"}


@click.command()
@click.argument("shell", required=False, type=click.Choice(list(_FILES)))
def completion(shell: str | None) -> None:
    """Print the script by which SHELL completes pointmask; without SHELL, that of yours.

    \b
    eval "$(pointmask completion bash)"     # in ~/.bashrc
    eval "$(pointmask completion zsh)"      # in ~/.zshrc
    pointmask completion fish > ~/.config/fish/completions/pointmask.fish

    Completed are commands, options, files, presets, and the names of detectors, strategies, methods and
    formats, those of other packages among them.
    """  # noqa: D301 - click wants the character
    from click.shell_completion import get_completion_class

    from pointmask.cli import main

    name = shell or os.path.basename(os.environ.get("SHELL", "bash"))  # noqa: PTH119 - it may be a word
    found = get_completion_class(name)
    if found is None:
        raise PointmaskError(f"shell {name} is unknown; name one: {', '.join(_FILES)}")
    say(*found(main, {}, "pointmask", "_POINTMASK_COMPLETE").source().splitlines())

"""The page of all commands: what ``--help`` says, with a heading for each command."""

from typing import Any

import click

from pointmask.cli import COMMANDS, main

PAGE = "reference/commands.md"
MARK = "<!-- commands -->"


def on_page_markdown(markdown: str, *, page: Any, **_: object) -> str:
    """Put the help of all commands where the page wants it."""
    return (
        markdown.replace(MARK, "\n\n".join(map(section, COMMANDS))) if page.file.src_uri == PAGE else markdown
    )


def section(name: str) -> str:
    """Format one command as Markdown.

    Importing a command loads neither torch nor numba, so the site is built without them.
    """
    with click.Context(main, info_name="pointmask", terminal_width=100) as above:
        command = main.get_command(above, name)
        assert command is not None
        with click.Context(command, above, name, terminal_width=100) as context:
            return f"## {name}\n\n```text\n{command.get_help(context)}\n```"

"""Names from a registry in the help of an option, and a line about each entry that cannot be used."""

from collections.abc import Sequence
from typing import Any

import click

from pointmask.cli import printable
from pointmask.registry import Registry


class NamesOption(click.Option):
    """An option whose help ends with the names in a registry, other packages' included.

    They are read when the help is shown; no entry is imported.

    Parameters
    ----------
    registry : Registry
    help : str
        Ends without a full stop.
    """

    def __init__(self, names: Sequence[str], *, registry: Registry[Any], **options: Any) -> None:  # noqa: ANN401 - as click has it
        super().__init__(names, **options)
        self._registry, self._sentence = registry, self.help

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option and its help."""
        self.help = f"{self._sentence}: {', '.join(self._registry)}."
        return super().get_help_record(ctx)


def report_broken(*registries: Registry[Any]) -> None:
    """Write a line to stderr about every entry of another package that cannot be used."""
    for registry in registries:
        for reason in registry.broken.values():
            click.echo(f"Warning: {printable(reason)}", err=True)

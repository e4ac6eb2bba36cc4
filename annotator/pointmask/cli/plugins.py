"""What registries hold, in the help of an option, and warnings about entries that cannot be used."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from pointmask.registry import Registry


class LateHelp(click.Option):
    """An option whose help is written when it is shown, as other packages may add to what it lists.

    Parameters
    ----------
    write : callable
        Returns the help.
    """

    def __init__(self, names: Sequence[str], *, write: Callable[[], str], **options: Any) -> None:  # noqa: ANN401 - as click has it
        super().__init__(names, **options)
        self._write = write

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option and its help."""
        self.help = self._write()
        return super().get_help_record(ctx)


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


def warn_of_broken(*registries: Registry[Any]) -> None:
    """Issue a `PluginWarning`, a line on stderr, for every entry of another package that cannot be used."""
    for registry in registries:
        registry.others()

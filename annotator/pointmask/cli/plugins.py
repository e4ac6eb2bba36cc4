"""Options whose help lists the entries of a registry, and warnings about unusable entries."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click
from click.shell_completion import CompletionItem

from pointmask.registry import Registry


class LateHelp(click.Option):
    """An option whose help is composed when it is displayed, since other packages may add entries.

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


def completes(names: Callable[[], Iterable[str]]) -> Callable[..., list[str]]:
    """Return a ``shell_complete`` of these names, which are asked for when Tab is pressed."""
    return lambda ctx, parameter, incomplete: [name for name in names() if name.startswith(incomplete)]


class NamesOption(click.Option):
    """An option whose help ends with the names in a registry, including those of other packages.

    The names are read when the help is displayed; no entry is imported.

    Parameters
    ----------
    registry : Registry
    help : str
        Without a final full stop.
    """

    def __init__(self, names: Sequence[str], *, registry: Registry[Any], **options: Any) -> None:  # noqa: ANN401 - as click has it
        super().__init__(names, **options)
        self._registry, self._sentence = registry, self.help

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the name at the end of a list of names."""
        before, comma, last = incomplete.rpartition(",")
        return [CompletionItem(f"{before}{comma}{name}") for name in self._registry if name.startswith(last)]

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option and its help."""
        self.help = f"{self._sentence}: {', '.join(self._registry)}."
        return super().get_help_record(ctx)


def warn_of_broken(*registries: Registry[Any]) -> None:
    """Issue a `PluginWarning`, one line on stderr, for every unusable entry of another package."""
    for registry in registries:
        registry.others()

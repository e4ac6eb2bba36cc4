"""Things known by a name and loaded when they are first asked for; other packages add theirs by entry points.

One table per kind names what this project has; an installed package adds to it, without a fork, by an entry
point of the table's group, such as ``[project.entry-points."pointmask.formats"]``. A name of ours cannot be
taken by another package. An entry that cannot be loaded is told with its error, and never disturbs the rest.
"""

import difflib
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from pointmask.errors import PluginError, PluginWarning, PointmaskError

T = TypeVar("T")
C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an entry lives: ``module:attribute``, and the package that brings it ("" for this one)."""

    module: str
    attribute: str
    package: str

    def load(self) -> object:
        found: object = import_module(self.module)
        for part in self.attribute.split("."):
            found = getattr(found, part)
        return found


class Registry(Generic[T]):
    """A table of names, each with the object that it stands for.

    Parameters
    ----------
    kind : str
        What one entry is, in words, for messages: ``"point format"``.
    group : str
        Entry-point group under which other packages add theirs: ``"pointmask.formats"``.
    table : Mapping of str to str
        Our own names, in the order in which they are listed, and where each lives (``module:attribute``).
    check : callable
        Takes the name and what was loaded; returns it as the type of this registry, or raises
        `PluginError` with what is missing.
    unknown : type of PointmaskError
        What `load` raises for a name that is not known.
    """

    def __init__(
        self,
        kind: str,
        group: str,
        table: Mapping[str, str],
        check: Callable[[str, object], T],
        unknown: type[PointmaskError],
    ) -> None:
        self.kind, self.group = kind, group
        self._table, self._check, self._unknown = table, check, unknown
        self._loaded: dict[str, T] = {}
        self._warned_of: set[str] = set()

    def __iter__(self) -> Iterator[str]:
        """Names: ours in the order of the table, then those of other packages, sorted."""
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, name: object) -> bool:
        return name in self._places

    @property
    def ours(self) -> tuple[str, ...]:
        """Names that need no other package."""
        return tuple(self._table)

    def package_of(self, name: str) -> str:
        """Return the package that brings an entry, "" for this one."""
        return self._places[name].package

    def where(self, name: str) -> str:
        """Return where an entry lives, ``module:attribute``."""
        place = self._places[name]
        return f"{place.module}:{place.attribute}"

    def load(self, name: str) -> T:
        """Return what a name stands for, importing it the first time.

        Raises
        ------
        PointmaskError
            Of the class ``unknown``, if there is no such name.
        PluginError
            If the entry of another package cannot be imported, or is not what it should be.
        """
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def usable(self) -> dict[str, T]:
        """Load everything that can be loaded, by name; `broken` says what cannot."""
        return {name: self.load(name) for name in self if name not in self.broken}

    def others(self) -> dict[str, T]:
        """Load what other packages add; each entry that cannot be used is passed over with a `PluginWarning`.

        Each is warned of once.
        """
        for name, reason in self.broken.items():
            if name not in self._warned_of:
                self._warned_of.add(name)
                warnings.warn(reason, PluginWarning, stacklevel=2)
        return {name: self.load(name) for name in self if name not in self._table and name not in self.broken}

    @cached_property
    def broken(self) -> Mapping[str, str]:
        """Names that other packages brought and that cannot be used, with the reason; loads all of them."""
        reasons = dict(self._refused)
        for name, place in self._places.items():
            if place.package:
                try:
                    self.load(name)
                except PluginError as error:
                    reasons[name] = str(error)
        return reasons

    def _load(self, name: str) -> T:
        if name not in self._places:
            near = difflib.get_close_matches(name, self._places, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            refused = f" ({self._refused[name]})" if name in self._refused else ""
            raise self._unknown(
                f"no {self.kind} is called {name!r}{refused}; {hint}choose one of {', '.join(self)}"
            )
        place = self._places[name]
        if not place.package:
            return self._check(name, place.load())
        try:
            return self._check(name, place.load())
        except (Exception, SystemExit) as error:  # some packages leave when they miss something
            said = str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
            raise PluginError(
                f"{self.kind} {name!r} of the package {place.package} cannot be used ({said}); "
                f"mend or uninstall {place.package}, everything else works without it"
            ) from error

    @cached_property
    def _places(self) -> dict[str, _Place]:
        places = {}
        for name, where in self._table.items():
            module, _, attribute = where.partition(":")
            places[name] = _Place(module, attribute, "")
        for name, entry in self._others.items():
            places[name] = _Place(entry.module, entry.attr, _package(entry))
        return places

    @cached_property
    def _found(self) -> tuple[dict[str, EntryPoint], dict[str, str]]:
        """Entry points by name, and names that are refused with the reason."""
        others: dict[str, EntryPoint] = {}
        refused: dict[str, str] = {}
        for entry in sorted(entry_points(group=self.group), key=lambda e: (e.name, _package(e))):
            package = _package(entry)
            if not EntryPoint.pattern.match(entry.value):  # its module and attribute cannot be told apart
                refused[entry.name] = (
                    f"{self.kind} {entry.name!r} of the package {package} is {entry.value!r}; "
                    "an entry point must read module:attribute, both of them Python names"
                )
            elif entry.name in self._table:
                refused[f"{entry.name} of {package}"] = (
                    f"{self.kind} {entry.name!r} of the package {package} has the name of one of ours; "
                    "it must take another"
                )
            elif entry.name in others and _package(others[entry.name]) != package:
                refused[f"{entry.name} of {package}"] = (
                    f"{self.kind} {entry.name!r} of the package {package} has the name of one of "
                    f"{_package(others[entry.name])}; uninstall one of the two packages"
                )
            elif not entry.attr:
                refused[entry.name] = (
                    f"{self.kind} {entry.name!r} of the package {package} is {entry.value!r}; "
                    "an entry point must read module:attribute"
                )
            else:
                others[entry.name] = entry
        return others, refused

    @property
    def _others(self) -> dict[str, EntryPoint]:
        return self._found[0]

    @property
    def _refused(self) -> dict[str, str]:
        return self._found[1]


def contract_class(found: object, contract: type[C]) -> type[C]:
    """Return a class if it implements a contract.

    Parameters
    ----------
    found : object
        What a name stands for.
    contract : type
        Abstract base class.

    Raises
    ------
    PluginError
        If `found` is no class that derives from `contract`, or lacks one of its methods.
    """
    base = f"{contract.__module__}.{contract.__qualname__}"
    if not (isinstance(found, type) and issubclass(found, contract)):
        raise PluginError(f"{found!r} is no subclass of {base}; derive it from that class")
    if missing := sorted(getattr(found, "__abstractmethods__", ())):
        raise PluginError(
            f"{found.__qualname__} does not define {', '.join(missing)}; {base} says what they do"
        )
    return found


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else entry.value.partition(":")[0].partition(".")[0]

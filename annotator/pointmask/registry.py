"""Registries of named objects, loaded on first use; other packages add entries through entry points.

One table per kind holds the entries of this project; an installed package adds to it, without a fork, by
an entry point of the table's group, such as ``[project.entry-points."pointmask.formats"]``. Other packages
cannot replace entries of this project. An entry that cannot be loaded is reported with its error and does not
affect the others.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from pointmask.advice import did_you_mean
from pointmask.errors import PluginError, PluginWarning, PointmaskError

T = TypeVar("T")
C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class _Place:
    """Location of an entry, ``module:attribute``, and its package ("" for this one)."""

    module: str
    attribute: str
    package: str

    def load(self) -> object:
        loaded: object = import_module(self.module)
        for part in self.attribute.split("."):
            loaded = getattr(loaded, part)
        return loaded


class Registry(Generic[T]):
    """A table of names and the objects that they denote.

    Parameters
    ----------
    kind : str
        Description of an entry for messages, such as ``"point format"``.
    group : str
        Entry-point group of other packages' entries, such as ``"pointmask.formats"``.
    table : Mapping of str to str
        Names of this project, in display order, with their locations (``module:attribute``).
    check : callable
        Takes the name and the loaded object; returns it as the type of this registry, or raises
        `PluginError` with the reason.
    unknown : type of PointmaskError
        Error that `load` raises for an unknown name.
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
        """Iterate over names: ours in the order of the table, then those of other packages, sorted."""
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, name: object) -> bool:
        return name in self._places

    @property
    def ours(self) -> tuple[str, ...]:
        """Names of this project."""
        return tuple(self._table)

    def package_of(self, name: str) -> str:
        """Return the package of an entry, "" for this one."""
        return self._places[name].package

    def where(self, name: str) -> str:
        """Return the location of an entry, ``module:attribute``."""
        place = self._places[name]
        return f"{place.module}:{place.attribute}"

    def load(self, name: str) -> T:
        """Return the object of a name, importing it on first use.

        Raises
        ------
        PointmaskError
            Of the class ``unknown``, if there is no such name.
        PluginError
            If the entry of another package cannot be imported or does not implement the contract.
        """
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def usable(self) -> dict[str, T]:
        """Load all entries that can be used, by name; `broken` has the others."""
        return {name: self.load(name) for name in self if name not in self.broken}

    def others(self) -> dict[str, T]:
        """Load the entries of other packages; unusable ones are skipped with a `PluginWarning`, once each."""
        for name, reason in self.broken.items():
            if name not in self._warned_of:
                self._warned_of.add(name)
                warnings.warn(reason, PluginWarning, stacklevel=2)
        return {name: self.load(name) for name in self if name not in self._table and name not in self.broken}

    @cached_property
    def broken(self) -> Mapping[str, str]:
        """Reasons by name, for entries of other packages that cannot be used; loads all of them."""
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
            hint = did_you_mean(name, self._places)
            refused = f" ({self._refused[name]})" if name in self._refused else ""
            raise self._unknown(
                f"no {self.kind} is called {name!r}{refused}; {hint}choose one of {', '.join(self)}"
            )
        place = self._places[name]
        if not place.package:
            return self._check(name, place.load())
        try:
            return self._check(name, place.load())
        except (Exception, SystemExit) as error:  # some packages exit if something is missing
            reason = str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
            raise PluginError(
                f"{self.kind} {name!r} of the package {place.package} cannot be used ({reason}); "
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
    def _entries(self) -> tuple[dict[str, EntryPoint], dict[str, str]]:
        """Entry points by name, and reasons by refused name."""
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
        return self._entries[0]

    @property
    def _refused(self) -> dict[str, str]:
        return self._entries[1]


def contract_class(candidate: object, contract: type[C]) -> type[C]:
    """Return a class if it implements a contract.

    Parameters
    ----------
    candidate : object
        Loaded object.
    contract : type
        Abstract base class.

    Raises
    ------
    PluginError
        If `candidate` is not a subclass of `contract`, or lacks one of its methods.
    """
    base = f"{contract.__module__}.{contract.__qualname__}"
    if not (isinstance(candidate, type) and issubclass(candidate, contract)):
        raise PluginError(f"{candidate!r} is no subclass of {base}; derive it from that class")
    if missing := sorted(getattr(candidate, "__abstractmethods__", ())):
        raise PluginError(
            f"{candidate.__qualname__} does not define {', '.join(missing)}; {base} says what they do"
        )
    return candidate


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else entry.value.partition(":")[0].partition(".")[0]

"""Settings: frozen dataclasses whose types carry the bounds, read from TOML and written back.

The type of a field states its bounds, and no other table repeats them::

    @dataclass(frozen=True, kw_only=True, slots=True)
    class Options:
        kind: Literal["disc", "pixel"] = "disc"
        radius: Annotated[float, Between(0, 1000)] = 0.0
        steps: tuple[Annotated[int, Between(1, 9)], ...] = (1,)
        seed: Annotated[int, Between(0, 99)] | None = None

        def __post_init__(self) -> None:
            check(self, ConfigError)

`read_table` makes an instance from plain values, `check` enforces the same rules on instances made in code,
`to_table` and `to_toml` write them. The caller chooses the class of the errors.
"""

import difflib
import json
import re
import sys
from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import lru_cache
from numbers import Integral, Real
from types import MappingProxyType, NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from pointmask.errors import PointmaskError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")
ErrorType = type[PointmaskError]


@dataclass(frozen=True, slots=True)
class Between:
    """Closed interval, for use in `typing.Annotated`. It never contains NaN or infinity."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        if not isinstance(value, Integral):
            value = float(value)  # NumPy's narrow floats compare with a warning
        return self.low <= value <= self.high and abs(value) <= sys.float_info.max

    def clip(self, value: float) -> float:
        """Return the nearest value in the range."""
        return float(min(max(value, self.low), self.high))

    def __str__(self) -> str:
        return f"[{self.low}, {self.high}]"


Share = Annotated[float, Between(0, 1)]
"""A number from 0 to 1."""

_FINITE = Between(-float("inf"), float("inf"))  # of numbers without bounds of their own
_BARE = re.compile(r"[A-Za-z0-9_-]+")  # keys that TOML takes without quotes
_WORDS = MappingProxyType({int: "a whole number", float: "a number", bool: "true or false", str: "text"})


@lru_cache(maxsize=64)
def field_types(cls: Hashable) -> Mapping[str, Any]:
    """Type of each field of a dataclass by name, bounds included."""
    hints = get_type_hints(cls, include_extras=True)
    return MappingProxyType({item.name: hints[item.name] for item in fields(cast(type[Any], cls))})


def bounds(cls: type["DataclassInstance"]) -> dict[str, Between]:
    """Bounds by name of the numeric fields of a dataclass that have any; of a tuple, those of its entries."""
    found = {name: _bounds_of(kind) for name, kind in field_types(cls).items()}
    return {name: limits for name, limits in found.items() if limits is not None}


def _bounds_of(kind: Any) -> Between | None:  # noqa: ANN401 - a type
    if isinstance(kind, Between):
        return kind
    if get_origin(kind) is Literal:
        return None
    return next(filter(None, map(_bounds_of, get_args(kind))), None)


def read_table(cls: type[T], table: Mapping[str, Any], error: ErrorType, where: str = "") -> T:
    """Make a dataclass from a table of plain values.

    Parameters
    ----------
    cls : type
        A frozen dataclass as in this module's description. Nested dataclasses are nested tables.
    table : Mapping
        As a TOML or JSON file gives it: lists become tuples, and whole numbers become floats where the
        field is a float.
    error : type
        Class of the errors raised.
    where : str
        Name of the table, for messages.

    Raises
    ------
    error
        If it is no table, if a key is unknown (the message names the nearest) or missing, or if a value has
        the wrong type or is out of range.
    """
    if not isinstance(table, Mapping):
        raise error(f"{where or 'settings'} = {_show(table)} must be a table of settings")
    kinds = field_types(cls)
    if not where:
        _check_places(cls, table, error)
    values = {}
    for key, value in table.items():
        name = _join(where, key)
        if key not in kinds:
            raise error(f"{name} is no setting; {_nearest(key, list(kinds), where)}")
        values[key] = _checked(kinds[key], value, name, error, is_plain=True)
    required = (item.name for item in fields(cls) if item.default is item.default_factory is MISSING)
    missing = [_join(where, name) for name in required if name not in values]
    if missing:
        raise error(f"settings missing that are required: {', '.join(missing)}; give each a value")
    return cls(**values)


def check(settings: "DataclassInstance", error: ErrorType, where: str = "") -> None:
    """Check the types and bounds of a dataclass instance; for use in ``__post_init__``.

    Parameters
    ----------
    settings : dataclass
    error : type
        Class of the errors raised.
    where : str
        Name of the table that the settings are read from, for messages.

    Raises
    ------
    error
        If a value has the wrong type or is out of range.
    """
    for name, kind in field_types(type(settings)).items():
        _checked(kind, getattr(settings, name), _join(where, name), error, is_plain=False)


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _check_places(cls: type["DataclassInstance"], table: Mapping[str, Any], error: ErrorType) -> None:
    """Refuse a setting that another table has, and no near name: it is the one that is meant."""
    known = dict(_names(cls))
    given = [key for key, value in table.items() if not isinstance(value, Mapping)]
    for outer, inner in table.items():
        if isinstance(inner, Mapping) and known.get(outer, True):
            given += [_join(outer, key) for key in inner]
    for name in given:
        leaf = name.rpartition(".")[2]
        places = [place for place in known if place.rpartition(".")[2] == leaf]
        if places and name not in known:
            raise error(f"{name} is no setting; did you mean {' or '.join(places)}?")
        if name.rpartition(".")[0] not in {"", *known} and (near := _near_leaf(leaf, known)):
            raise error(f"{name} is no setting; did you mean {' or '.join(near)}?")


def _near_leaf(leaf: str, known: Collection[str]) -> list[str]:
    """Return the whole names of the settings whose last word is nearest to a word, if one is near."""
    leaves = [place.rpartition(".")[2] for place in known]
    near = difflib.get_close_matches(leaf, leaves, n=1, cutoff=0.7)
    return [place for place in known if near and place.rpartition(".")[2] == near[0]]


def _names(cls: type["DataclassInstance"], where: str = "") -> Iterator[tuple[str, bool]]:
    """Yield the whole names of all settings, and whether each is a table of known settings."""
    for key, kind in field_types(cls).items():
        name = _join(where, key)
        yield name, is_dataclass(kind)
        if is_dataclass(kind):
            yield from _names(cast(type[Any], kind), name)


def _nearest(key: str, known: list[str], where: str) -> str:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
    if near:
        return f"did you mean {_join(where, near[0])}?"
    return f"known here are {', '.join(known)}" if known else f"{where or 'this table'} has none"


def _checked(
    kind: Any,  # noqa: ANN401 - the type of any field
    value: Any,  # noqa: ANN401
    name: str,
    error: ErrorType,
    *,
    is_plain: bool,
    limits: Between = _FINITE,
) -> Any:  # noqa: ANN401
    """Check a value against its field's type; return it, converted where it is plain (from a file)."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        limits = next((bound for bound in arguments[1:] if isinstance(bound, Between)), limits)
        return _checked(arguments[0], value, name, error, is_plain=is_plain, limits=limits)
    if origin in (Union, UnionType):  # an optional value
        (inner,) = (argument for argument in arguments if argument is not NoneType)
        return None if value is None else _checked(inner, value, name, error, is_plain=is_plain)
    if origin is Literal:
        if not any(_is_a(type(choice), value) and value == choice for choice in arguments):
            choices = ", ".join(map(str, arguments))
            raise error(f"{name} = {_show(value)} is unknown; choose among {choices}")
        return value
    if origin is tuple:
        if not isinstance(value, (list, tuple) if is_plain else tuple):
            raise error(f"{name} = {_show(value)} must be a {'list' if is_plain else 'tuple'}")
        named = ((f"{name}[{k}]", item) for k, item in enumerate(value))
        return tuple(_checked(arguments[0], item, each, error, is_plain=is_plain) for each, item in named)
    if is_dataclass(kind):
        if is_plain and isinstance(value, Mapping):
            return read_table(cast(type[Any], kind), value, error, name)
        if is_plain or not isinstance(value, cast(type[Any], kind)):
            raise error(f"{name} = {_show(value)} must be a table of settings, such as {name}.key=value")
        return value
    if origin is Mapping or (isinstance(origin, type) and issubclass(origin, Mapping)):
        if not isinstance(value, Mapping):
            raise error(f"{name} = {_show(value)} must be a table")
        return dict(value)
    if kind is Any:
        return value
    if not _is_a(kind, value):
        raise error(f"{name} = {_show(value)} must be {_WORDS.get(kind, kind.__name__)}")
    if kind in (int, float) and value not in limits:
        rule = "be finite" if limits is _FINITE else f"lie in {limits}"
        raise error(f"{name} = {_show(value)} is out of range; it must {rule}")
    return float(value) if is_plain and kind is float else value


def _is_a(kind: type, value: object) -> bool:
    """Whether a value is of a plain type; NumPy's numbers are numbers, true and false are not."""
    if kind in (int, float):
        return isinstance(value, Integral if kind is int else Real) and not isinstance(value, bool)
    return isinstance(value, kind)


def _show(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:  # a whole number of more digits than Python prints
        return "a number too large to print"
    return text if len(text) <= 80 else f"{text[:76]} ..."


def parse_toml(text: str, name: str, error: ErrorType) -> dict[str, Any]:
    """Parse TOML text; ``name`` is used in messages.

    Raises
    ------
    error
        If the text is not TOML.
    """
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))  # a mark of editors on Windows
    except (ValueError, RecursionError) as cause:  # of bad TOML, or of numbers and lists without end
        raise error(f"{name} is not valid TOML: {cause}; correct it") from None


def parse_json(text: str | bytes) -> Any:  # noqa: ANN401 - of any nesting
    """Parse JSON that may be anybody's.

    Raises
    ------
    ValueError
        If the text is not JSON, or is nested deeper than can be read.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("lists within lists without end") from None


def to_table(settings: Any) -> dict[str, Any]:  # noqa: ANN401 - a dataclass
    """Return a dataclass as nested tables, the opposite of `read_table`."""
    values = ((item.name, getattr(settings, item.name)) for item in fields(settings))
    return {name: to_table(value) if is_dataclass(value) else value for name, value in values}


def flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested tables as one, ``{"optim": {"lr": 1}}`` as ``{"optim.lr": 1}``."""
    result: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            result |= flat(value, f"{prefix}{key}.")
        else:
            result[f"{prefix}{key}"] = value
    return result


def to_toml(table: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Write nested tables as lines of TOML; None, which TOML lacks, is left out.

    Numbers are written with all their digits, a list of lists with one of them per line.
    """
    plain = [
        f"{_key(key)} = {_literal(value)}"
        for key, value in table.items()
        if not (value is None or isinstance(value, Mapping))
    ]
    lines = [f"[{prefix}]", *plain] if prefix else plain
    for key, value in table.items():
        if isinstance(value, Mapping) and (value or not prefix):
            lines += ["", *to_toml(value, _join(prefix, _key(key)))]
    return lines if prefix else [*lines, ""]


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _literal(key)


def _literal(value: Any) -> str:  # noqa: ANN401 - a TOML value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        escaped = "".join(
            f"\\u{ord(c):04X}" if c in '"\\' or (not c.isprintable() and ord(c) < 0x10000) else c
            for c in value
        )
        return f'"{escaped}"'
    if isinstance(value, (list, tuple)):
        if value and isinstance(value[0], (list, tuple)):
            return "[\n" + "".join(f"    {_literal(row)},\n" for row in value) + "]"
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, Mapping):  # within a list
        return f"{{{', '.join(f'{_key(key)} = {_literal(item)}' for key, item in value.items())}}}"
    return number(value)


def number(value: Any) -> str:  # noqa: ANN401 - Real; mypy does not count float among them
    """Write a number with all its digits, NumPy's like Python's own."""
    if isinstance(value, Integral):
        return repr(int(value))
    return repr(float(value)) if isinstance(value, Real) else repr(value)

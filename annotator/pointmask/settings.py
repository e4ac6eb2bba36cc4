"""Plain tables to frozen dataclasses and back, with checked types and helpful messages; and TOML."""

import difflib
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

from pointmask_trainer.errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def read_table(cls: type[T], table: Mapping[str, Any], where: str = "") -> T:
    """Make a config dataclass from a table of plain values.

    Parameters
    ----------
    cls : type
        A frozen dataclass whose fields are numbers, text, choices, tables or such dataclasses.
    table : Mapping
    where : str
        Name of the table, for messages.

    Raises
    ------
    ConfigError
        If a key is unknown (the message names the nearest) or a value has the wrong type.
    """
    hints = get_type_hints(cls)
    known = [item.name for item in fields(cls)]
    values = {}
    for key, value in table.items():
        name = f"{where}.{key}" if where else key
        if key not in known:
            raise ConfigError(f"{name} is no setting; {_nearest(key, known, where)}")
        values[key] = _checked(hints[key], value, name)
    return cls(**values)


def _nearest(key: str, known: list[str], where: str) -> str:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
    prefix = f"{where}." if where else ""
    if near:
        return f"did you mean {prefix}{near[0]}?"
    return f"known here are {', '.join(known)}" if known else f"{where} has none"


def _checked(kind: Any, value: Any, name: str) -> Any:  # noqa: ANN401 - types and values of any field
    if is_dataclass(kind):
        if not isinstance(value, Mapping):
            raise ConfigError(f"{name} = {value!r} must be a table of settings, such as {name}.key=value")
        return read_table(cast(type[Any], kind), value, name)
    origin = get_origin(kind)
    if origin is Literal:
        if value not in get_args(kind):
            raise ConfigError(f"{name} = {value!r} is unknown; choose among {', '.join(get_args(kind))}")
        return value
    if origin is UnionType:  # an optional number
        return _checked(next(a for a in get_args(kind) if a is not type(None)), value, name)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    wanted = origin or kind
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        words = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
        raise ConfigError(f"{name} = {value!r} must be {words.get(wanted, 'a table')}")
    return dict(value) if isinstance(value, Mapping) else value


def parse_toml(text: str, name: str) -> dict[str, Any]:
    """Parse TOML text; ``name`` is used in messages."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name} is not valid TOML: {error}; correct it") from None


def parse_setting(setting: str) -> dict[str, Any]:
    """Turn ``a.b=value`` into nested tables; the value is TOML or a bare word."""
    key, equals, value = setting.partition("=")
    parts = [part.strip() for part in key.split(".")]
    if not equals or not all(parts):
        raise ConfigError(f"--set {setting!r} is not key=value; write, for example, --set optim.lr=0.001")
    try:
        parsed = tomllib.loads(f"value = {value.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value.strip()  # a bare word: text
    for part in reversed(parts):
        parsed = {part: parsed}
    assert isinstance(parsed, dict)
    return parsed


def merge(table: dict[str, Any], new: Mapping[str, Any]) -> None:
    """Lay new values over a table, in place; options of another name are dropped."""
    for key, value in new.items():
        if isinstance(value, Mapping) and isinstance(table.get(key), dict):
            # Options belong to the name beside them: another name, other options.
            if "name" in value and value["name"] != table[key].get("name"):
                table[key].pop("options", None)
            merge(table[key], value)
        else:
            table[key] = dict(value) if isinstance(value, Mapping) else value


def to_table(config: Any) -> dict[str, Any]:  # noqa: ANN401 - any config dataclass
    """Return a dataclass as nested tables, the opposite of `read_table`."""
    values = ((item.name, getattr(config, item.name)) for item in fields(config))
    return {name: to_table(value) if is_dataclass(value) else value for name, value in values}


def to_toml(table: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Write nested tables as lines of TOML."""
    plain = [f"{key} = {_literal(value)}" for key, value in table.items() if not isinstance(value, Mapping)]
    lines = [f"[{prefix}]", *plain] if prefix else plain
    for key, value in table.items():
        if isinstance(value, Mapping) and (value or not prefix):
            lines += ["", *to_toml(value, f"{prefix}.{key}" if prefix else key)]
    return lines if prefix else [*lines, ""]


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
        return f"[{', '.join(map(_literal, value))}]"
    return repr(value)

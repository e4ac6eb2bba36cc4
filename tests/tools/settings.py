"""What tests of settings share: values on both sides of every bound, and tables drawn from the types."""

import math
import re
from collections.abc import Mapping
from dataclasses import is_dataclass
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from hypothesis import strategies as st

from pointmask.settings import Between, bounds, field_types

# Any value that a TOML file may hold, dates apart.
PLAIN = st.recursive(
    st.one_of(st.booleans(), st.integers(), st.floats(), st.text(st.characters(codec="utf-8"), max_size=9)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text("abc_", min_size=1), inner, max_size=3)
    ),
    max_leaves=8,
)


def edges(cls):
    """Per bounded field: name, a value as the field takes it, and whether it lies within the bounds."""
    for name, limits in bounds(cls).items():
        kind = field_types(cls)[name]
        for low, step in ((limits.low, -math.inf), (limits.high, math.inf)):
            if is_whole(kind):
                beyond = low + (1 if step > 0 else -1)
                yield name, wrapped(kind, int(low)), True
                yield name, wrapped(kind, int(beyond)), False
            else:
                yield name, wrapped(kind, float(low)), True
                yield name, wrapped(kind, math.nextafter(low, step)), False
                yield name, wrapped(kind, step), False
        if not is_whole(kind):
            yield name, wrapped(kind, math.nan), False


def is_whole(kind):
    """Whether a field is an int, or holds ints."""
    return _holds(kind, int)


def is_number(kind):
    """Whether a field is a number, or holds numbers."""
    return _holds(kind, int) or _holds(kind, float)


def _holds(kind, number):
    if get_origin(kind) is Literal:
        return False
    return kind is number or any(_holds(inner, number) for inner in get_args(kind))


def wrapped(kind, value):
    """Put a number into a tuple where the field holds one."""
    return (value,) if "tuple" in str(kind) else value


def tables(cls, without=()):
    """Strategy of tables of plain values that hold to the types and bounds of a dataclass, key by key."""
    kinds = {name: kind for name, kind in field_types(cls).items() if name not in without}
    return st.fixed_dictionaries({}, optional={name: values(kind) for name, kind in kinds.items()})


def values(kind: Any, limits: Between | None = None) -> st.SearchStrategy[Any]:
    """Strategy of plain values that a field of a type takes."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return values(arguments[0], arguments[1])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        return st.lists(values(arguments[0]), max_size=4)
    if NoneType in arguments:
        return values(next(inner for inner in arguments if inner is not NoneType))
    if is_dataclass(kind):
        return tables(kind)
    if origin is Mapping:
        return st.dictionaries(st.text(max_size=5), PLAIN, max_size=2)
    low, high = (None, None) if limits is None else (limits.low, limits.high)
    if kind is int:
        return st.integers(low, high)
    if kind is float:
        floats = st.floats(low, high, allow_nan=False, allow_infinity=False)
        has_whole = limits is not None and math.ceil(low) <= math.floor(high)
        return st.one_of(floats, st.integers(math.ceil(low), math.floor(high))) if has_whole else floats
    return {bool: st.booleans(), str: st.text(st.characters(codec="utf-8"), max_size=9)}[kind]


def comparable(value):
    """For comparison: NaN equals itself, tables have no order, empty tables within tables are not written."""
    if isinstance(value, Mapping):
        inner = {key: comparable(item) for key, item in value.items()}
        return {key: item for key, item in inner.items() if item != {}}
    return [comparable(item) for item in value] if isinstance(value, list | tuple) else repr(value)


def stated_bounds(cls):
    """Ranges in a docstring, which the fields' types state: ``[0, 1]``, ``3 to 64.``, ``at least 1``."""
    return re.findall(r"\[-?[\d.]+, ?-?[\d.]+\]|\b[\d.]+ to [\d.]+\.|at (?:least|most) \d+", cls.__doc__)

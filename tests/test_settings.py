"""Settings whose types carry the bounds: what is read, what is refused and what is said about it."""

import inspect
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Annotated, Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools.settings import PLAIN, comparable, edges, is_number, stated_bounds, tables, values

from pointmask.errors import ThetaError
from pointmask.measurements import LOCAL_MEASUREMENTS, TARGET_MEASUREMENTS
from pointmask.settings import (
    Between,
    Share,
    bounds,
    check,
    field_types,
    parse_toml,
    read_table,
    to_table,
    to_toml,
)
from pointmask.theta import Theta

# Every value of a field may reach its bounds here: no step moves anything, and a network stands by.
ROOMY = Theta.load("paper").with_(
    intensity="contrast",
    half_size=64,  # the widest grid of superpixels has a centre in the window
    tau=1e-6,
    D0=(0.0,),
    decay=(0.0,),
    law_weights=((0.0,) * (len(LOCAL_MEASUREMENTS) + len(TARGET_MEASUREMENTS)),),
    law_bias=(0.0,),
    law_gain=(0.0,),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Inner:
    number: Share = 0.5

    def __post_init__(self) -> None:
        check(self, ThetaError, "inner")


@dataclass(frozen=True, kw_only=True, slots=True)
class Outer:
    whole: Annotated[int, Between(-3, 9)]
    free: float = 0.0
    kind: Literal["disc", "pixel", 3] = "disc"
    flag: bool = False
    text: str = ""
    some: Annotated[int, Between(0, 5)] | None = None
    rows: tuple[tuple[Annotated[float, Between(0, 1)], ...], ...] = ()
    inner: Inner = field(default_factory=Inner)
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check(self, ThetaError)


@pytest.mark.parametrize(("name", "value", "inside"), list(edges(Theta)))
def test_each_bound_of_theta_holds_in_code_and_in_files(name, value, inside):
    if name == "confidence":  # one entry per measurement
        value = value * len(ROOMY.confidence)
    changes = {name: value}
    table = {**to_table(ROOMY), **changes}
    if inside:
        assert getattr(replace(ROOMY, **changes), name) == value
        assert getattr(read_table(Theta, table, ThetaError), name) == value
        return
    message = rf"{name}(\[0\])? = .* is out of range; it must lie in \["
    with pytest.raises(ThetaError, match=message) as caught:
        replace(ROOMY, **changes)
    assert str(bounds(Theta)[name]) in str(caught.value)
    with pytest.raises(ThetaError, match=message):
        read_table(Theta, table, ThetaError)


def test_only_the_weights_of_the_network_have_no_bounds():
    numeric = {name for name, kind in field_types(Theta).items() if is_number(kind)}
    free = {"law_weights", "law_bias", "law_gain", "law_offset"}
    assert numeric - set(bounds(Theta)) == free
    for name in free:
        broken = np.full(np.shape(getattr(ROOMY, name)), np.nan).tolist()
        with pytest.raises(ThetaError, match=rf"{name}(\[0\])* = nan .* must be finite"):
            read_table(Theta, {**to_table(ROOMY), name: broken}, ThetaError)


@given(tables(Outer))
def test_a_table_of_right_values_comes_back_from_its_text(table):
    table.setdefault("whole", 3)
    read = read_table(Outer, table, ThetaError)
    for key, value in table.items():
        if key not in ("inner", "rows", "options"):
            assert getattr(read, key) == value
    text = "\n".join(to_toml(to_table(read)))
    again = read_table(Outer, parse_toml(text, "text", ThetaError), ThetaError)
    assert comparable(to_table(again)) == comparable(to_table(read))


@given(st.dictionaries(st.one_of(st.sampled_from([f.name for f in fields(Outer)]), st.text()), PLAIN))
def test_any_table_is_read_or_its_key_named(table):
    try:
        read = read_table(Outer, table, ThetaError)
    except ThetaError as error:
        said = str(error)
    else:
        assert set(table) <= {f.name for f in fields(Outer)}
        said = f"{read.whole=}"
    assert any(key in said for key in (*table, "whole"))


@given(st.dictionaries(st.sampled_from([f.name for f in fields(Theta)]), PLAIN, max_size=3))
def test_any_change_of_theta_is_read_or_its_key_named(changes):
    try:
        theta = read_table(Theta, {**to_table(ROOMY), **changes}, ThetaError)
    except ThetaError as error:
        said = str(error)
    else:
        assert Theta.from_toml(theta.to_toml()) == theta
        return
    assert any(name in said for name in (*changes, "resemblance network"))


@given(st.data())
def test_a_right_value_of_any_field_of_theta_is_taken(data):
    name = data.draw(st.sampled_from([f.name for f in fields(Theta)]))
    value = data.draw(values(field_types(Theta)[name]))
    try:
        theta = read_table(Theta, {**to_table(ROOMY), name: value}, ThetaError)
    except ThetaError as error:
        said = str(error)
    else:
        assert to_table(theta)[name] == (tuple(map(_tuple, value)) if isinstance(value, list) else value)
        return
    # Only a rule between fields may refuse it: lengths, stability, the network's unit.
    assert not any(words in said for words in ("out of range", "choose among", "must be a"))


def _tuple(value):
    return tuple(value) if isinstance(value, list) else value


@pytest.mark.parametrize("name", [f.name for f in fields(Theta)])
def test_a_misspelt_key_is_answered_with_the_right_one(name):
    with pytest.raises(ThetaError, match=rf"{name}x is no setting; did you mean {name}\?"):
        read_table(Theta, {f"{name}x": 1}, ThetaError)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "required: whole; give"),
        ({"whole": 10}, r"whole = 10 is out of range; it must lie in \[-3, 9\]"),
        ({"whole": True}, "whole = True must be a whole number"),
        ({"whole": 1.0}, "whole = 1.0 must be a whole number"),
        ({"whole": 1, "free": math.inf}, "free = inf is out of range; it must be finite"),
        ({"whole": 1, "free": 10**400}, r"free = 10+ \.\.\. is out of range; it must be finite"),
        ({"whole": 1, "free": 1 << 20_000}, "free = a number too large to print is out of range"),
        ({"whole": 1, "kind": "dics"}, "kind = 'dics' is unknown; choose among disc, pixel, 3"),
        ({"whole": 1, "kind": 3.0}, "kind = 3.0 is unknown"),
        ({"whole": 1, "flag": 1}, "flag = 1 must be true or false"),
        ({"whole": 1, "text": 1}, "text = 1 must be text"),
        ({"whole": 1, "some": 6}, r"some = 6 is out of range; it must lie in \[0, 5\]"),
        ({"whole": 1, "rows": [[0.5], [0.5, 2]]}, r"rows\[1\]\[1\] = 2 is out of range"),
        ({"whole": 1, "rows": [0.5]}, r"rows\[0\] = 0.5 must be a list"),
        ({"whole": 1, "rows": ["x" * 999]}, r"rows\[0\] = 'x{70,79} \.\.\. must be a list"),
        ({"whole": 1, "inner": 3}, "inner = 3 must be a table of settings, such as inner.key=value"),
        ({"whole": 1, "inner": {"numbr": 1}}, r"inner.numbr is no setting; did you mean inner.number\?"),
        ({"whole": 1, "inner": {"number": 2}}, "inner.number = 2 is out of range"),
        ({"whole": 1, "inner": {"qqqq": 2}}, "inner.qqqq is no setting; known here are number"),
        ({"whole": 1, "options": []}, r"options = \[\] must be a table"),
    ],
)
def test_wrong_values_are_named_with_their_rule(table, message):
    with pytest.raises(ThetaError, match=message):
        read_table(Outer, table, ThetaError)


def test_code_is_held_to_the_same_rules():
    with pytest.raises(ThetaError, match=r"inner\.number = 2\.0 is out of range"):
        Inner(number=2.0)
    with pytest.raises(ThetaError, match=r"rows = \[\] must be a tuple"):
        Outer(whole=1, rows=[])
    with pytest.raises(ThetaError, match="inner = None must be a table"):
        Outer(whole=1, inner=None)
    assert Outer(whole=np.int64(9), free=np.float32(0.5)).whole == 9


@pytest.mark.parametrize("text", ["= 1", "a = " + "[" * 20_000, "a = " + "9" * 5000])
def test_text_that_is_not_toml_is_named(text):
    with pytest.raises(ThetaError, match=r"mine\.toml is not valid TOML"):
        parse_toml(text, "mine.toml", ThetaError)


def test_numbers_of_numpy_are_written_like_others():
    theta = Theta.load("paper")
    changed = theta.with_(rho=np.float64(0.5), half_size=np.int64(9), D0=(np.float32(0.5),))
    assert Theta.from_toml(changed.to_toml()) == changed
    assert changed.digest == theta.with_(rho=0.5, half_size=9, D0=(0.5,)).digest


def test_a_range_keeps_out_what_is_no_number():
    limits = Between(-1, 2)
    assert (-1 in limits, 2.0 in limits, math.nan in limits, 2.1 in limits) == (True, True, False, False)
    assert (limits.clip(7), limits.clip(-7.0), limits.clip(0.5)) == (2.0, -1.0, 0.5)
    assert math.inf not in Between(-math.inf, math.inf)


def test_help_shows_the_bounds_and_the_text_does_not_repeat_them():
    assert "Annotated[int, Between(low=3, high=64)]" in str(inspect.signature(Theta).parameters["half_size"])
    assert stated_bounds(Theta) == []


def test_a_mark_of_the_byte_order_is_no_part_of_a_text():
    assert parse_toml("\ufeffepochs = 3", "it", ThetaError) == {"epochs": 3}

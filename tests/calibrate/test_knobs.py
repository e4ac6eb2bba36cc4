"""The directions in which theta moves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointmask.calibrate.knobs import KNOBS, LIMIT, knobs_of, turn
from pointmask.theta import Theta

FIXED = Theta.load("paper").with_(level=0.5, half_size=10, steps=(40,))
thetas = st.sampled_from([Theta.load("paper"), Theta.load("default"), FIXED])


@given(thetas, st.data())
def test_every_setting_gives_a_valid_theta(theta, data):
    amounts = st.floats(-LIMIT, LIMIT)
    moved = turn(theta, {knob: data.draw(amounts) for knob in knobs_of(theta)})  # Theta checks itself
    assert Theta.from_toml(moved.to_toml()) == moved


@given(thetas)
def test_zero_is_the_start(theta):
    assert turn(theta, dict.fromkeys(knobs_of(theta), 0.0)) == theta


@pytest.mark.parametrize("name", ["paper", "default"])
def test_every_knob_moves_its_own_field(name):
    theta = Theta.load(name)
    for knob in knobs_of(theta):
        for setting in (-1.0, 1.0):
            moved = turn(theta, {knob: setting})
            changed = {f for f in theta.__slots__ if getattr(moved, f) != getattr(theta, f)}
            assert changed <= {knob.field, *(("decay",) if knob.field == "D0" else ())}
        assert turn(theta, {knob: -1.0}) != theta


def test_every_knob_serves_a_preset():
    assert {k for name in ("paper", "default") for k in knobs_of(Theta.load(name))} == set(KNOBS)


def test_unstable_moves_stop_at_what_is_stable():
    theta = Theta.load("paper")
    flow = next(knob for knob in KNOBS if knob.name == "flow")
    (D0,) = turn(theta, {flow: LIMIT}).D0
    assert abs(D0 - 1 / (4 * theta.tau)) < 1e-12


def test_otsu_gives_way_to_a_fixed_level():
    level = next(knob for knob in KNOBS if knob.name == "level")
    assert turn(Theta.load("paper"), {level: -1.0}).level == pytest.approx(0.4)
    assert turn(Theta.load("paper"), {level: 0.0}).level == 0

"""Theta: presets, validation, TOML."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointmask.errors import ThetaError
from pointmask.theta import PRESETS, Theta


@pytest.mark.parametrize("name", PRESETS)
def test_presets_load_and_round_trip(name):
    theta = Theta.load(name)
    again = Theta.from_toml(theta.to_toml())
    assert again == theta
    assert again.digest == theta.digest
    assert Theta.load(theta) is theta


def test_presets_differ_and_the_paper_preset_is_pure_diffusion():
    paper = Theta.load("paper")
    assert paper.digest != Theta.load("default").digest
    assert (paper.growth, paper.decay, paper.law_weights) == ((0.0,), (0.0,), ())
    assert paper.source_sigma == 0
    assert (paper.spacings, paper.conductance) == ((1,), "exponential")


def test_file_round_trip(tmp_path):
    path = tmp_path / "theta.toml"
    path.write_text(Theta.load("default").with_(level=0.31).to_toml(), encoding="utf-8")
    assert Theta.load(path).level == 0.31
    assert Theta.load(str(path)) == Theta.load(path)


@given(
    level=st.floats(0, 0.999),
    rho=st.floats(0, 1),
    beta=st.floats(0, 1000),
    D0=st.floats(0, 0.25),
    half_size=st.integers(3, 64),
)
def test_any_valid_value_survives_toml(level, rho, beta, D0, half_size):
    theta = Theta.load("paper").with_(
        level=level, rho=rho, beta=(beta,), D0=(D0,), tau=1.0, half_size=half_size
    )
    again = Theta.from_toml(theta.to_toml())
    assert again == theta


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"level": 1.0}, r"level = 1\.0 .* \[0\.0, 0\.999\]"),
        ({"rho": float("nan")}, "rho = nan"),
        ({"half_size": 2}, "half_size = 2"),
        ({"tau": 0.2}, "lower tau to 0.078"),
        ({"steps": (1, 2)}, "spacings has 1 entries and steps has 2"),
        ({"spacings": (3,)}, "1, 2, 4, 8"),
        ({"conductance": "linear"}, "use one of exponential, rational"),
        ({"growth": (1.0,)}, "need a law"),
        ({"law_bias": (0.0,)}, "must agree"),
        ({"law_weights": ((0.0,),), "law_bias": (0.0,), "law_gain": (1.0,)}, "needs 15 entries"),
        ({"confidence": (1.0,)}, "confidence has 1 entries"),
        ({"beta": (-1.0,)}, r"beta = -1\.0"),
    ],
)
def test_each_rule_is_enforced_with_its_fix(change, message):
    with pytest.raises(ThetaError, match=message):
        Theta.load("paper").with_(**change)


def test_a_law_needs_contrast_units_and_finite_weights():
    with pytest.raises(ThetaError, match='intensity = "contrast"'):
        Theta.load("default").with_(intensity="range")
    with pytest.raises(ThetaError, match="finite"):
        Theta.load("default").with_(law_offset=np.inf)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("level = ", "not valid TOML"),
        ("levle = 0.5\n", "unknown keys levle"),
        ("level = 0.5\n", "missing .* required"),
    ],
)
def test_bad_files_name_the_file(tmp_path, text, message):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ThetaError, match=message) as caught:
        Theta.load(path)
    assert "mine.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("half_size = 14", "half_size = 14.5", "half_size = 14.5 must be a whole number"),
        ("rho = 0.84", 'rho = "much"', "rho"),
        ("rho = 0.84", "rho = true", "rho = True"),
        ("steps = [107]", "steps = 107", "steps"),
        ("rho = 0.84", "rho = [0.84]", "rho"),
    ],
)
def test_wrong_types_are_theta_errors(old, new, message):
    text = Theta.load("paper").to_toml()
    assert old in text
    with pytest.raises(ThetaError, match=message):
        Theta.from_toml(text.replace(old, new))


def test_unknown_preset_lists_the_known():
    with pytest.raises(ThetaError, match="paper, default"):
        Theta.load("papre")


def test_theta_is_frozen_and_hashable():
    theta = Theta.load("default")
    with pytest.raises(dataclasses.FrozenInstanceError):
        theta.level = 0.1
    assert hash(theta) == hash(Theta.from_toml(theta.to_toml()))

"""Theta: presets, validation, TOML."""

import dataclasses
import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointmask.errors import ThetaError
from pointmask.theta import PRESETS, Theta, outflow, stable_rates


@pytest.mark.parametrize("name", PRESETS)
def test_presets_load_and_round_trip(name):
    theta = Theta.load(name)
    again = Theta.from_toml(theta.to_toml())
    assert again == theta
    assert again.digest == theta.digest
    assert Theta.load(theta) is theta


# Digests that stand in the manifests of finished jobs: written by release 0.1.0. They may never change.
_FLAT = (0.0,) * 3
DIGESTS = {
    "a778f2ee44181eb2": ("paper", {}),
    "fd4805add0649919": ("default", {"quiet": 0}),
    "042ca085825fe74d": (
        "default",
        {
            "level": 0.31,
            "rho": 0.123456789012345,
            "tau": 0.9999,
            "law_offset": -1e-300,
            "quiet": 0,
        },
    ),
    "1973e26bdc31c9aa": (
        "default",
        {
            "half_size": 64,
            "octaves": 0,
            "reach": 16,
            "settle_moves": 0,
            "superpixel_iterations": 100,
            "quiet": 0,
        },
    ),
    "daf25a2328680e14": ("paper", {"level": 0, "rho": 1, "large_area": 200}),
    "d25737074853ff04": (
        "paper",
        {"intensity": "contrast", "conductance": "rational", "superpixel": "centred"},
    ),
    "9fff2d4ac7ab8a61": (
        "paper",
        {
            "spacings": (8, 4, 1),
            "steps": (0, 3, 10_000),
            "D0": (0.1, 0.2, 1e-7),
            "beta": (0.0, 1000.0, 3.5),
            "growth": _FLAT,
            "decay": _FLAT,
        },
    ),
    "6c43f3bfb697ba01": (
        "paper",
        {
            "intensity": "contrast",
            "growth": (2.0,),
            "decay": (0.5,),
            "tau": 0.07,
            "law_weights": ((0.25, -0.5, *(0.0,) * 12, 1e20), (1 / 3,) * 15),
            "law_bias": (0.1, -0.0),
            "law_gain": (2.5, -1e-9),
            "law_offset": 3.0,
        },
    ),
    "b97427d988b2fa94": (
        "default",
        {"confidence": (1.0, -1e6, 0.1, 2 / 3, 0.0, 5e-324, 7.0, 8.0, 9.0), "quiet": 0},
    ),
}


@pytest.mark.parametrize("digest", DIGESTS)
def test_digests_and_files_are_those_of_finished_jobs(digest):
    preset, changes = DIGESTS[digest]
    theta = Theta.load(preset).with_(**changes)
    assert theta.digest == digest
    # So far the digest has been that of the file; theta.toml of a job is compared byte for byte.
    assert hashlib.blake2b(theta.to_toml().encode(), digest_size=8).hexdigest() == digest


def test_the_digest_does_not_depend_on_the_layout_of_the_file(monkeypatch):
    monkeypatch.setattr("pointmask.theta.to_toml", lambda table: ["# another layout"])
    assert Theta.load("paper").to_toml() == "# another layout"
    assert Theta.load("paper").digest == "a778f2ee44181eb2"


def test_the_stable_rates_are_the_largest_that_are_accepted():
    theta = Theta.load("default")
    for tau, D0, decay in ((1.0, 3.0, 2.0), (0.5, 0.25, 9.0), (0.1, 0.1, 0.2)):
        rates = stable_rates(tau, D0, decay)
        one = {"spacings": (1,), "steps": (1,), "beta": (1.0,), "growth": (0.0,)}
        theta.with_(**one, tau=tau, D0=rates[:1], decay=rates[1:])  # raises if it were unstable
        if rates != (D0, decay):
            assert tau * outflow(*rates) == pytest.approx(1)
            with pytest.raises(ThetaError, match="lower tau to"):
                theta.with_(**one, tau=1.001 * tau, D0=rates[:1], decay=rates[1:])


def test_presets_differ_and_the_paper_preset_is_pure_diffusion():
    paper = Theta.load("paper")
    assert paper.digest != Theta.load("default").digest
    assert (paper.growth, paper.decay, paper.law_weights) == ((0.0,), (0.0,), ())
    assert paper.source_sigma == 0
    assert (paper.spacings, paper.conductance) == ((1,), "exponential")


def test_the_synthetic_preset_is_the_default_with_another_fit():
    default, synthetic = Theta.load("default"), Theta.load("synthetic")
    fitted = {
        "D0",
        "beta",
        "growth",
        "decay",
        "law_weights",
        "law_bias",
        "law_gain",
        "law_offset",
        "confidence",
    }
    differ = {name for name in Theta.__slots__ if getattr(default, name) != getattr(synthetic, name)}
    assert differ == fitted


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
        ({"level": 1.0}, r"level = 1\.0 .* \[0, 0\.999\]"),
        ({"rho": float("nan")}, "rho = nan"),
        ({"half_size": 2}, "half_size = 2"),
        ({"tau": 0.2}, "lower tau to 0.078"),
        ({"steps": (1, 2)}, "spacings has 1 entries and steps has 2"),
        ({"spacings": (3,)}, "1, 2, 4, 8"),
        ({"conductance": "linear"}, "choose among exponential, rational"),
        ({"growth": (1.0,)}, "need a resemblance network"),
        ({"law_bias": (0.0,)}, "must agree"),
        ({"law_weights": ((0.0,),), "law_bias": (0.0,), "law_gain": (1.0,)}, "needs 15 entries"),
        ({"confidence": (1.0,)}, "confidence has 1 entries"),
        ({"beta": (-1.0,)}, r"beta\[0\] = -1\.0 .* \[0, 1000\]"),
    ],
)
def test_each_rule_is_enforced_with_its_fix(change, message):
    with pytest.raises(ThetaError, match=message):
        Theta.load("paper").with_(**change)


def test_the_resemblance_network_needs_contrast_units_and_finite_weights():
    with pytest.raises(ThetaError, match='intensity = "contrast"'):
        Theta.load("default").with_(intensity="range")
    with pytest.raises(ThetaError, match="finite"):
        Theta.load("default").with_(law_offset=np.inf)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("level = ", "not valid TOML"),
        ("levle = 0.5\n", r"levle is no setting; did you mean level\?"),
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


def test_the_filter_of_noise_is_told_only_if_it_is_used_and_changes_the_digest():
    theta = Theta.load("default")
    plain = theta.with_(quiet=0.0)
    assert "quiet" not in plain.to_toml()
    assert plain.digest != theta.digest
    assert Theta.from_toml(plain.to_toml()) == plain


def test_style_is_told_only_if_there_is_one_and_changes_the_digest():
    core = Theta.load("default")
    assert "style" not in core.to_toml()
    halo = core.drawn("halo")
    assert halo.style == 0.8
    assert halo.digest != core.digest
    assert Theta.from_toml(halo.to_toml()) == halo
    assert core.drawn("0.25") == core.drawn(0.25) == core.with_(style=0.25)
    assert core.drawn(None) is core
    assert halo.drawn("core") == core

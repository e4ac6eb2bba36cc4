"""Settings: where they come from, what is refused and what is said about it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointmask_trainer.config import PRESETS, AugmentConfig, Config, ModelConfig, from_toml, load_config
from pointmask_trainer.errors import ConfigError


@pytest.mark.parametrize("preset", [None, *PRESETS])
def test_a_config_comes_back_from_its_text(preset):
    config = load_config(preset=preset, settings=["model.options.norm=gn"])
    assert from_toml(config.to_toml()) == config


@given(
    st.integers(1, 1000),
    st.floats(0, 1),
    st.booleans(),
    st.dictionaries(
        st.from_regex("[a-z_]{1,8}", fullmatch=True), st.one_of(st.text(), st.integers(-9, 9), st.booleans())
    ),
)
def test_any_config_comes_back_from_its_text(epochs, positive, flip, options):
    config = Config(
        epochs=epochs, augment=AugmentConfig(positive=positive, flip=flip), model=ModelConfig(options=options)
    )
    assert from_toml(config.to_toml()) == config


def test_options_go_with_their_detector_and_strategy():
    options = load_config(preset="cpu").model.options
    assert options == {"norm": "gn"}
    assert load_config(preset="cpu", settings=["model.name=alcnet"]).model.options == options
    other = load_config(preset="cpu", settings=["model.name=acm_unet", "model.options.norm=bn"])
    assert (other.model.name, other.model.options) == ("acm_unet", {"norm": "bn"})
    assert load_config(preset="cpu", settings=["model.name=alclnet"]).model.options == {}
    assert load_config(file="b4").strategy.options == {"beta": 0.0}
    assert load_config(file="b4", settings=["strategy.name=masks"]).strategy.options == {}


def test_later_sources_win(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text("epochs = 7\n[optim]\nlr = 0.5\n")
    config = load_config(preset="cpu", file=file, settings=["optim.lr=0.25"])
    assert (config.epochs, config.optim.lr, config.model.name) == (7, 0.25, "alcnet")


def test_options_of_another_name_are_dropped():
    config = load_config(settings=["model.name=acm_unet", "model.options.norm=gn", 'model={name="alclnet"}'])
    assert config.model.options == {}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("optim.lrate=1", "did you mean optim.lr"),
        ("optim.xyz=1", "known here are"),
        ("modle.name=x", "did you mean model"),
        ("epochs=ten", "whole number"),
        ("epochs=0", "must lie in"),
        ("epochs=true", "whole number"),
        ("loss.name=dice", "choose among softiou"),
        ("optim.lr=nan", "out of range"),
        ("epochs", "key=value"),
        ("augment=3", "table"),
        ("augment.flip=1", "true or false"),
    ],
)
def test_wrong_settings_are_explained(setting, message):
    with pytest.raises(ConfigError, match=message):
        load_config(settings=[setting])


def test_unknown_presets_and_unreadable_files_are_explained(tmp_path):
    with pytest.raises(ConfigError, match="paper, cpu"):
        load_config(preset="gpu")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(file=tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("epochs = = 3")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load_config(file=tmp_path / "bad.toml")

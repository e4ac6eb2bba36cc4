"""Settings: where they come from, what is refused and what is said about it."""

import re
from dataclasses import fields, is_dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools.settings import PLAIN, comparable, edges, is_number, stated_bounds, tables

from pointmask.settings import bounds, field_types, read_table, to_table
from pointmask_trainer.config import AugmentConfig, Config, ModelConfig, from_toml, load_config
from pointmask_trainer.errors import ConfigError
from pointmask_trainer.recipes import PRESETS
from pointmask_trainer.strategies.d2d_options import D2DOptions
from pointmask_trainer.strategies.registry import STRATEGIES


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
    options = load_config(preset="cpu-alcnet").model.options
    assert options == {"norm": "gn"}
    assert load_config(preset="cpu-alcnet", settings=["model.name=alcnet"]).model.options == options
    other = load_config(preset="cpu-alcnet", settings=["model.name=acm_unet", "model.options.norm=bn"])
    assert (other.model.name, other.model.options) == ("acm_unet", {"norm": "bn"})
    assert load_config(preset="cpu-alcnet", settings=["model.name=alclnet"]).model.options == {}
    assert load_config(preset="cpu").model.init == "builtin"
    assert load_config(preset="cpu", settings=["model.name=alcnet"]).model.init == ""
    assert load_config(file="b4").strategy.options == {"beta": 0.0, "response": 0.0}
    assert load_config(file="b4", settings=["strategy.name=masks"]).strategy.options == {}


def test_the_long_preset_is_the_short_one_for_longer():
    cpu, long = load_config(preset="cpu"), load_config(preset="cpu-long")
    assert long.epochs == 3 * cpu.epochs
    assert replace(long, epochs=cpu.epochs, run=cpu.run) == cpu
    assert replace(long.run, validate_every=cpu.run.validate_every) == cpu.run


def test_later_sources_win(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text("epochs = 7\n[optim]\nlr = 0.5\n")
    config = load_config(preset="cpu", file=file, settings=["optim.lr=0.25"])
    assert (config.epochs, config.optim.lr, config.model.name) == (7, 0.25, "contrast_unet")


def test_what_defines_a_strategy_overrides_presets_of_others_alone():
    cpu = load_config(preset="cpu")
    assert cpu.loss.name == "softiou+focal"
    for name, loss in (("lesps", "focal"), ("pal", "eedm"), ("gsacp", "softiou"), ("priors", "bce")):
        config = load_config(preset="cpu", settings=[f"strategy.name={name}"])
        assert (config.loss.name, config.augment, config.optim) == (loss, cpu.augment, cpu.optim)
        assert (
            load_config(preset="cpu", settings=[f"strategy.name={name}", "loss.name=eedm"]).loss.name
            == "eedm"
        )
    assert load_config(preset="lesps").loss.focal_norm == "ones"
    assert load_config(preset="cpu", settings=["strategy.name=d2d"]).loss == cpu.loss
    spire = load_config(preset="cpu", settings=["strategy.name=spire"]).model
    assert (spire.name, spire.prior, spire.init) == ("contrast_points", 0.5, "builtin")
    assert load_config(preset="cpu", settings=["strategy.name=spire", "model.name=sshd"]).model.name == "sshd"
    assert load_config(preset="spire").model.options["input_scale"] == 2


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


SETTINGS = {
    "": Config,
    **{name: kind for name, kind in field_types(Config).items() if is_dataclass(kind)},
}
OPTIONS = {name: STRATEGIES.load(name).Options for name in STRATEGIES.ours}


@pytest.mark.parametrize(
    ("where", "cls", "name", "value", "inside"),
    [(where, cls, *edge) for where, cls in SETTINGS.items() for edge in edges(cls)]
    + [("strategy.options", cls, *edge) for cls in OPTIONS.values() for edge in edges(cls)],
)
def test_each_bound_holds_in_code_and_in_files(where, cls, name, value, inside):
    if inside:
        assert getattr(cls(**{name: value}), name) == value
        assert getattr(read_table(cls, {name: value}, ConfigError, where), name) == value
        return
    limits = re.escape(str(bounds(cls)[name]))
    message = rf"^{where}{'.' * bool(where)}{name} = .* is out of range; it must lie in {limits}$"
    with pytest.raises(ConfigError, match=message):
        cls(**{name: value})
    with pytest.raises(ConfigError, match=message):
        read_table(cls, {name: value}, ConfigError, where)


@pytest.mark.parametrize("cls", [*SETTINGS.values(), *OPTIONS.values()])
def test_every_number_has_bounds_and_every_key_is_suggested(cls):
    assert stated_bounds(cls) == []
    for name, kind in field_types(cls).items():
        assert (name in bounds(cls)) == is_number(kind)
        with pytest.raises(ConfigError, match=rf"{name}x is no setting; did you mean {name}\?"):
            read_table(cls, {f"{name}x": 1}, ConfigError)


@given(tables(Config))
def test_any_table_of_right_values_comes_back_from_its_text(table):
    config = read_table(Config, table, ConfigError)
    assert comparable(to_table(from_toml(config.to_toml()))) == comparable(to_table(config))


@given(st.dictionaries(st.sampled_from([f.name for f in fields(D2DOptions)]), PLAIN))
def test_any_options_are_read_or_their_key_named(table):
    try:
        options = read_table(D2DOptions, table, ConfigError, "strategy.options")
    except ConfigError as error:
        said = str(error)
    else:
        assert read_table(D2DOptions, to_table(options), ConfigError) == options
        return
    assert any(f"strategy.options.{name} = " in said for name in table)


def test_unknown_presets_and_unreadable_files_are_explained(tmp_path):
    with pytest.raises(ConfigError, match="paper, cpu"):
        load_config(preset="gpu")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(file=tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("epochs = = 3")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load_config(file=tmp_path / "bad.toml")


@pytest.mark.parametrize(
    ("setting", "meant"),
    [("run.epochs=3", "epochs"), ("train.epochs=3", "epochs"), ("precision=bf16", "run.precision")],
)
def test_a_setting_of_another_table_is_found_there(setting, meant):
    name = setting.partition("=")[0]
    with pytest.raises(ConfigError, match=rf"^{name} is no setting; did you mean {meant}\?$"):
        load_config(settings=[setting])

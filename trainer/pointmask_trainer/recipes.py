"""Tables of settings by name: presets, ablations, variants, and which of them override which."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from importlib import resources
from pathlib import Path
from typing import Any

from pointmask.advice import did_you_mean
from pointmask.regular import read_regular
from pointmask.settings import parse_toml
from pointmask_trainer.errors import ConfigError

PRESETS = ("paper", "cpu", "cpu-long", "cpu-alcnet", "lesps", "pal", "gsacp", "spire", "priors")
"""Recipes; ``paper`` is that of D2D, and the last five name their strategy."""

ABLATIONS = ("a1", "a2", "a3", "a4", "a4_val", "b1", "b2", "b3", "b4", "published")
"""Settings of strategy ``d2d`` with components removed, named as in table 3 of the paper."""

VARIANTS = (
    "pal_released", "lesps_annotator", "pal_annotator",
    "gsacp_base", "gsacp_ema", "gsacp_hbc", "gsacp_asg",
)  # fmt: skip
"""Settings of the other strategies: ``pal`` with the loss that its released code computes; ``lesps`` and
``pal`` started from the annotator's masks; ``gsacp`` with none or one of its three parts, which has all."""

OWN_SETTINGS = ("lesps", "pal", "gsacp", "priors", "spire")
"""Strategies with settings of their own, such as the loss that defines them, in ``presets/strategies``."""


def combined(preset: str | None, file: str | Path | None, settings: Iterable[str]) -> dict[str, Any]:
    """Combine a preset, what defines the strategy, a file and single settings to one table.

    See `pointmask_trainer.config.load_config`.

    Raises
    ------
    ConfigError
        If a preset is unknown, or a file or setting cannot be read.
    """
    recipe: dict[str, Any] = {}
    if preset is not None:
        if preset not in PRESETS:
            known = ("auto", "none", *PRESETS)
            hint = did_you_mean(preset, known)
            raise ConfigError(f"preset {preset!r} is unknown; {hint}choose among {', '.join(known)}")
        recipe = _recipe(preset)
    set_here = [] if file is None else [parse_toml(_file_text(file), str(file), ConfigError)]
    set_here += [_parse_setting(setting) for setting in settings]
    table = _merged([recipe, *set_here])
    if (strategy := _strategy_of(table)) not in OWN_SETTINGS:
        return table
    own = parse_toml(_preset_text(f"strategies/{strategy}"), f"strategy {strategy}", ConfigError)
    below = [own, recipe] if _strategy_of(recipe) == strategy else [recipe, own]
    return _merged([*below, *set_here])


def _recipe(preset: str) -> dict[str, Any]:
    """Read a preset, over the one that it names as its base."""
    own = parse_toml(_preset_text(preset), f"preset {preset}", ConfigError)
    base = own.pop("base", None)
    return own if base is None else _merged([_recipe(base), own])


def _parse_setting(setting: str) -> dict[str, Any]:
    """Parse ``a.b=value`` to nested tables; the value is TOML or a bare word."""
    key, equals, value = setting.partition("=")
    parts = [part.strip() for part in key.split(".")]
    if not equals or not all(parts):
        raise ConfigError(f"--set {setting!r} is not key=value; write, for example, --set optim.lr=0.001")
    try:
        parsed = parse_toml(f"value = {value.strip()}", setting, ConfigError)["value"]
    except ConfigError:
        parsed = value.strip()  # a bare word: text
    for part in reversed(parts):
        parsed = {part: parsed}
    assert isinstance(parsed, dict)
    return parsed


def _merge(table: dict[str, Any], new: Mapping[str, Any]) -> None:
    """Merge new values into a table, in place; options and first weights of another name are discarded."""
    for key, value in new.items():
        if isinstance(value, Mapping) and isinstance(table.get(key), dict):
            # Options and first weights are specific to the name in the same table.
            if "name" in value and value["name"] != table[key].get("name"):
                table[key].pop("options", None)
                table[key].pop("init", None)
            _merge(table[key], value)
        else:
            table[key] = deepcopy(value)


def _merged(tables: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Merge tables into a new one, each overriding the ones before."""
    merged: dict[str, Any] = {}
    for table in tables:
        _merge(merged, table)
    return merged


def _strategy_of(table: Mapping[str, Any]) -> str | None:
    strategy = table.get("strategy")
    name = strategy.get("name") if isinstance(strategy, Mapping) else None
    return name if isinstance(name, str) else None


def _file_text(file: str | Path) -> str:
    if str(file) in (*ABLATIONS, *VARIANTS) and not Path(file).exists():
        return _preset_text(f"ablations/{file}")
    try:
        return read_regular(Path(file)).decode()
    except (OSError, UnicodeDecodeError) as error:
        hint = did_you_mean(str(file), (*ABLATIONS, *VARIANTS)) if Path(file).parent == Path() else ""
        raise ConfigError(f"config {file} cannot be read ({error}); {hint}check the path") from None


def _preset_text(name: str) -> str:
    return resources.files("pointmask_trainer").joinpath("presets", f"{name}.toml").read_text("utf-8")

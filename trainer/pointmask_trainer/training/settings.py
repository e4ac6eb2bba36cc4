"""The settings of a run in full, as ``config.toml`` holds them, and with what each of them means."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from inspect import cleandoc
from typing import Any

from pointmask.bench.machine import commit
from pointmask.settings import bounds, to_table, to_toml
from pointmask.version import __version__
from pointmask_trainer.config import Config
from pointmask_trainer.strategies.registry import STRATEGIES, make_strategy

_WIDTH = 100  # of comments


def resolved(config: Config) -> Config:
    """
    Return a config with all options of its strategy, those of which nothing was said at their defaults.

    Raises
    ------
    ConfigError
        If there is no such strategy, or an option is wrong.
    """
    strategy = make_strategy(config.strategy.name, config.strategy.options)
    options = {name: value for name, value in to_table(strategy.options).items() if value is not None}
    return replace(config, strategy=replace(config.strategy, options=options))


def whole_toml(config: Config) -> str:
    """Return the text of ``config.toml``: all settings, below a line that says what wrote them."""
    made = f", commit {at}" if (at := commit()) else ""
    return f"# pointmask {__version__}{made}\n{resolved(config).to_toml()}"


def explained(config: Config) -> str:
    """Return the same settings with a comment on each: what it means, and its range."""
    full = resolved(config)
    words = dict(_words(Config, ""))
    words |= {
        f"strategy.options.{name}": text
        for name, text in _described(STRATEGIES.load(config.strategy.name).Options).items()
    }
    lines, section = [], ""
    for line in to_toml(to_table(full)):
        if head := re.fullmatch(r"\[(.+)\]", line):
            section = f"{head[1]}."
        key = line.partition(" = ")[0]
        if text := words.get(f"{section}{key}"):
            lines += [f"# {part}" for part in _wrapped(text)]
        lines.append(line)
    return "\n".join(lines)


def _words(cls: type[Any], where: str) -> Iterator[tuple[str, str]]:
    """Yield name and meaning of each setting, tables of settings included."""
    for name, text in _described(cls).items():
        yield f"{where}{name}", text
    for item in fields(cls):
        kind = item.default_factory
        if isinstance(kind, type) and is_dataclass(kind):
            yield from _words(kind, f"{where}{item.name}.")


def _described(cls: type[Any]) -> Mapping[str, str]:
    """Return the meaning of each field by the Attributes of a class's docstring, with its range."""
    text = cleandoc(cls.__doc__ or "").partition("Attributes\n----------\n")[2]
    found: dict[str, str] = {}
    names: list[str] = []
    for line in text.split("\n"):
        if line and not line.startswith(" "):
            head, _, kind = line.partition(" : ")
            names = [name.strip() for name in head.split(",")]
            shown = f"one of {kind.strip('{}')}: " if kind.startswith("{") else ""
            found.update(dict.fromkeys(names, shown))
        elif line.strip():
            for name in names:
                found[name] += f"{line.strip()} "
        elif not line:
            continue
    limits = bounds(cls)
    return {
        name: f"{meaning.strip().rstrip(':')} {_range(limits.get(name))}".strip()
        .replace("``", "")
        .replace("`", "")
        for name, meaning in found.items()
    }


def _range(limit: Any) -> str:  # noqa: ANN401 - Between or None
    return "" if limit is None else str(limit)


def _wrapped(text: str) -> list[str]:
    words, lines = text.split(), [""]
    for word in words:
        if len(lines[-1]) + len(word) > _WIDTH:
            lines.append("")
        lines[-1] += f"{' ' * bool(lines[-1])}{word}"
    return [line for line in lines if line]

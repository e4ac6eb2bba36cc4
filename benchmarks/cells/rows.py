"""Cells of a table of trainings: what each row is, and which settings reach it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pointmask.settings import flat, to_table
from pointmask_trainer.config import Config, load_config
from pointmask_trainer.strategies.registry import make_strategy

DATA_SETS = {"SIRST3": "*", "SIRST-v1": "Misc_*", "NUDT": "[0-9]*", "IRSTD-1k": "XDU*"}
"""Data sets that a folder laid out like SIRST3 holds, and the pattern of their images' names."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A way to supervise.

    Attributes
    ----------
    label : str
        For tables.
    file : str or None
        An ablation of the trainer.
    settings : tuple of str
        ``a.b=v``, after the file.
    annotator : str or None
        Train on the masks of this method of ``pointmask bench``, without size priors.
    ranked_by : str or None
        Train on the first 30 % of the images by this, as the finished cell of row ``d2d`` ranks them.
    """

    label: str
    file: str | None = None
    settings: tuple[str, ...] = ()
    annotator: str | None = None
    ranked_by: str | None = None


ROWS = {
    "full": Row(label="full supervision", settings=("strategy.name=full",)),
    "masks": Row(label="A4 static labels", file="a4"),
    "d2d": Row(label="D2D", settings=("strategy.name=d2d",)),
    "mclc": Row(label="masks of MCLC", settings=("strategy.name=masks",), annotator="mclc"),
    "montecarlo": Row(label="masks of D2D Monte-Carlo", settings=("strategy.name=masks",), annotator="d2d"),
    "pgc2f": Row(label="masks of PG-C2F", settings=("strategy.name=masks",), annotator="pgc2f"),
    "lesps": Row(label="LESPS", settings=("strategy.name=lesps",)),
    "lesps_annotator": Row(label="LESPS from our masks", file="lesps_annotator"),
    "pal": Row(label="PAL", settings=("strategy.name=pal",)),
    "pal_released": Row(label="PAL, released loss", file="pal_released"),
    "pal_annotator": Row(label="PAL from our masks", file="pal_annotator"),
    "gsacp": Row(label="GSACP", settings=("strategy.name=gsacp",)),
    "gsacp_base": Row(label="GSACP, no part", file="gsacp_base"),
    "gsacp_ema": Row(label="GSACP, teacher alone", file="gsacp_ema"),
    "gsacp_hbc": Row(label="GSACP, hard background alone", file="gsacp_hbc"),
    "gsacp_asg": Row(label="GSACP, adaptive supports alone", file="gsacp_asg"),
    "point": Row(label="A1 points", file="a1"),
    "a2": Row(label="A2 diffusion alone", file="a2"),
    "a3": Row(label="A3 superpixels alone", file="a3"),
    "a4_val": Row(label="A4 and validation images", file="a4_val"),
    "b1": Row(label="B1 joint learning", file="b1"),
    "b2": Row(label="B2 weights all 1", file="b2"),
    "b3": Row(label="B3 labels stay", file="b3"),
    "b4": Row(label="B4 beta 0", file="b4"),
    "published": Row(label="weights by the published signal", file="published"),
    "alpha30": Row(label="30 % by weight", file="a4", ranked_by="alpha"),
    "random30": Row(label="30 % at random", file="a4", ranked_by="random"),
    "difficulty30": Row(label="30 % by prior difficulty", file="a4", ranked_by="difficulty"),
}
"""Rows in the order in which they are trained. Static labels are d2d without any branch, which is bit for bit
strategy ``masks`` on the annotator's masks, and needs no folder of masks."""

COMPARED = (
    "full", "point", "masks", "mclc", "montecarlo", "pgc2f", "lesps", "lesps_annotator", "pal",
    "pal_annotator", "gsacp", "d2d",
)  # fmt: skip
"""Rows that compare strategies with one another."""

ALIASES = {"a1": "point", "a4": "masks"}
"""Other names of rows: the same training is done once."""

_NOTHING_LEARNED = (
    "run.device", "run.threads", "run.compile", "run.channels_last", "run.tensorboard", "run.callbacks",
)  # fmt: skip
_BRANCHES = {"alpha": ("alpha_", "off"), "theta": ("theta_", "frozen")}


@dataclass(frozen=True, slots=True)
class Cell:
    """One training.

    Attributes
    ----------
    detector, row, data_set : str
        `row` is a key of `ROWS`, `data_set` of `DATA_SETS`.
    seed : int
    """

    detector: str
    row: str
    data_set: str
    seed: int

    @property
    def name(self) -> str:
        """Name of its run folder."""
        return f"{self.detector}-{self.row}-{self.data_set}-{self.seed}"


def teacher_of(cell: Cell) -> Cell:
    """Return the cell whose weights select another's images."""
    return Cell(cell.detector, "d2d", cell.data_set, cell.seed)


def config_of(cell: Cell, preset: str, settings: tuple[str, ...], threads: int) -> Config:
    """Return all settings of a cell.

    Parameters
    ----------
    cell : Cell
    preset : str
    settings : tuple of str
        ``a.b=v``; those of a strategy are left out where they make no difference or would undo the row.
    threads : int
        Of torch.
    """
    row = ROWS[cell.row]
    own = load_config(file=row.file, settings=row.settings).strategy.options
    kept = [setting for setting in settings if _reaches(key_of(setting), cell.row, own)]
    if "unseen" in options_of(cell.row):  # the val list is kept apart as a whole, or as the paper has it
        kept.append("strategy.options.unseen=0.0")
    named = [f"model.name={cell.detector}", f"seed={cell.seed}", f"run.threads={threads}"]
    return load_config(preset=preset, file=row.file, settings=[*named, *row.settings, *kept])


def all_settings(config: Config) -> dict[str, Any]:
    """Return what decides what is learned, a strategy's defaults included: ``{"a.b": value}``."""
    table = to_table(config)
    options = asdict(make_strategy(config.strategy.name, config.strategy.options).options)
    table["strategy"]["options"] = {key: options[key] for key in options if _matters(key, options)}
    return {key: value for key, value in flat(table).items() if key not in _NOTHING_LEARNED}


def differences(written: dict[str, Any], asked: dict[str, Any]) -> str:
    """Say in which settings two trainings differ; empty if in none.

    A setting that did not exist when the first was written is no difference.
    """
    other = {key for key in written if key not in asked or written[key] != asked[key]}
    other |= {key for key in asked if key.startswith("model.options.") and key not in written}
    return ", ".join(f"{key}: {written.get(key)!r}, now {asked.get(key)!r}" for key in sorted(other))


def key_of(setting: str) -> str:
    """Return ``a.b`` of ``a.b=v``."""
    return setting.partition("=")[0].strip()


def options_of(row: str) -> dict[str, Any]:
    """Return the options of a row's strategy, as the row sets them, with defaults."""
    strategy = load_config(file=ROWS[row].file, settings=ROWS[row].settings).strategy
    return asdict(make_strategy(strategy.name, strategy.options).options)


def _reaches(key: str, row: str, own: Mapping[str, Any]) -> bool:
    """Whether a setting makes a difference to a row, and is not what the row is about."""
    if not key.startswith("strategy.options."):
        return True
    name, options = key.rpartition(".")[2], options_of(row)
    return name in options and name not in own and _matters(name, options)


def _matters(name: str, options: Mapping[str, Any]) -> bool:
    """Whether an option of a strategy has any part in the training, given the others."""
    on = {branch for branch, (_, off) in _BRANCHES.items() if options.get(branch, off) != off}
    if any(name.startswith(start) and branch not in on for branch, (start, _) in _BRANCHES.items()):
        return False
    if name == "val_every":
        return options.get("beta") != 0
    return name != "warmup" or bool(on) or options.get("beta") != 0

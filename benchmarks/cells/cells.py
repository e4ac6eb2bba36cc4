"""Train the cells of a table in slices: one run folder each, on which one process works at a time.

Several processes that are given the same cells share them out, and each goes on where any stopped.
"""

import json
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.peak import forget_peak, peak_mib

from cells.annotated import annotated_masks
from cells.held import held
from cells.rows import (
    DATA_SETS,
    ROWS,
    Cell,
    all_settings,
    config_of,
    differences,
    key_of,
    options_of,
    teacher_of,
)
from cells.selection import select_ids
from cells.unseen import held_lists
from pointmask.bench.machine import commit, cpu_name
from pointmask.io.files import write_whole
from pointmask_trainer.config import Config
from pointmask_trainer.run.layout import RunFolder

FACTS = "cell.json"
"""What a cell's run folder holds beside the run: settings with all defaults, commits, device, memory."""

SELECTED = "selected.txt"
"""The train list of a cell that trains on a part of the images."""


_DONE = "done"


class CellError(Exception):
    """A cell cannot be worked on; the message says what to do."""


class TimeIsUpError(Exception):
    """The slice is over; the run goes on next time."""


class Clock:
    """The time of one call, in which at least one epoch is trained.

    Parameters
    ----------
    minutes : float
        0 for no end.
    """

    def __init__(self, minutes: float) -> None:
        self._end = time.monotonic() + 60 * minutes if minutes else float("inf")
        self.trained = False

    def is_up(self, ahead: float = 0.0) -> bool:
        """Whether the time is up, or will be after so many seconds; once it is, it stays so."""
        if self.trained and time.monotonic() + ahead > self._end:
            self._end = float("-inf")
            return True
        return False


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """What all cells of a table share.

    Attributes
    ----------
    root : Path
        Training folder, laid out like SIRST3, with ``points_centroid.csv``.
    runs : Path
        Folder of the run folders.
    preset : str
    settings : tuple of str
        ``a.b=v``; those of a strategy reach the rows whose strategy has such an option, unless the row is
        about that very option.
    threads : int
        Of torch on a processor; 0 leaves them as they are.
    unseen : bool
        Keep the validation list out of all trainings, and score it at their end; see `_unseen`.
    """

    root: Path
    runs: Path
    preset: str
    settings: tuple[str, ...] = ()
    threads: int = 1
    unseen: bool = False

    def __post_init__(self) -> None:
        for setting in self.settings:
            key = key_of(setting)
            if key in ("strategy.name", "model.name", "seed"):
                raise CellError(f"--set {setting}: cells differ in this; use --rows, --detectors or --seeds")
            known = {option for row in ROWS for option in options_of(row)}
            if key.startswith("strategy.options.") and key.rpartition(".")[2] not in known:
                raise CellError(
                    f"--set {setting}: no row has such an option; known: {', '.join(sorted(known))}"
                )

    def folder(self, cell: Cell) -> Path:
        """Run folder of a cell."""
        return self.runs / cell.name

    def config(self, cell: Cell) -> Config:
        """Return all settings of a cell."""
        return config_of(cell, self.preset, self.settings, self.threads)

    def is_finished(self, cell: Cell) -> bool:
        """Whether the cell's last epoch is done and its checkpoint written."""
        state = RunFolder(self.folder(cell)).last_state
        done = json.loads(state.read_text(encoding="utf-8"))["epoch"] if state.exists() else 0
        return bool(done >= self.config(cell).epochs)

    def check(self, cell: Cell) -> None:
        """Refuse a run folder that was trained with other settings than are asked for now.

        Raises
        ------
        CellError
        """
        facts = read_facts(self.folder(cell))
        if facts and (other := differences(facts["settings"], all_settings(self.config(cell)))):
            raise CellError(
                f"{self.folder(cell)} was trained with other settings ({other}); its result is not used. "
                "Give the settings it was made with, or choose another --name"
            )


def fill(
    grid: Grid, cells: Sequence[Cell], clock: Clock, finished: Callable[[Cell], None]
) -> tuple[list[str], list[str]]:
    """Train all cells that are not done, in order, until the time is up.

    A cell that another process holds, or that waits for another cell, is passed over and tried again.

    Parameters
    ----------
    grid : Grid
    cells : sequence of Cell
    clock : Clock
    finished : callable
        Told of each cell that is done; a failure of it is the cell's.

    Returns
    -------
    failed : list of str
        What went wrong with which cell.
    open : list of str
        Which cells are not done, and why.
    """
    failed: list[str] = []
    left = dict.fromkeys(cells, "not begun")
    moved = True
    while moved and left:
        moved = False
        for cell in tuple(left):
            if clock.is_up():
                return failed, _said(left)
            try:
                left[cell] = _attempt(grid, cell, clock)
                if left[cell] == _DONE:
                    finished(cell)
            except Exception as error:  # whatever it is, the other cells go on
                left[cell] = _DONE
                failed.append(f"{cell.name}: {type(error).__name__}: {error}")
                if not isinstance(error, CellError):
                    traceback.print_exc()
            if left[cell] == _DONE:
                moved = True
                del left[cell]
    return failed, _said(left)


def _attempt(grid: Grid, cell: Cell, clock: Clock) -> str:
    """Work on a cell; returns `_DONE`, or why it is not."""
    if waits := _waits(grid, cell):
        return waits
    with held(grid.folder(cell)) as mine:
        if not mine:
            return "another process is at it"
        grid.check(cell)
        if not grid.is_finished(cell):
            _select(grid, cell)
            try:
                train_cell(grid, cell, clock)
            except TimeIsUpError:
                return "begun"
    return _DONE


def _said(left: dict[Cell, str]) -> list[str]:
    return [f"{cell.name}: {why}" for cell, why in left.items()]


def _waits(grid: Grid, cell: Cell) -> str:
    """Say for which cell another one waits; empty if for none."""
    if ROWS[cell.row].ranked_by is None or grid.is_finished(teacher_of(cell)):
        return ""
    return f"waits for {teacher_of(cell).name}, whose whole run must be in {grid.runs}"


def _select(grid: Grid, cell: Cell) -> None:
    """Write the train list of a cell that trains on a part of the images, if it is not written yet."""
    ranked_by, path = ROWS[cell.row].ranked_by, grid.folder(cell) / SELECTED
    if ranked_by is None or path.exists():
        return
    ids = select_ids(grid.folder(teacher_of(cell)), ranked_by, cell.seed)
    write_whole(path, "".join(f"{key}\n" for key in ids))


def train_cell(grid: Grid, cell: Cell, clock: Clock) -> None:
    """Train a cell, or go on with it, until it is done or the time is up.

    The caller holds the cell's run folder; see `held`.

    Raises
    ------
    TimeIsUpError
        After an epoch.
    CellError
        If the run was made with other settings.
    Exception
        Whatever the training raises.
    """
    import torch

    from pointmask_trainer.training.train import Watcher, train

    grid.check(cell)
    config, out = grid.config(cell), grid.folder(cell)
    facts = read_facts(out) or {"settings": all_settings(config), "commits": [], "peak_mib": None}
    cuda = torch.cuda.is_available() and config.run.device in ("auto", "cuda")
    facts["device"] = torch.cuda.get_device_name() if cuda else cpu_name()
    if (here := commit()) not in facts["commits"]:
        facts["commits"].append(here)
    write_facts(out, facts)

    def epoch(metrics: dict[str, Any]) -> None:
        clock.trained = True
        if metrics["epoch"] < config.epochs and clock.is_up(metrics["seconds"]):
            raise TimeIsUpError

    forget_peak(cuda=cuda)
    try:
        watcher = Watcher(message=lambda text: print(f"{cell.name}: {text}", flush=True), epoch=epoch)
        train(config, _source(grid, cell), out, resume=True, watcher=watcher)
    finally:
        if (peak := peak_mib(cuda=cuda)) is not None:
            write_facts(out, facts | {"peak_mib": max(round(peak), facts["peak_mib"] or 0)})


def _source(grid: Grid, cell: Cell) -> Any:  # noqa: ANN401 - a Source, which imports torch
    from pointmask_trainer.training.train import Source

    include = DATA_SETS[cell.data_set]
    method = ROWS[cell.row].annotator
    masks = None
    if method is not None:
        masks = annotated_masks(grid.root, grid.runs / "masks" / method, method, include)
    train_list = val_list = None
    if ROWS[cell.row].ranked_by is not None:
        train_list, val_list = (
            grid.folder(cell) / SELECTED,
            RunFolder(grid.folder(teacher_of(cell))).ids("val"),
        )
    elif grid.unseen:
        train_list, val_list = held_lists(grid.root, include, grid.folder(cell))
    return Source(
        root=grid.root,
        points=grid.root / "points_centroid.csv",
        masks=masks,
        include=include,
        train_list=train_list,
        val_list=val_list,
    )


def read_facts(folder: Path) -> dict[str, Any] | None:
    """Read a cell's facts; None if it was never begun."""
    path = folder / FACTS
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def write_facts(folder: Path, facts: dict[str, Any]) -> None:
    """Write a cell's facts."""
    write_whole(folder / FACTS, json.dumps(facts, indent=2) + "\n")

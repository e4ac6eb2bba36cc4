"""Figures of finished cells, and the file that gathers them from several processes and machines."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from support.results import command

from cells.by_data_set import by_data_set, evaluation_of
from cells.cell_tables import page
from cells.cells import CellError, Grid, read_facts
from cells.held import held
from cells.rows import DATA_SETS, ROWS, Cell, all_settings, differences
from pointmask.bench.machine import record
from pointmask.io.files import write_whole
from pointmask_trainer.run.journal import EpochJournal
from pointmask_trainer.run.layout import RunFolder

Entry = dict[str, Any]
Content = dict[str, Any]

_OF_DETECTOR, _OF_ROW, _LOSS = "model.", "strategy.", "loss."
_USUAL = "full"  # a row whose strategy brings no loss


def figures_of(grid: Grid, cell: Cell) -> Entry:
    """Read the figures of a finished cell.

    Returns
    -------
    dict
        The cell; ``chosen``, the epoch that the labels of the validation list chose, ``last``, and
        ``best_on_true_masks``, which decides nothing, each with ``val_labels`` and ``val_truth``, by the
        network's own masks; ``operator`` of ``chosen``, the same weights by the operator's masks; the chosen
        weights' scores by data set; label IoU of the first and the last version; minutes of training; device,
        memory, commits. Where the validation list is unseen, ``val_truth`` of ``chosen`` and ``last`` is
        that of this list, all else of the part of the train list that validates.
    """
    from pointmask_trainer.inference.report.tables import figures

    out = grid.folder(cell)
    files = RunFolder(out)
    facts = read_facts(out) or {}
    lines = EpochJournal(files.metrics).read()
    scored = [line for line in lines if "val_truth" in line]
    if not scored:
        raise CellError(
            f"{out} holds no score against true masks; {grid.root} must have masks of its val list"
        )
    best = json.loads(files.last_state.read_text(encoding="utf-8"))["best"]
    chosen, last = _scores(best), _scores(scored[-1])
    network, operator = evaluation_of(grid, cell, out)
    chosen["operator"] = figures(operator.whole.score)
    if grid.unseen:
        chosen["val_truth"] = figures(network.whole.score)
        last["val_truth"] = figures(evaluation_of(grid, cell, files.last)[0].whole.score)
    labels = [line["labels"] for line in EpochJournal(files.strategy).read() if "labels" in line]
    counts = {name: len(files.ids(name).read_text(encoding="utf-8").split()) for name in ("train", "val")}
    return {
        "detector": cell.detector,
        "row": cell.row,
        "data_set": cell.data_set,
        "seed": cell.seed,
        "epochs": lines[-1]["epoch"],
        "images": counts,
        "chosen": chosen,
        "last": last,
        "best_on_true_masks": max(map(_scores, scored), key=lambda entry: entry["val_truth"]["iou"] or 0.0),
        "val_by_data_set": by_data_set(cell, network.data_sets),
        "labels": {"first": labels[0], "last": labels[-1]} if labels else None,
        "minutes": round(sum(line["seconds"] for line in lines) / 60, 4),
        "device": facts.get("device"),
        "peak_mib": facts.get("peak_mib"),
        "commits": facts.get("commits"),
    }


def _scores(line: Entry) -> Entry:
    """Take the scores of the network's own masks, also of an epoch that was validated by the operator's."""
    return {"epoch": line["epoch"]} | {
        f"val_{name}": line.get(f"val_network_{name}", line[f"val_{name}"]) for name in ("labels", "truth")
    }


def cell_of(entry: Entry) -> Cell:
    """Return the cell of an entry."""
    return Cell(entry["detector"], entry["row"], entry["data_set"], entry["seed"])


def read_results(path: Path) -> Content:
    """Read the gathered results; empty if there are none."""
    if path.exists():
        return dict(json.loads(path.read_text(encoding="utf-8")))
    return {"settings": {}, "detectors": {}, "rows": {}, "cells": []}


def entry_of(path: Path, cell: Cell) -> Entry | None:
    """Return a cell's entry in the gathered results."""
    return next((entry for entry in read_results(path)["cells"] if cell_of(entry) == cell), None)


def check_settings(content: Content, grid: Grid, cell: Cell, path: Path) -> None:
    """Refuse to mix results of other settings.

    Raises
    ------
    CellError
        If cells of the file were trained with other settings than this one would be.
    """
    for name, asked in _parts(grid, cell):
        written = content[name[0]] if len(name) == 1 else content[name[0]].get(name[1])
        if written and (other := differences(written, asked)):
            raise CellError(
                f"{path} holds results of other settings ({other}); give the settings they were made with, "
                "or choose another --name"
            )


def merge(path: Path, grid: Grid, cell: Cell) -> Entry:
    """Add a finished cell to the gathered results; what others wrote meanwhile stays.

    Parameters
    ----------
    path : Path
        ``….json``; the page of tables beside it is made anew.
    grid : Grid
    cell : Cell
        Replaces an earlier entry of the same cell.

    Returns
    -------
    dict
        Its entry.
    """
    entry = figures_of(grid, cell)
    with held(path.parent, wait=True):
        content = read_results(path)
        check_settings(content, grid, cell, path)
        entries = {cell_of(earlier): earlier for earlier in content["cells"]} | {cell: entry}
        content["preset"] = grid.preset
        for name, asked in _parts(grid, cell):
            if len(name) == 1:
                content[name[0]] = asked
            else:
                content[name[0]][name[1]] = asked
        content["cells"] = [entries[cell] for cell in sorted(entries, key=_order)]
        stamp = {"command": command(), "machine": record()}
        content = {**content, **stamp}
        write_whole(path, json.dumps(content, indent=2) + "\n")
        write_whole(path.with_suffix(".md"), page(content))
    return entry


def _parts(grid: Grid, cell: Cell) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    """Part a cell's settings into those of all cells, of the detector and of the row.

    A loss is the row's where its strategy brings one of its own, which then differs from that of other rows.
    """
    settings = all_settings(grid.config(cell))
    others = all_settings(grid.config(replace(cell, row=_USUAL)))
    loss = {key: value for key, value in settings.items() if key.startswith(_LOSS) and others[key] != value}
    common = {
        key: others[key] if key in loss else value
        for key, value in settings.items()
        if key != "seed" and not key.startswith((_OF_DETECTOR, _OF_ROW))
    }
    common["lists"] = "unseen" if grid.unseen else "val"
    detector = {key: value for key, value in settings.items() if key.startswith(_OF_DETECTOR)}
    row = {key: value for key, value in settings.items() if key.startswith(_OF_ROW)} | loss
    return [(("settings",), common), (("detectors", cell.detector), detector), (("rows", cell.row), row)]


def _order(cell: Cell) -> tuple[int, str, int, int]:
    return list(DATA_SETS).index(cell.data_set), cell.detector, list(ROWS).index(cell.row), cell.seed

"""Gather the curves of finished cells of a table of trainings into one small file, for the site's pictures.

python benchmarks/strategy_curves.py --name sirst-v1             # after strategy_table.py of the same name

``strategy_curves-<name>.csv`` has a line for each validation of each cell of ``strategy_table-<name>.json``:
``detector,row,data_set,seed,epoch,minutes,loss`` and, in per cent, ``iou`` (the network's own masks against
the true masks of the list that validates), ``operator_iou`` (the same detections drawn by the operator) and
``labels_iou`` (the labels of the train list at that epoch against its true masks; empty where labels do not
exist as such). Lines of cells whose runs are not here, such as those of other machines, stay.
"""

import argparse
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

from cells.rows import Cell
from support.results import FOLDER

from pointmask.io.files import write_whole
from pointmask_trainer.run.journal import EpochJournal
from pointmask_trainer.run.layout import RunFolder

CELL = ("detector", "row", "data_set", "seed")
COLUMNS = (*CELL, "epoch", "minutes", "loss", "iou", "operator_iou", "labels_iou")

Line = dict[str, str]


def main() -> None:
    """Write the file, and say how many cells it holds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--name", default="cpu", help="of the results and of the folder of runs")
    parser.add_argument("--runs", type=Path, default=Path("build/cells"))
    parser.add_argument("--results", type=Path, default=FOLDER)
    options = parser.parse_args()
    table = options.results / f"strategy_table-{options.name}.json"
    entries = json.loads(table.read_text(encoding="utf-8"))["cells"]
    cells = [Cell(*(entry[key] for key in CELL)) for entry in entries]
    path = options.results / f"strategy_curves-{options.name}.csv"
    known = read(path)
    kept, missing = [], []
    for cell in cells:
        lines = list(curve(cell, options.runs / options.name / cell.name)) or known.get(cell.name, [])
        kept += lines
        missing += [] if lines else [cell.name]
    text = io.StringIO()
    rows = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    rows.writeheader()
    rows.writerows(kept)
    write_whole(path, text.getvalue().encode())
    print(f"written: {path}, {len(cells) - len(missing)} of {len(cells)} cells")
    for name in missing:
        print(f"no run: {name}, in {options.runs / options.name}")


def read(path: Path) -> dict[str, list[Line]]:
    """Read an earlier file; return its lines by the names of their cells."""
    known: dict[str, list[Line]] = {}
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            for line in csv.DictReader(file):
                cell = Cell(line["detector"], line["row"], line["data_set"], int(line["seed"]))
                known.setdefault(cell.name, []).append(line)
    return known


def curve(cell: Cell, folder: Path) -> Iterator[Line]:
    """Yield a line for each validation of a run; nothing if there is no run."""
    files = RunFolder(folder)
    if not files.metrics.exists():
        return
    labels = dict(label_ious(files))
    seconds = 0.0
    for line in EpochJournal(files.metrics).read():
        seconds += line["seconds"]
        if "val_truth" not in line:
            continue
        versions = [epoch for epoch in labels if epoch <= line["epoch"]]
        figures = {
            "iou": line.get("val_network_truth", line["val_truth"])["iou"],
            "operator_iou": line["val_truth"]["iou"] if "val_network_truth" in line else None,
            "labels_iou": labels[versions[-1]] if versions else None,
        }
        yield {
            **{key: str(getattr(cell, key)) for key in CELL},
            "epoch": str(line["epoch"]),
            "minutes": f"{seconds / 60:.2f}",
            "loss": f"{line['loss']:.4g}",
            **{key: "" if value is None else f"{100 * value:.1f}" for key, value in figures.items()},
        }


def label_ious(files: RunFolder) -> Iterator[tuple[int, float]]:
    """Yield epochs at which labels changed, and the IoU of the new ones with the true masks."""
    if not files.strategy.exists():
        return
    for line in EpochJournal(files.strategy).read():
        found = line.get("labels", line.get("drift", {}))
        if found.get("train") is not None:
            yield line["epoch"], found["train"]


if __name__ == "__main__":
    main()

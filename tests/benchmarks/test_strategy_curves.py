"""benchmarks/strategy_curves.py: curves of the cells that a table of trainings holds, in one small file."""

import csv
import json
import sys

import pytest

pytest.importorskip("torch")

CELL = {"detector": "alcnet", "data_set": "SIRST-v1"}


def write_run(folder, lines, learned):
    folder.mkdir(parents=True)
    for name, records in (("metrics", lines), ("strategy", learned)):
        text = "".join(json.dumps(record) + "\n" for record in records)
        (folder / f"{name}.jsonl").write_text(text)


@pytest.fixture
def gather(part, tmp_path, monkeypatch, capsys):
    """Run the script; returns the lines of the file and what was printed."""

    def run():
        words = ["--name", "t", "--runs", str(tmp_path / "runs"), "--results", str(tmp_path)]
        monkeypatch.setattr(sys, "argv", ["strategy_curves.py", *words])
        part("strategy_curves").main()
        with (tmp_path / "strategy_curves-t.csv").open(newline="") as file:
            return list(csv.DictReader(file)), capsys.readouterr().out

    return run


def test_a_line_for_each_validation_with_the_labels_of_its_time(gather, tmp_path):
    cells = [{**CELL, "row": row, "seed": 0} for row in ("lesps", "gsacp")]
    (tmp_path / "strategy_table-t.json").write_text(json.dumps({"cells": cells}))
    runs = tmp_path / "runs" / "t"
    iou = {"iou": 0.5}
    lines = [
        {"epoch": 1, "loss": 2.0, "seconds": 30},
        {"epoch": 2, "loss": 1.0, "seconds": 30, "val_truth": iou, "val_network_truth": {"iou": 0.25}},
        {"epoch": 3, "loss": 0.5, "seconds": 30, "val_truth": iou, "val_network_truth": {"iou": None}},
    ]
    learned = [
        {"epoch": 1, "labels": {"train": 0.1}},
        {"epoch": 2},
        {"epoch": 3, "labels": {"train": 0.2}},
    ]
    write_run(runs / "alcnet-lesps-SIRST-v1-0", lines, learned)
    found, told = gather()
    assert [line["row"] for line in found] == ["lesps", "lesps"]
    first, second = ({key: line[key] for key in list(line)[4:]} for line in found)
    figures = {"iou": "25.0", "operator_iou": "50.0", "labels_iou": "10.0"}
    assert first == {"epoch": "2", "minutes": "1.00", "loss": "1", **figures}
    assert (second["iou"], second["labels_iou"]) == ("", "20.0")
    assert "1 of 2 cells" in told
    assert "no run: alcnet-gsacp-SIRST-v1-0" in told

    # Another machine has the other run, whose network draws by itself, and not the first.
    (runs / "alcnet-lesps-SIRST-v1-0").rename(tmp_path / "gone")
    write_run(runs / "alcnet-gsacp-SIRST-v1-0", [{**lines[0], "val_truth": iou}], [])
    both, told = gather()
    assert both[:2] == found
    assert (both[2]["iou"], both[2]["operator_iou"], both[2]["labels_iou"]) == ("50.0", "", "")
    assert "2 of 2 cells" in told

"""Figures and curves of strategies: made from the result files, so that no page can be out of date."""

import csv
import json
import re
import sys
from importlib import import_module
from statistics import mean

import pytest
from tools.docs.blocks import DOCS, ROOT

RESULTS = ROOT / "benchmarks" / "results"
PAGES = sorted((DOCS / "strategies").glob("*.md"))


@pytest.fixture
def hook(monkeypatch):
    """Import a hook of the site."""
    monkeypatch.syspath_prepend(str(DOCS / "hooks"))

    def by_name(name):
        monkeypatch.delitem(sys.modules, name, raising=False)
        return import_module(name)

    return by_name


def test_a_table_has_the_means_of_the_result_file(hook):
    text = hook("figures").on_page_markdown("before\n<!-- figures: sirst-v1 lesps -->\nafter")
    cells = json.loads((RESULTS / "strategy_table-sirst-v1.json").read_text())["cells"]
    rows = {line.split(" | ")[0]: line.split(" | ") for line in text.splitlines() if line.startswith("| ")}
    assert list(rows) == [
        "| supervision", "| :---", "| true masks (`full`)", "| our masks (`masks`)", "| `lesps`"
    ]  # fmt: skip
    chosen = [cell["chosen"] for cell in cells if cell["row"] == "lesps"]
    assert rows["| `lesps`"][1] == str(len(chosen))
    for column, key, unit in ((2, "iou", 100), (4, "pd", 100), (5, "fa", 1e6)):
        wanted = mean(unit * scores["val_truth"][key] for scores in chosen)
        assert rows["| `lesps`"][column].split()[0] == f"{wanted:.1f}"
    wanted = mean(100 * scores["operator"]["iou"] for scores in chosen)
    assert rows["| `lesps`"][6].split()[0] == f"{wanted:.1f}"
    assert "which took no part in any training" in text
    assert text.startswith("before\n")
    assert text.endswith("\nafter")


def test_columns_that_no_row_fills_are_left_out(hook):
    table = hook("figures").section("cpu", ["point"])
    assert "operator draws" not in table
    assert "took no part" not in table


def test_curves_say_in_words_how_they_end(hook):
    html = hook("curves").on_page_markdown("<!-- curves: sirst-v1 lesps lesps_annotator -->")
    with (RESULTS / "strategy_curves-sirst-v1.csv").open(newline="") as file:
        last = [line for line in csv.DictReader(file) if line["row"] == "lesps" and line["epoch"] == "20"]
    wanted = mean(float(line["iou"]) for line in last)
    assert f"lesps ends at {wanted:.0f}" in html
    assert html.count("<figure>") == 2  # the detector, and the labels that change
    detector = html.partition("</figure>")[0]
    assert len(re.findall(r'class="own-0 seed"', detector)) == len(last)
    assert hook("curves").on_page_markdown("<!-- curves: sirst-v1 point -->").count("<figure>") == 1


@pytest.mark.parametrize("name", ["figures", "curves"])
def test_a_row_without_results_stops_the_build(hook, name):
    with pytest.raises(ValueError, match=r"sirst-v1\.(json|csv) has no (finished )?cell of b1"):
        hook(name).on_page_markdown(f"<!-- {name}: sirst-v1 b1 -->")


def test_every_row_that_has_a_curve_is_in_the_table():
    cells = json.loads((RESULTS / "strategy_table-sirst-v1.json").read_text())["cells"]
    known = {(cell["row"], str(cell["seed"])) for cell in cells}
    with (RESULTS / "strategy_curves-sirst-v1.csv").open(newline="") as file:
        drawn = {(line["row"], line["seed"]) for line in csv.DictReader(file)}
    assert drawn <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_page_shows_what_its_strategy_gave(page):
    assert "## What it gave here" in page.read_text(encoding="utf-8")

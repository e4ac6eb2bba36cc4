"""The commands of the page First hour, one after the other; only the training is shortened."""

import shlex

import pytest
from click.testing import CliRunner
from tools.docs.blocks import DOCS, blocks

from pointmask.cli import main

SETTING_UP = ("python", "env/bin/python")


@pytest.mark.slow
def test_the_first_hour_works_as_written(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    bash = [block for block in blocks(DOCS / "first-hour.md") if block.language == "bash"]
    lines = [shlex.split(line) for block in bash if block.is_run for line in block.text.splitlines()]
    assert len(lines) + sum(not block.is_run for block in bash) <= 30
    for program, *words in lines:
        if program in SETTING_UP:
            continue
        assert program == "pointmask"
        shortened = ["--epochs", "4"] if words[0] == "train" else []
        done = CliRunner().invoke(main, [*words, *shortened])
        assert done.exit_code == 0, f"{words}: {done.output}"
    for made in (
        "first-look/result/report.html",
        "labels/report.html",
        "run/report.html",
        "found/points.csv",
        "comparison/bench.png",
        "scores/curves.png",
        "coco.json",
        "training/img_idx",
    ):
        assert (tmp_path / made).exists(), made

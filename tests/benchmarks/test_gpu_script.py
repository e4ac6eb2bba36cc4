"""The script for a lent GPU: what it runs, in which order, and in whose words."""

import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "benchmarks"


def test_the_gpu_script_does_what_is_missing_in_order_and_tells_of_failures(tmp_path):
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    fake = bin_ / "python"
    fake.write_text('#!/bin/sh\necho "$@"\ncase "$*" in *dnanet*) exit 1;; esac\n')
    fake.chmod(0o755)
    (tmp_path / "benchmarks" / "results").mkdir(parents=True)
    (tmp_path / "benchmarks" / "results" / "loader-cuda.json").write_text("{}")

    def run(minutes):
        environment = {**os.environ, "PATH": f"{bin_}:{os.environ['PATH']}"}
        return subprocess.run(
            ["sh", str(FOLDER / "gpu.sh"), minutes],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    done = run("60")
    words = [line.split() for line in done.stdout.splitlines()]
    assert [line[0] for line in words] == ["benchmarks/torch_operator.py"] + 3 * [
        "benchmarks/strategy_table.py"
    ]
    rows = [line[line.index("--detectors") + 1 : line.index("--keep-weights")] for line in words[1:]]
    assert rows == [
        ["alclnet", "--rows", "full", "masks", "d2d"],
        ["dnanet", "--rows", "full", "masks", "d2d"],
        ["alclnet", "--rows", "alpha30"],
    ]
    assert {line[line.index("--minutes") + 1] for line in words[1:]} <= {"60", "59"}
    assert done.returncode == 1
    done = run("0")  # no minute is left for trainings
    assert done.stdout.split()[0] == "benchmarks/torch_operator.py"
    assert (done.stdout.count("\n"), done.returncode) == (1, 0)


def test_the_gpu_script_speaks_the_table_s_words(part, monkeypatch, tmp_path):
    text = (FOLDER / "gpu.sh").read_text().replace("\\\n", " ")
    (line_,) = [line for line in text.splitlines() if "strategy_table.py" in line]
    words = (
        line_.partition("strategy_table.py")[2].partition("||")[0].replace('"$left"', "8").replace('"$@"', "")
    )
    monkeypatch.setattr(sys, "argv", ["strategy_table.py", *words.split()])
    options = part("strategy_table").read_options()
    grid = part("cells.cells").Grid(
        root=tmp_path, runs=tmp_path, preset=options.preset, settings=tuple(options.set)
    )
    config = grid.config(part("cells.rows").Cell("dnanet", "d2d", "SIRST3", 0))
    assert (config.epochs, config.run.precision, config.run.validate_every) == (400, "bf16", 10)
    assert (options.minutes, options.keep_weights) == (8, True)

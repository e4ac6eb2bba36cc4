"""What all commands have in common: quiet, JSON, exit statuses in the help, tables of 80 columns."""

import json
import re
import shutil

import numpy as np
import pytest
from click.testing import CliRunner
from tools.folders import save, scenes

from pointmask.cli import COMMANDS, main
from pointmask.io.formats.tables.csv import Csv


def call(*words, code=0):
    done = CliRunner().invoke(main, [*map(str, words)])
    assert done.exit_code == code, done.output
    return done


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("manners") / "demo"
    call("demo", folder, "--scenes", "4")
    return folder


@pytest.mark.parametrize("name", [name for name in COMMANDS if COMMANDS[name][0].startswith("pointmask.")])
def test_every_command_tells_its_exit_statuses_and_can_be_quiet(name):
    shown = " ".join(call(name, "--help").stdout.split())
    assert "Exit status: 0 done; 1 broken off" in shown
    assert "-q, --quiet" in shown


def test_a_quiet_job_prints_its_results_and_nothing_else(demo, tmp_path):
    words = ["annotate", demo / "images", "--points", demo / "points.csv", "--out"]
    loud, quiet = call(*words, tmp_path / "loud"), call(*words, tmp_path / "quiet", "--quiet")
    assert loud.stderr.startswith("Points: ")
    assert quiet.stderr == ""
    assert "Next:" in loud.stdout
    assert "Next:" not in quiet.stdout
    assert "Manifest:" in quiet.stdout


def test_errors_are_heard_in_quiet_too(tmp_path):
    done = call(
        "annotate", tmp_path, "--points", tmp_path / "none.csv", "--out", tmp_path / "o", "-q", code=2
    )
    assert done.stderr.startswith("Error: ")
    done = call("annotate", "-q", code=2)
    assert "Missing argument" in done.stderr


def test_quiet_ends_with_its_command(demo, tmp_path):
    words = ["annotate", demo / "images", "--points", demo / "points.csv", "--out"]
    call(*words, tmp_path / "1", "-q")
    assert "Points: " in call(*words, tmp_path / "2").stderr


def test_the_last_tables_can_be_had_as_json(demo, tmp_path):
    out = tmp_path / "score"
    done = call("score", demo / "masks", "--truth", demo / "masks", "--out", out, "--json")
    assert json.loads(done.stdout) == json.loads((out / "score.json").read_text())
    out = tmp_path / "bench"
    words = ["bench", demo / "images", "--masks", demo / "masks", "--methods", "ours,threshold"]
    done = call(*words, "--out", out, "--json")
    assert json.loads(done.stdout) == json.loads((out / "bench.json").read_text())


def test_tables_fit_a_terminal_of_80_columns(demo, tmp_path):
    methods = "ours,mclc,d2d,com,pgc2f,threshold"
    words = ["--masks", demo / "masks", "--methods", methods, "--limit", 1, "--out", tmp_path / "bench"]
    shown = [call("bench", demo / "images", *words).stdout]
    shown.append(call("score", demo / "masks", "--truth", demo / "masks", "--out", tmp_path / "s").stdout)
    for text in shown:
        tables = [line for line in text.splitlines() if re.search(r"─|  \d", line)]
        assert len(tables) > 3
        assert max(map(len, tables)) <= 80
        assert "…" not in text


def test_what_is_advised_names_the_places_of_the_call(tmp_path):
    images, points = scenes(tmp_path)
    Csv().write(points, tmp_path / "points.csv")
    out = tmp_path / "out"
    shown = call("annotate", images, "--points", tmp_path / "points.csv", "--out", out).stdout
    assert f"pointmask click {images} --review {out} --out {out}" in shown


def test_the_summary_of_a_job_can_be_had_as_json(demo, tmp_path):
    words = ["annotate", demo / "images", "--points", demo / "points.csv", "--out", tmp_path / "labels"]
    told = json.loads(call(*words, "--json").stdout)
    assert (told["images"], told["skipped"]) == (4, [])
    assert told["targets"] == len((demo / "points.csv").read_text().splitlines()) - 1
    assert told["masks"] == str(tmp_path / "labels/masks")
    points = tmp_path / "points.csv"
    points.write_text("image,x,y\nnone.png,3,3\n")
    done = call("annotate", demo / "images", "--points", points, "--out", tmp_path / "o", "--json", code=3)
    assert json.loads(done.stdout)["targets"] == 0
    assert "WARNING: 0 targets" in done.stderr


def test_a_quiet_check_leaves_notes_out_and_no_problem(demo, tmp_path):
    points = tmp_path / "points.csv"
    points.write_text((demo / "points.csv").read_text() + "gone.png,3,3\n")
    images = tmp_path / "images"
    shutil.copytree(demo / "images", images)
    save(images / "flat.png", np.full((48, 48), 7, np.uint8))
    words = ["check", images, "--points", points]
    loud, quiet = call(*words, code=3).stdout, call(*words, "--quiet", code=3).stdout
    assert "note: " in loud
    assert "note: " not in quiet
    assert "PROBLEM: " in quiet
    assert "Next:" not in quiet

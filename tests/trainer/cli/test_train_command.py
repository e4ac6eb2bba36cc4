"""`train` on the command line: settings are found and explained, its end is told, its advice works."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from datetime import datetime
from itertools import pairwise

import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")

from tools.trainer.training import TINY, make_folder

from pointmask.cli import main
from pointmask.settings import parse_toml
from pointmask_trainer.cli.watching import Outlook, duration, end_line
from pointmask_trainer.config import Config, from_toml, load_config
from pointmask_trainer.errors import ConfigError
from pointmask_trainer.meanings import MEANINGS, NOT_NEEDED
from pointmask_trainer.training.settings import explained, resolved, whole_toml


def run(*arguments, code=0):
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exit_code == code, done.output
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("command") / "data", 10)


def test_without_a_gpu_the_light_preset_is_taken_and_said(folder, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    shown = run("train", folder, "--print-config")
    assert "No GPU, so --preset cpu" in shown.stderr
    assert from_toml(shown.stdout) == resolved(load_config(preset="cpu"))
    plain = run("train", folder, "--print-config", "--preset", "none")
    assert "No GPU" not in plain.stderr
    assert from_toml(plain.stdout) == resolved(load_config())
    named = run("train", folder, "--print-config", "--config", "a1")
    assert from_toml(named.stdout) == resolved(load_config(file="a1"))


def test_with_a_gpu_nothing_is_chosen(folder, monkeypatch):
    monkeypatch.setattr("pointmask_trainer.distributed.choose_device", lambda name: torch.device("cuda"))
    shown = run("train", folder, "--print-config")
    assert from_toml(shown.stdout) == resolved(load_config())


@pytest.mark.parametrize("strategy", ["masks", "d2d", "lesps", "pal", "gsacp", "joint"])
def test_the_printed_settings_are_all_there_are_each_with_its_meaning(strategy):
    config = load_config(settings=[f"strategy.name={strategy}"])
    text = explained(config)
    assert from_toml(text) == resolved(config)
    lines = text.splitlines()
    undocumented = [line for before, line in pairwise(lines) if " = " in line and before[:1] not in "#"]
    assert not undocumented
    assert from_toml(whole_toml(config)) == resolved(config)
    assert whole_toml(config).startswith("# pointmask ")


def test_several_settings_follow_one_set(folder):
    words = ("train", folder, "--preset", "none", "--print-config", "--set", "optim.lr=0.5", "batch=3")
    config = from_toml(run(*words, "--set", "epochs=7", "--seed", "4").stdout)
    assert (config.optim.lr, config.batch, config.epochs, config.seed) == (0.5, 3, 7, 4)


@pytest.mark.parametrize("name", [*MEANINGS, "optim.learning_rate", *NOT_NEEDED])
def test_a_name_of_other_programs_is_answered_with_ours(name):
    with pytest.raises(ConfigError) as caught:
        load_config(settings=[f"{name}=1"])
    leaf = name.rpartition(".")[2]
    if leaf in NOT_NEEDED:
        assert NOT_NEEDED[leaf] in str(caught.value)
        return
    place = Config()
    for part in MEANINGS[leaf].split("."):
        place = getattr(place, part)  # exists
    assert f"here it is {MEANINGS[leaf]}" in str(caught.value) or "did you mean" in str(caught.value)


def test_a_dry_run_reads_and_checks_and_writes_nothing(folder, tmp_path):
    settings = [word for setting in TINY for word in ("--set", setting)]
    words = ("train", folder, "--strategy", "full", *settings, "--trust-labels", "--out", tmp_path / "run")
    shown = run(*words, "--dry-run")
    assert "2 epochs of 2 steps" in shown.stderr
    assert "parameters" in shown.stderr
    assert not (tmp_path / "run").exists()
    refused = run("train", folder, "--strategy", "masks", *settings, "--dry-run", code=2)
    assert "needs pseudo-masks" in refused.stderr


@pytest.fixture(scope="module")
def trained(folder, tmp_path_factory):
    """A run and what was printed at its end."""
    out = tmp_path_factory.mktemp("trained") / "my run"
    settings = [word for setting in (*TINY, "epochs=1") for word in ("--set", setting)]
    shown = run("train", folder, "--strategy", "full", *settings, "--trust-labels", "--out", out)
    return out, shown


def test_the_last_lines_say_what_comes_next_and_it_works(trained, tmp_path, monkeypatch):
    out, shown = trained
    monkeypatch.chdir(tmp_path)
    assert f"Report: {out / 'report.html'}" in shown.stdout
    advised = re.findall(r"pointmask (.+)", shown.stdout)
    assert [words.split()[0] for words in advised] == ["evaluate", "predict"]
    for words in advised:
        assert CliRunner().invoke(main, shlex.split(words)).exit_code in (0, 3)


def test_the_file_of_settings_tells_version_and_every_option(trained):
    text = (trained[0] / "config.toml").read_text()
    assert text.startswith("# pointmask ")
    assert parse_toml(text, "it", ConfigError)["seed"] == 0


def test_patience_ends_a_run_and_a_resume_keeps_its_count(folder, tmp_path):
    settings = [w for s in (*TINY, "epochs=9", "patience=2", "optim.lr=0") for w in ("--set", s)]
    words = ("train", folder, "--preset", "none", "--strategy", "full", *settings, "--trust-labels")
    words = (*words, "--out", tmp_path / "run")
    shown = run(*words)
    assert "ended after epoch 3 of 9: 2 validations without a better one" in shown.stderr
    assert len((tmp_path / "run/metrics.jsonl").read_text().splitlines()) == 3
    again = run(*words, "--resume")
    assert "epoch    4" not in again.stderr


def test_the_end_is_estimated_from_the_steps_after_the_first():
    now = [0.0]
    outlook = Outlook(lambda: now[0])
    assert outlook.left(1, 10, 1, 10) is None
    found = []
    for done in range(2, 11):
        now[0] += 3
        found.append(outlook.left(1, 10, done, 10))
    assert found[:4] == [None] * 4
    assert found[-1] == pytest.approx(9 * 30)
    assert end_line(3600, datetime(2026, 1, 1, 12)).startswith("about 60 min left, until 13:00")
    assert "Sat 03 Jan" in end_line(57 * 3600, datetime(2026, 1, 1, 12))
    assert [duration(s) for s in (5, 600, 7200, 57 * 3600)] == ["5 s", "10 min", "2 h 00 min", "57 h"]


def test_an_interrupted_run_goes_on_as_the_message_says(folder, tmp_path):
    words = [
        *(
            "train",
            folder,
            "--strategy",
            "full",
            "--preset",
            "none",
            "--trust-labels",
            "--out",
            tmp_path / "run",
        ),
        *(word for setting in (*TINY, "epochs=200") for word in ("--set", setting)),
    ]
    command = [sys.executable, "-m", "pointmask", *map(str, words)]
    quiet = {**os.environ, "OMP_NUM_THREADS": "1"}
    job = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=quiet)
    until = time.monotonic() + 120
    while not (tmp_path / "run/last").exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    job.send_signal(signal.SIGINT)
    said = job.communicate(timeout=60)[1]
    assert job.returncode == 130
    assert "go on with the same command and --resume" in said.splitlines()[-1]
    finished = len((tmp_path / "run/metrics.jsonl").read_text().splitlines())
    shorter = [*words, "--resume", "--dry-run"]
    shown = run(*shorter)
    assert "nothing was written" in shown.stderr
    assert finished >= 1


@pytest.mark.parametrize(("beta", "is_said"), [(1.0, True), (0.0, False)])
def test_figures_of_images_whose_clicks_were_trained_on_are_called_so(folder, tmp_path, beta, is_said):
    settings = ["--preset", "none", "--set", *TINY, "epochs=1", f"strategy.options.beta={beta}"]
    shown = run("train", folder, "--strategy", "d2d", *settings, "--trust-labels", "--out", tmp_path / "run")
    assert ("figures on them flatter" in shown.stderr) == is_said
    assert ("figures on them flatter" in (tmp_path / "run/report.html").read_text()) == is_said


def test_the_help_names_the_detectors_that_are_taken():
    shown = " ".join(CliRunner().invoke(main, ["train", "--help"]).stdout.split())
    light, usual = load_config(preset="cpu").model.name, load_config().model.name
    assert f"Detector; that of the preset by default ({light} of cpu, else {usual})" in shown

"""Selecting images by what a run learned: rankings, shares, lists, and the command that retrains."""

import csv
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from tools.trainer.training import TINY, make_folder

from pointmask.cli import main
from pointmask.io.formats import read_points
from pointmask_trainer.config import load_config
from pointmask_trainer.data.folder import find_images
from pointmask_trainer.data.points import pair_points
from pointmask_trainer.data.split import load_split
from pointmask_trainer.errors import DataError
from pointmask_trainer.selection.ranking import (
    best,
    kept_count,
    mean_weights,
    overlap,
    quotas,
    random_scores,
    ranking,
)
from pointmask_trainer.strategies.weights.difficulty import difficulty_of
from pointmask_trainer.training.train import Source, train

BUSY = ("warmup=1", "theta=frozen", "val_every=1", "alpha_every=1")


def config_of(*options, strategy="d2d", epochs=3):
    options = [f"strategy.options.{option}" for option in options]
    return load_config(settings=[*TINY, f"epochs={epochs}", f"strategy.name={strategy}", *options])


def make_run(folder, out, *options, **settings):
    train(config_of(*options, **settings), Source(root=folder, points=folder / "points.csv"), out)
    return out


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Images of two data sets, by their names; a path that a shell takes apart."""
    root = make_folder(tmp_path_factory.mktemp("odd $HOME") / "it's; a dir", 14)
    renamed = {f"scene_{k:03d}": f"Misc_{k}" if k % 2 else f"{k:06d}" for k in range(14)}
    for old, new in renamed.items():
        for name in ("images", "masks"):
            (root / name / f"{old}.png").rename(root / name / f"{new}.png")
    for file in (root / "points.csv", *(root / "img_idx").iterdir()):
        text = file.read_text()
        for old, new in renamed.items():
            text = text.replace(old, new)
        file.write_text(text)
    return root


@pytest.fixture(scope="module")
def d2d_run(folder):
    return make_run(folder, folder.parent / "a run", *BUSY)


@pytest.fixture
def run(d2d_run, tmp_path):
    """A copy that may be written to."""
    return shutil.copytree(d2d_run, tmp_path / "a run")


def select(*arguments):
    return CliRunner().invoke(main, ["select", *map(str, arguments)])


def ids_in(file):
    return file.read_text().splitlines()


def lines_of(run):
    return [json.loads(line) for line in (run / "strategy.jsonl").read_text().splitlines()]


def rewrite(run, change):
    lines = lines_of(run)
    for line in lines:
        change(line)
    (run / "strategy.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


# The selection itself


def test_weights_are_averaged_over_the_last_epochs_in_which_they_were_on():
    lines = [
        {"epoch": 1, "alpha": [None, None, None], "loss": [1, 1, 1]},
        {"epoch": 2, "alpha": [9.0, 9.0, 9.0]},
        {"epoch": 3, "alpha": [1.0, None, None]},
        {"epoch": 4, "loss": [1, 1, 1]},
        {"epoch": 5, "alpha": [2.0, 4.0, None]},
        {"epoch": 6, "alpha": [None, None, None]},
    ]
    found = mean_weights(lines, 3, last=2)
    assert (found.alpha, found.epochs) == ((1.5, 4.0, None), (3, 5))
    assert mean_weights(lines, 3, last=50).epochs == (2, 3, 5)
    assert mean_weights(lines[:1], 3, last=2).epochs == ()
    with pytest.raises(DataError, match=r"epoch 1 in strategy\.jsonl has 3 values for the 4 images"):
        mean_weights(lines, 4, last=1)


@given(
    st.lists(
        st.lists(st.none() | st.floats(0.2, 5, allow_subnormal=False), min_size=3, max_size=3), max_size=9
    )
)
def test_mean_weights_are_sums_in_the_order_of_epochs_to_the_last_bit(weights):
    lines = [{"epoch": k + 1, "alpha": row} for k, row in enumerate(weights)]
    found = mean_weights(lines, 3, last=5)
    weighed = [line for line in lines if any(w is not None for w in line["alpha"])][-5:]
    for image, mean in enumerate(found.alpha):
        given = [line["alpha"][image] for line in weighed if line["alpha"][image] is not None]
        assert mean == (sum(given) / len(given) if given else None)
    assert found.epochs == tuple(line["epoch"] for line in weighed)


def test_what_was_never_weighed_ranks_last():
    assert ranking([0.5, None, 2.0, 0.5, -1.0]) == [2, 0, 3, 4, 1]


@pytest.mark.parametrize(
    ("keep", "images", "count"),
    [(0.3, 1652, 496), (0.5, 5, 3), (1.0, 7, 7), (0.001, 9, 1), (2, 9, 2), (9, 9, 9)],
)
def test_keep_is_a_share_or_a_count(keep, images, count):
    assert kept_count(keep, images) == count


@pytest.mark.parametrize("keep", [0, -0.3, 1.5, 10, float("nan"), float("inf")])
def test_other_numbers_are_explained(keep):
    with pytest.raises(DataError, match="--keep"):
        kept_count(keep, 9)


def test_quotas_follow_the_sizes_and_add_up():
    groups = ["a"] * 7 + ["b"] * 2 + ["c"]
    assert quotas(groups, 5) == {"a": 4, "b": 1, "c": 0}
    for count in range(1, 11):
        given = quotas(groups, count)
        assert sum(given.values()) == count
        assert all(abs(given[name] - count * groups.count(name) / 10) < 1 for name in given)


def test_each_group_keeps_its_best():
    scores, groups = [9, 8, 7, 6, 3, 2, 1, 0], ["a"] * 4 + ["b"] * 4
    assert best(ranking(scores), 4) == [0, 1, 2, 3]
    assert best(ranking(scores), 4, groups) == [0, 1, 4, 5]
    assert overlap([0, 1, 2, 3], [0, 1, 4, 5]) == 0.5


def test_random_scores_are_of_seed_and_name_alone():
    ids = [f"image_{k}" for k in range(2000)]
    scores = random_scores(ids, 0)
    assert random_scores(ids[::-1], 0) == scores[::-1]
    assert abs(np.mean(scores) - 0.5) < 0.02
    assert abs(np.corrcoef(scores, random_scores(ids, 1))[0, 1]) < 0.1


# What a run keeps


@pytest.mark.parametrize(
    ("strategy", "options"), [("d2d", ("alpha=off", "theta=frozen")), ("joint", ()), ("d2d", BUSY)]
)
def test_runs_on_points_keep_the_difficulty_of_their_images(folder, tmp_path, strategy, options):
    out = make_run(folder, tmp_path / "run", *options, strategy=strategy, epochs=2)
    first, second = lines_of(out)
    images = find_images(folder)
    paired = pair_points(read_points(folder / "points.csv"), images, folder)
    split = load_split("train", ids_in(out / "train.txt"), images, paired)
    assert first["difficulty"] == pytest.approx(difficulty_of(split), abs=1e-4)
    assert "difficulty" not in second


# The command


def test_lists_and_table_are_written(run):
    result = select(run, "--keep", "0.4", "--seed", 3, "--seed", 4)
    assert result.exit_code == 0, result.output
    out, ids = run / "selected", ids_in(run / "train.txt")
    lists = {name: ids_in(out / f"{name}.txt") for name in ("alpha", "difficulty", "random-3", "random-4")}
    assert len(ids) == 12
    assert all(len(set(kept)) == 5 and set(kept) < set(ids) for kept in lists.values())
    assert lists["random-3"] != lists["random-4"]
    weights = [line["alpha"] for line in lines_of(run)]
    mean = np.nanmean(np.array(weights[1:], float), axis=0)  # warm-up is the first epoch
    assert lists["alpha"] == [ids[k] for k in np.argsort(-mean, kind="stable")[:5]]
    difficulty = np.array(lines_of(run)[0]["difficulty"])
    assert lists["difficulty"] == [ids[k] for k in np.argsort(-difficulty, kind="stable")[:5]]
    with (out / "selection.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == ids
    assert [row["image"] for row in rows if row["kept_alpha"] == "1"] == [
        k for k in ids if k in lists["alpha"]
    ]
    assert [float(row["alpha"]) for row in rows] == pytest.approx(mean, abs=1e-4)
    assert next(row["image"] for row in rows if row["rank_random-4"] == "1") == lists["random-4"][0]
    facts = json.loads((out / "selection.json").read_text())
    assert facts["alpha_epochs"] == {"first": 2, "last": 3, "count": 2}
    shared = len(set(lists["alpha"]) & set(lists["difficulty"])) / 5
    assert facts["overlap"]["alpha difficulty"] == shared
    assert f"alpha and difficulty share {shared:.0%}" in result.output
    assert "not annotation time" in result.output


def test_last_shortens_the_average(run):
    select(run, "--keep", 3, "--last", 1)
    final = np.array(lines_of(run)[-1]["alpha"], float)
    ids = ids_in(run / "train.txt")
    assert ids_in(run / "selected" / "alpha.txt") == [ids[k] for k in np.argsort(-final, kind="stable")[:3]]


def test_stratified_lists_keep_the_share_of_each_data_set(run):
    def weigh(line):  # one data set outweighs the other
        line["alpha"] = [None if w is None else 2.0 - (k % 2) for k, w in enumerate(line["alpha"])]

    rewrite(run, weigh)
    select(run, "--keep", 0.5)
    ids = ids_in(run / "train.txt")
    assert ids_in(run / "selected" / "alpha.txt") == ids[::2]
    result = select(run, "--keep", 0.5, "--stratify", "--out", run / "even")
    assert ids_in(run / "even" / "alpha.txt") == [*ids[0:6:2], *ids[1:7:2]]
    assert "NUDT-SIRST" in result.output
    assert "SIRST-v1" in result.output


def test_an_image_that_was_never_weighed_is_told(run):
    def forget(line):
        line["alpha"][0] = None

    rewrite(run, forget)
    result = select(run, "--keep", 11)
    assert "never weighed, so ranked last: 1 of 12" in result.output
    assert ids_in(run / "train.txt")[0] not in ids_in(run / "selected" / "alpha.txt")
    with (run / "selected" / "selection.csv").open() as file:
        assert next(csv.DictReader(file))["alpha"] == ""


def test_nothing_is_overwritten_unasked(run):
    assert select(run, "--keep", 4).exit_code == 0
    assert select(run, "--keep", 4).exit_code == 0  # the same again
    before = ids_in(run / "selected" / "alpha.txt")
    refused = select(run, "--keep", 3)
    assert refused.exit_code == 2
    assert "--overwrite" in refused.output
    assert ids_in(run / "selected" / "alpha.txt") == before
    assert select(run, "--keep", 3, "--overwrite").exit_code == 0
    assert len(ids_in(run / "selected" / "alpha.txt")) == 3


# Retraining


def run_printed(output, cwd, python=sys.executable):
    """Run the printed command in a shell, as a user would."""
    command = output.split("Retrain with:\n")[1].strip()
    assert command.startswith("pointmask ")
    script = f'pointmask() {{ "{python}" -m pointmask "$@"; }}\n{command}\n'
    return subprocess.run(["bash", "-c", script], cwd=cwd, env=os.environ, capture_output=True, text=True)


@pytest.mark.parametrize("by", ["alpha", "random"])
def test_the_printed_command_retrains_on_the_list(run, by):
    result = select(run, "--keep", 5, "--by", by, "--seed", 2)
    done = run_printed(result.output, run.parent)
    assert done.returncode == 0, done.stderr
    name = "alpha" if by == "alpha" else "random-2"
    again = run.parent / f"a run-{name}-5"
    assert ids_in(again / "train.txt") == ids_in(run / "selected" / f"{name}.txt")
    assert ids_in(again / "val.txt") == ids_in(run / "val.txt")
    assert "alpha" not in lines_of(again)[-1]
    config = load_config(file=again / "config.toml")
    assert (config.strategy.options["alpha"], config.strategy.options["theta"]) == ("off", "frozen")
    assert (config.epochs, config.model.name) == (3, "acm_unet")


def test_a_run_of_another_strategy_retrains_as_it_was(folder, tmp_path):
    for strategy in ("joint", "masks"):
        run = tmp_path / strategy
        source = Source(root=folder, points=folder / "points.csv", masks=folder / "masks")
        train(config_of(strategy=strategy, epochs=1), source, run)
        result = select(run, "--keep", 0.5, "--by", "alpha" if strategy == "joint" else "random")
        done = run_printed(result.output, tmp_path)
        assert done.returncode == 0, done.stderr
        name = "joint-alpha-6" if strategy == "joint" else "masks-random-0-6"
        config = load_config(file=tmp_path / name / "config.toml")
        assert config.strategy.name == ("d2d" if strategy == "joint" else "masks")


def test_data_that_moved_is_named(run, folder, tmp_path):
    (run / "source.json").unlink()
    told = select(run, "--keep", 5)
    assert told.exit_code == 0
    assert "name it with --data" in told.output
    assert "Retrain" not in told.output
    moved = tmp_path / "moved"
    moved.symlink_to(folder)
    result = select(run, "--keep", 5, "--data", moved, "--overwrite")
    assert f"pointmask train {moved} " in result.output
    assert "--points" not in result.output  # which are found there
    assert run_printed(result.output, run.parent).returncode == 0


# What cannot be ranked


@pytest.mark.parametrize(
    ("strategy", "options", "by", "message"),
    [
        ("full", (), "alpha", "learns no sample weights"),
        ("full", (), "difficulty", "which measures none"),
        ("d2d", ("alpha=off", "theta=frozen"), "alpha", 'strategy.options.alpha = "off"'),
        ("d2d", ("warmup=9",), "alpha", "warm-up is not over"),
    ],
)
def test_runs_that_cannot_be_ranked_say_what_to_do(folder, tmp_path, strategy, options, by, message):
    run = make_run(folder, tmp_path / "run", *options, strategy=strategy, epochs=1)
    result = select(run, "--keep", 0.5, "--by", by)
    assert result.exit_code == 2
    assert message in result.output
    assert "--by random" in result.output
    assert not (run / "selected").exists()
    if strategy == "d2d":
        assert "--by difficulty" in result.output
        assert select(run, "--keep", 0.5, "--by", "difficulty").exit_code == 0
        assert not (run / "selected" / "alpha.txt").exists()
    else:
        assert select(run, "--keep", 0.5, "--by", "random").exit_code == 0


def test_runs_of_earlier_versions_have_no_difficulty(run):
    rewrite(run, lambda line: line.pop("difficulty", None))
    assert "earlier version" in select(run, "--keep", 0.5, "--by", "difficulty").output
    assert select(run, "--keep", 0.5).exit_code == 0
    assert not (run / "selected" / "difficulty.txt").exists()


def test_what_is_no_run_is_said(tmp_path):
    result = select(tmp_path, "--keep", 0.5)
    assert result.exit_code == 2
    assert "is no run of pointmask train" in result.output


@pytest.mark.parametrize("command", ["select", "train"])
def test_examples_in_the_help_are_lines_of_their_own(command):
    result = CliRunner().invoke(main, [command, "--help"])
    assert "  pointmask train DATA --strategy d2d" in result.output
    assert "\\b" not in result.output
    if command == "select":
        assert "not annotation time" in " ".join(result.output.split())

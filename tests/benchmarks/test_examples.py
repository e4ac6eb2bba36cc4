"""The examples run as a user would run them: in an empty folder, without arguments."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name, folder, *arguments):
    done = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / name, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"},  # busy machines
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_every_example_is_tested_here():
    tested = {
        "annotate_one_image.py",
        "annotate_folder.py",
        "score_masks.py",
        "track_sequence.py",
        "train_on_points.py",
    }
    assert {p.name for p in EXAMPLES.glob("*.py")} == tested


def test_annotate_one_image(tmp_path):
    told = run("annotate_one_image.py", tmp_path)
    assert told.count("confidence") == 3
    with Image.open(tmp_path / "one_image.png") as picture:
        pixels = np.asarray(picture)
    outline = (pixels == (0, 255, 0)).all(axis=2)
    half = pixels.shape[1] // 2
    assert not outline[:, :half].any()
    assert outline[:, half:].sum() > 3 * 9 * 4  # three outlines, enlarged threefold


def test_annotate_folder_and_again(tmp_path):
    assert "24 images done now, 0 done before" in run("annotate_folder.py", tmp_path, "job")
    masks = sorted((tmp_path / "job" / "out" / "masks").glob("*.png"))
    assert [m.name for m in masks] == sorted(p.name for p in (tmp_path / "job" / "images").iterdir())
    assert (tmp_path / "job" / "out" / "report.html").stat().st_size > 1000
    with (tmp_path / "job" / "points.csv").open(newline="") as file:
        first = next(csv.DictReader(file))
    with Image.open(tmp_path / "job" / "out" / "masks" / first["image"]) as mask:
        assert np.asarray(mask)[int(first["y"]), int(first["x"])] == 255
    assert "0 images done now, 24 done before" in run("annotate_folder.py", tmp_path, "job")


def test_slurm_array(tmp_path):
    run("annotate_folder.py", tmp_path, "job")
    script = EXAMPLES / "annotate_array.sbatch"
    python = f'#!/bin/bash\nexec {sys.executable} -m pointmask "$@"\n'
    (tmp_path / "pointmask").write_text(python)
    (tmp_path / "pointmask").chmod(0o755)
    for index in (1, 2):
        assert not (tmp_path / "out/manifest.jsonl").exists()
        environment = {
            **os.environ,
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "SLURM_ARRAY_TASK_ID": str(index),
            "SLURM_ARRAY_TASK_COUNT": "2",
        }
        command = ["bash", script, "job/images", "job/points.csv", "out"]
        subprocess.run(command, cwd=tmp_path, env=environment, check=True, timeout=240)
    assert len((tmp_path / "out/masks.jsonl").read_text().splitlines()) == 24


def test_score_masks(tmp_path):
    rows = [line.rsplit(maxsplit=2) for line in run("score_masks.py", tmp_path).splitlines()[1:]]
    counts, scores = [int(r[1]) for r in rows], [float(r[2]) for r in rows]
    assert len(rows) == 5
    assert sum(counts[:-1]) == counts[-1] >= 150
    assert scores[-1] == pytest.approx(np.clip(scores[-1], 0.6, 1.0)), "far below what built-in scenes give"
    assert min(scores[:-1]) <= scores[-1] <= max(scores[:-1])


def test_track_sequence(tmp_path):
    told = run("track_sequence.py", tmp_path, "tracked")
    assert "2 clicks became" in told
    assert told.count("lost in f") == 1
    assert len(list((tmp_path / "tracked" / "out" / "masks").glob("*.png"))) == 24
    with Image.open(tmp_path / "tracked" / "track.png") as picture:
        pixels = np.asarray(picture)
    assert (pixels == (0, 255, 0)).all(axis=2).any()


@pytest.mark.slow
def test_train_on_points_and_again(tmp_path):
    pytest.importorskip("torch")
    told = run("train_on_points.py", tmp_path, "job")
    found = re.search(r"against exact masks: IoU (\d\.\d+), Pd (\d\.\d+)", told)
    assert found, told
    assert float(found[1]) > 0.2
    assert float(found[2]) > 0.5
    metrics = tmp_path / "job" / "run" / "metrics.jsonl"
    before = metrics.read_bytes()
    assert "report.html" in told
    assert found[0] in run("train_on_points.py", tmp_path, "job")
    assert metrics.read_bytes() == before

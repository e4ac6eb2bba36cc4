"""Odd surroundings: closed streams, narrow terminals, plain locales, strict interpreters, forks, threads."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from tools.folders import scenes, tree

import pointmask
from pointmask.folder.job import annotate_folder
from pointmask.io.formats.tables.csv import Csv

pytestmark = pytest.mark.skipif(
    os.name != "posix", reason="streams are closed and processes forked as in POSIX"
)

PLAIN = {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
SURROUNDINGS = {
    "optimised": (["-OO"], {}, ()),
    "warnings are errors": (["-W", "error", "-X", "dev"], {}, ()),
    "plain and narrow": ([], {**PLAIN, "COLUMNS": "20", "TERM": "dumb"}, ()),
    "no input and output": ([], {"COLUMNS": "0"}, (0, 1)),
    "no stream at all": ([], {}, (0, 1, 2)),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    base = tmp_path_factory.mktemp("surroundings")
    source, points = scenes(base)
    Csv().write(points, base / "points.csv")
    annotate_folder(source, points, base / "whole")
    return base


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_annotate_gives_the_same_bytes_everywhere(folder, tmp_path, name):
    flags, settings, closed = SURROUNDINGS[name]
    words = [
        "annotate",
        folder / "images",
        "--points",
        folder / "points.csv",
        "--out",
        tmp_path / "out",
    ]
    done = subprocess.run(
        [sys.executable, *flags, "-m", "pointmask", *map(str, words)],
        env={**os.environ, **settings},
        preexec_fn=lambda: [os.close(stream) for stream in closed],
        stdin=subprocess.DEVNULL, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert tree(tmp_path / "out") == tree(folder / "whole")


def test_an_output_that_takes_nothing_is_said_and_loses_no_mask(folder, tmp_path):
    words = [
        "annotate",
        folder / "images",
        "--points",
        folder / "points.csv",
        "--out",
        tmp_path / "out",
    ]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "pointmask", *map(str, words)],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode not in (0, 3)
    assert b"Traceback" not in done.stderr
    assert tree(tmp_path / "out") == tree(folder / "whole")


def annotated(seed):
    image = np.random.default_rng(seed).normal(100, 2, (64, 64))
    image[20:23, 30:33] += 40
    return pointmask.annotate(image, [(21, 31), (50, 9)]).soft.tobytes()


def test_eight_threads_and_a_fork_among_them_give_the_same_bytes():
    expected = [annotated(seed) for seed in range(16)]
    with ThreadPoolExecutor(8) as pool:
        results = pool.map(annotated, range(16))
        child = os.fork()
        if not child:
            status = 1
            try:
                status = int([annotated(seed) for seed in range(16)] != expected)
            finally:
                os._exit(status)
        assert list(results) == expected
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

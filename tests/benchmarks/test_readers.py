"""The benchmark of readers: its files hold the same points in every format, and its table is complete."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pointmask.io.formats import read_points, recognise

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.parametrize(("group", "per_image"), [("DOCUMENTS", 10), ("FOLDERS", 10), ("FRAMES", 1)])
def test_every_file_holds_the_same_points(part, tmp_path, group, per_image):
    made, files = part("reading.clicks"), part("reading.files")
    clicks = made.Clicks(37, per_image)
    images = made.Images(tmp_path, count=clicks.images)
    expected = {name: [(y, x) for x, y in pairs] for name, pairs in clicks}
    assert sum(map(len, expected.values())) == 37
    for name, (form, write) in getattr(files, group).items():
        folder = tmp_path / name.replace(", ", "-")
        folder.mkdir()
        path = write(clicks, folder)
        assert recognise(path) == form, name
        points = read_points(path, images=images)
        assert not points.rejected, name
        found = {key.removesuffix(".png"): [(p.row, p.col) for p in listed] for key, listed in points}
        assert found == {key.removesuffix(".png"): listed for key, listed in expected.items()}, name


def test_ratios_are_of_time_and_memory(tmp_path):
    words = ["--points", "300", "--rounds", "1", "--only", "jsonl", "--only", "point-texts"]
    command = [sys.executable, str(FOLDER / "readers.py"), *words, "--results", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "readers.json").read_text())["formats"]
    assert list(found) == ["jsonl", "point-texts"]
    for ratio in found.values():
        assert ratio["time"] == pytest.approx(ratio["seconds"] / ratio["csv_seconds"])
        assert ratio["memory"] == pytest.approx(ratio["mib"] / ratio["csv_mib"])
        assert 0 < ratio["baseline_mib"] <= ratio["csv_mib"]
    assert (tmp_path / "readers.md").read_text().count("\n|") == 4

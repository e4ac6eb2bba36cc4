"""Everything that a new user does, from the wheel, with every advice that is printed on the way."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

ROOT = Path(__file__).parents[2]
JOURNEY = Path(__file__).with_name("journey.py")


def run(*words, **options):
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=900, **options)
    assert done.returncode == 0, f"{words}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.mark.slow
def test_the_whole_way_from_the_wheel(tmp_path):
    options = ("--no-deps", "--no-index", "--quiet", "--disable-pip-version-check")
    wheels, place = tmp_path / "wheels", tmp_path / "fresh"
    sources = tmp_path / "sources"  # a build in the clone could take up what an earlier one left
    for name in ("annotator", "trainer"):
        shutil.copytree(
            ROOT / name, sources / name, ignore=shutil.ignore_patterns("*.egg-info", "__pycache__")
        )
    for path in (path for path in ROOT.iterdir() if path.is_file()):
        shutil.copy(path, sources)
    run(sys.executable, "-m", "pip", "wheel", sources, "--no-build-isolation", "-w", wheels, *options)
    run(sys.executable, "-m", "venv", "--without-pip", place)
    python = place / "bin/python"
    run(sys.executable, "-m", "pip", "--python", python, "install", *options, *wheels.glob("*.whl"))
    # What pointmask needs is that of this environment, behind the wheel; a path that a .pth file adds brings
    # no .pth of its own, so that the sources of this clone stay out.
    packages = next((place / "lib").iterdir()) / "site-packages"
    (packages / "needed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (tmp_path / "work").mkdir()
    quiet = {**os.environ, "OMP_NUM_THREADS": "1"}
    said = run(python, JOURNEY, cwd=tmp_path / "work", env=quiet)
    assert re.fullmatch(r"1\d steps and (8|9|1\d) pieces of advice", said.splitlines()[-1]), said

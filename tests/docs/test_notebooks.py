"""The notebooks run from top to bottom, and are kept without results."""

import json
import os
import subprocess
import sys

import pytest
from tools.docs.blocks import NOTEBOOKS, ROOT, code_of

TRAIN = {"detector", "strategies"}
SHOWN = "import matplotlib\nmatplotlib.use('Agg')\n"


def test_results_are_not_kept():
    assert {path.stem for path in NOTEBOOKS} == {"annotate", "theta", *TRAIN}
    for path in NOTEBOOKS:
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            assert not cell.get("outputs"), f"{path.name}: clear all outputs before saving"


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=[pytest.mark.slow] if path.stem in TRAIN else [], id=path.stem)
        for path in NOTEBOOKS
    ],
)
def test_a_notebook_runs(path, tmp_path):
    if path.stem in TRAIN:
        pytest.importorskip("torch")
    code = code_of(path)
    if path.stem == "strategies":
        assert "\nEPOCHS = 30\n" in code
        code = code.replace("\nEPOCHS = 30\n", "\nEPOCHS = 3\n")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SHOWN + code],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "IoU" in done.stdout
    assert str(ROOT) not in done.stdout

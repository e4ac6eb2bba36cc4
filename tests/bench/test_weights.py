"""Methods that need a file of weights: what is said without it, and what is passed with it."""

import numpy as np
import pytest
from click.testing import CliRunner

from pointmask.bench.baselines import registry
from pointmask.bench.baselines.base import Baseline
from pointmask.bench.baselines.parts.frame import compose, empty_patch
from pointmask.bench.baselines.registry import BASELINES, READY, WEIGHTS, check_weights, make_baseline
from pointmask.bench.cases import scene_sources
from pointmask.bench.run import run_bench
from pointmask.bench.summary import summarise
from pointmask.cli import main
from pointmask.errors import MethodError


class Nothing(Baseline):
    label, reads_size = "nothing", False

    def __init__(self, weights):
        self.detail = f"weights {weights.name}"

    def annotate(self, image, points, *, size_prior=None, seed=0):
        return compose(np.shape(image)[:2], [empty_patch(point) for point in points])


@pytest.fixture
def nothing(monkeypatch, tmp_path):
    """Make the method ``sam`` one that needs no torch."""
    monkeypatch.setitem(BASELINES._loaded, "sam", Nothing)
    (tmp_path / "w.pth").write_bytes(b"x")
    return tmp_path / "w.pth"


def test_every_method_is_ready_or_names_its_weights():
    assert set(READY) | set(WEIGHTS) == set(BASELINES.ours)
    assert not set(READY) & set(WEIGHTS)
    for published in WEIGHTS.values():
        assert "Apache-2.0" in published.source
        assert "MB" in published.source


@pytest.mark.parametrize(
    ("name", "file"), [("sam", "sam_vit_b_01ec64.pth"), ("sam2_box", "sam2.1_hiera_tiny.pt")]
)
def test_without_weights_the_message_says_where_they_are(name, file):
    key = WEIGHTS[name].key
    with pytest.raises(MethodError, match=rf"{name} needs weights.*{file}.*github.*--weights {key}=FILE"):
        make_baseline(name)
    done = CliRunner().invoke(main, ["bench", "--methods", f"ours,{name}"])
    assert done.exit_code == 2
    assert file in " ".join(done.stderr.split())


def test_weights_that_nobody_uses_are_refused(tmp_path):
    with pytest.raises(MethodError, match="'sam2' belong to none of the methods ours, sam;"):
        check_weights(["ours", "sam"], {"sam": tmp_path, "sam2": tmp_path})
    check_weights(["sam", "sam_box"], {"sam": tmp_path})


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["sma=w.pth"], "give sam=FILE or sam2=FILE"),
        (["sam"], "give sam=FILE"),
        (["sam=absent.pth"], "'absent.pth' does not exist"),
        (["sam=w.pth", "sam=w.pth"], "each once"),
    ],
)
def test_options_that_say_nothing_are_refused(tmp_path, monkeypatch, options, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.pth").write_bytes(b"x")
    arguments = [part for option in options for part in ("--weights", option)]
    done = CliRunner().invoke(main, ["bench", "--methods", "sam", *arguments])
    assert done.exit_code == 2
    assert says in " ".join(done.stderr.split())


def test_without_torch_the_message_says_what_to_install(tmp_path, monkeypatch):
    def load(name):
        raise ModuleNotFoundError("No module named 'torch'")

    monkeypatch.setattr(registry.BASELINES, "load", load)
    with pytest.raises(MethodError, match=r"sam needs torch .*\[train\]"):
        make_baseline("sam", {"sam": tmp_path})


def test_a_result_tells_of_the_weights(nothing):
    run = run_bench(scene_sources(1), ["sam"], weights={"sam": nothing})
    notes = summarise(run, data="scenes", protocol="centroid", command="bench")["notes"]
    assert "nothing: weights w.pth." in notes


def test_the_command_measures_some_of_the_images_with_weights(nothing, tmp_path):
    out = tmp_path / "out"
    arguments = ["--methods", "sam", "--weights", f"sam={nothing}", "--limit", "2", "--out", str(out)]
    done = CliRunner().invoke(main, ["bench", *arguments])
    assert done.exit_code == 0, done.stderr
    assert "built-in scenes: 2 images" in done.stdout
    assert "weights w.pth" in (out / "bench.md").read_text()

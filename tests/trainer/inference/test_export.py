"""The exported graph gives what torch gives, for frames of any number and size."""

import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from click.testing import CliRunner

from pointmask.advice import install
from pointmask.cli import main
from pointmask.errors import PointmaskError
from pointmask_trainer.config import ModelConfig
from pointmask_trainer.data.normalisation import Normalisation
from pointmask_trainer.detectors.registry import DETECTORS, build
from pointmask_trainer.inference import export
from pointmask_trainer.inference.tiles import predict
from pointmask_trainer.run.checkpoint import ModelCard, save_model

NORMALISATION = Normalisation(1200.0, 300.0)
PER_IMAGE = Normalisation(1200.0, 300.0, per_image=True)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "model.safetensors"
    card = ModelCard(ModelConfig(name="acm_unet", in_channels=3), NORMALISATION, {"epoch": 3})
    save_model(path, build("acm_unet", in_channels=3), card)
    return path


def run(*arguments):
    return CliRunner().invoke(main, ["export", *map(str, arguments)])


@pytest.mark.parametrize("name", DETECTORS.ours)
@pytest.mark.parametrize("normalisation", [NORMALISATION, PER_IMAGE])
def test_what_the_graph_holds_is_the_detector(name, normalisation):
    """Before any exporter: padding by look-up and the normalisation are those of `predict`."""
    torch.manual_seed(1)
    model = build(name).eval()
    images = torch.rand(1, 1, 37, 50) * 900 + 700
    with torch.no_grad():
        probabilities, logits = export.Exported(model, normalisation)(images)
    assert torch.equal(probabilities, torch.sigmoid(logits))
    torch.testing.assert_close(probabilities[:, 0], predict(model, images, normalisation))


@pytest.mark.slow
def test_the_file_gives_what_torch_gives(weights, tmp_path):
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    path = tmp_path / "net.onnx"
    done = run(weights, "--onnx", path)
    assert done.exit_code == 0, done.output
    assert "Checked: probabilities differ from torch by" in done.output
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert session.get_modelmeta().custom_metadata_map["pointmask.model"] == "acm_unet"
    images = np.random.default_rng(0).uniform(0, 4000, (4, 1, 33, 47)).astype(np.float32)
    probabilities, logits = session.run(["probabilities", "logits"], {"images": images})
    assert probabilities.shape == logits.shape == (4, 1, 33, 47)
    np.testing.assert_allclose(probabilities, 1 / (1 + np.exp(-logits.astype(np.float64))), atol=1e-6)
    assert run(weights, "--onnx", path).exit_code == 2
    model = build("acm_unet", in_channels=3)  # other weights
    with pytest.raises(export.ExportError, match="differs from torch"):
        export.check(path, model, NORMALISATION)


def test_a_missing_package_is_named_with_the_way_to_get_it(weights, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    monkeypatch.setattr(export, "find_spec", lambda name: None if name == "onnxscript" else name)
    done = run(weights, "--onnx", tmp_path / "net.onnx")
    assert done.exit_code == 2
    assert "export needs onnxscript" in done.output
    assert install("export") in done.output
    assert not (tmp_path / "net.onnx").exists()


def test_a_failing_exporter_is_explained(weights, tmp_path, monkeypatch):
    pytest.importorskip("onnxscript")

    def fails(*arguments, **options):
        raise RuntimeError("no such operator\nand a page of details")

    monkeypatch.setattr(torch.onnx, "export", fails)
    done = run(weights, "--onnx", tmp_path / "net.onnx")
    assert done.exit_code == 2
    assert "cannot export acm_unet (RuntimeError: no such operator)" in done.output
    assert issubclass(export.ExportError, PointmaskError)


def test_a_file_is_not_replaced_unasked(weights, tmp_path):
    path = tmp_path / "net.onnx"
    path.write_text("mine")
    for overwrite in ((), ("--overwrite",)):
        done = run(weights, "--onnx", path, *overwrite)
        assert done.exit_code == 2
        assert "not what this command writes" in done.output
        assert path.read_text() == "mine"
    path.write_bytes(b"a graph, and then pointmask.model in its metadata")
    done = run(weights, "--onnx", path)
    assert done.exit_code == 2
    assert "--overwrite" in done.output

"""Frames with constant margins are predicted as if the image ended there."""

import csv

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from click.testing import CliRunner
from PIL import Image

from pointmask.cli import main
from pointmask.io.images.array import encode_png, read_mask
from pointmask_trainer.config import ModelConfig
from pointmask_trainer.data.normalisation import Normalisation
from pointmask_trainer.detectors.registry import build_network
from pointmask_trainer.run.checkpoint import ModelCard, save_model

MARGINS = ((20, 12), (0, 9))


@pytest.mark.parametrize(
    ("name", "masks"),
    [("mlclnet_small", "network"), ("mlclnet_small", "operator"), ("contrast_points", "operator")],
)
def test_a_prediction_is_that_of_the_cropped_frame(tmp_path, name, masks):
    torch.manual_seed(0)
    card = ModelCard(ModelConfig(name=name), Normalisation(120.0, 60.0), {})
    save_model(tmp_path / "model.safetensors", build_network(name), card)
    image = np.random.default_rng(1).normal(120, 9, (40, 48)).astype(np.uint8)
    image[0:3, 20:23] = image[20:23, 45:] = 230
    rows = {}
    for kind, pixels in (("crop", image), ("wide", np.pad(image, MARGINS))):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "a.png").write_bytes(encode_png(pixels))
        command = [
            "predict",
            tmp_path / "model.safetensors",
            tmp_path / kind,
            "--out",
            tmp_path / f"{kind}-out",
        ]
        more = ["--device", "cpu", "--soft", "--masks-by", masks, "--threshold", "0.3"]
        done = CliRunner().invoke(main, [*map(str, command), *more])
        assert done.exit_code in (0, 3), done.output  # 3: it has learnt nothing, and finds much
        assert ("margins of one value" in done.stderr) == (kind == "wide")
        with (tmp_path / f"{kind}-out" / "points.csv").open() as file:
            rows[kind] = list(csv.DictReader(file))
    outs = tmp_path / "crop-out", tmp_path / "wide-out"
    crop, wide = (read_mask(out / "masks" / "a.png") for out in outs)
    np.testing.assert_array_equal(wide, np.pad(crop, MARGINS))
    crop, wide = (np.asarray(Image.open(out / "soft" / "a.png")) for out in outs)
    np.testing.assert_array_equal(wide, np.pad(crop, MARGINS))
    assert len(rows["wide"]) == len(rows["crop"])
    for there, one in zip(rows["wide"], rows["crop"], strict=True):
        if one["x"]:
            assert float(there["x"]) == float(one["x"])
            assert float(there["y"]) == float(one["y"]) + 20
        assert there["score"] == one["score"]

"""Whole images and tiles: the same answer wherever the seams lie."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional as F  # noqa: N812

from pointmask_trainer.detectors import Detector, build
from pointmask_trainer.inference import predict, predict_pool
from pointmask_trainer.normalisation import Normalisation
from pointmask_trainer.pool import Pool


class Local(Detector):
    """A network that sees 2 px far."""

    stride = 1

    def __init__(self):
        super().__init__(1)
        self.seen = []

    def forward_maps(self, x):
        self.seen.append(tuple(x.shape[-2:]))
        return F.avg_pool2d(x, 5, 1, padding=2, count_include_pad=False), []


@pytest.mark.parametrize("shape", [(20, 20), (33, 70), (100, 17), (64, 1), (45, 46)])
def test_tiles_equal_the_whole_where_the_overlap_covers_what_a_network_sees(shape):
    model = Local()
    images = torch.rand(2, 1, *shape) * 255
    normalisation = Normalisation(100.0, 30.0)
    whole = predict(model, images, normalisation, tile=1000)
    model.seen.clear()
    tiled = predict(model, images, normalisation, tile=20, overlap=6)
    assert max(max(seen) for seen in model.seen) <= 20
    torch.testing.assert_close(tiled, whole)


def test_an_overlap_as_large_as_a_tile_is_refused():
    with pytest.raises(ValueError, match="smaller"):
        predict(Local(), torch.zeros(1, 1, 90, 9), Normalisation(0, 1), tile=16, overlap=16)


def test_a_pool_of_many_shapes_is_predicted_image_by_image():
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, shape, np.uint8) for shape in [(16, 20), (9, 5), (16, 20), (1, 1)]]
    model = build("acm_unet").eval()
    normalisation = Normalisation(120.0, 50.0)
    found = dict(predict_pool(model, Pool(images), normalisation))
    assert sorted(found) == [0, 1, 2, 3]
    for index, image in enumerate(images):
        alone = predict(model, torch.from_numpy(image)[None, None].float(), normalisation)[0]
        torch.testing.assert_close(found[index], alone, atol=1e-5, rtol=1e-4)


def test_the_models_mode_is_kept():
    model = build("acm_unet")
    model.train()
    predict(model, torch.zeros(2, 1, 16, 16), Normalisation(0, 1))
    assert model.training

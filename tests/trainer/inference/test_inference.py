"""Whole images and tiles: the same answer wherever the seams lie."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional as F  # noqa: N812

from pointmask_trainer.data.normalisation import Normalisation
from pointmask_trainer.data.pool import Pool
from pointmask_trainer.detectors.base import Detector
from pointmask_trainer.detectors.registry import build
from pointmask_trainer.inference.tiles import predict, predict_pool


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


def test_a_detector_sees_tiles_of_the_side_it_was_trained_for():
    model = Local()
    model.tile = 24
    predict(model, torch.zeros(2, 1, 50, 20), Normalisation(0, 1))
    assert set(model.seen) == {(24, 20)}


def test_only_tiles_that_meet_a_box_are_shown_and_they_show_the_same():
    model = Local()
    images = [torch.rand(50, 70) * 255, torch.rand(50, 70) * 255]
    pool, normalisation = Pool([image.numpy() for image in images]), Normalisation(100.0, 30.0)
    model.tile = 20
    boxes = {0: [(30, 40, 33, 44), (-9, -9, 2, 3)], 1: []}
    found = dict(predict_pool(model, pool, normalisation, boxes=boxes))
    assert model.seen == [(20, 20)]  # all tiles at once
    whole = dict(predict_pool(model, pool, normalisation))
    for top, left, bottom, right in boxes[0]:
        rows, cols = slice(max(top, 0), bottom), slice(max(left, 0), right)
        assert torch.equal(found[0][rows, cols], whole[0][rows, cols])
    assert not found[1].any()
    assert (found[0] == 0).sum() > 0.6 * found[0].numel()


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

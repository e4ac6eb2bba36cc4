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
from pointmask_trainer.inference.windows import predict_boxes, tiles_round


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


def test_tiles_round_boxes_show_what_whole_images_do():
    model = Local()
    images = [torch.rand(50, 70) * 255, torch.rand(50, 70) * 255, torch.rand(16, 40) * 255]
    pool, normalisation = Pool([image.numpy() for image in images]), Normalisation(100.0, 30.0)
    model.tile = 20
    boxes = {0: [(30, 40, 33, 44), (-9, -9, 2, 3)], 1: [], 2: [(3, 5, 9, 12), (4, 36, 12, 50)]}
    found = dict(predict_boxes(model, pool, normalisation, boxes))
    assert list(found) == [0, 1, 2]
    assert model.seen == [(20, 20), (16, 20)]  # all tiles of a shape at once
    whole = dict(predict_pool(model, pool, normalisation))
    for index, own in boxes.items():
        for top, left, bottom, right in own:
            rows, cols = slice(max(top, 0), bottom), slice(max(left, 0), right)
            torch.testing.assert_close(found[index][rows, cols], whole[index][rows, cols])
    assert not found[1].any()
    assert (found[0] == 0).sum() > 0.6 * found[0].numel()


@pytest.mark.parametrize(
    ("boxes", "tiles"),
    [
        ([], 0),
        ([(0, 0, 33, 33)], 1),
        ([(100, 90, 133, 123)], 1),  # across seams of the grid
        ([(100, 90, 133, 123), (60, 70, 93, 103)], 1),
        ([(100, 90, 133, 123), (10, 70, 43, 103)], 2),
        ([(100, 90, 233, 223)], 6),  # too large for a tile: the grid
        ([(-20, -20, -1, -1), (300, 0, 320, 9)], 0),
    ],
)
def test_boxes_lie_within_the_used_part_of_few_tiles(boxes, tiles):
    found = tiles_round(boxes, (256, 256), 128)
    assert len(found) == tiles
    covered = np.zeros((256, 256), bool)
    for rows, cols in found:
        assert rows.input.stop - rows.input.start == cols.input.stop - cols.input.start == 128
        assert min(rows.input.start, cols.input.start) >= 0
        assert max(rows.input.stop, cols.input.stop) <= 256
        covered[rows.output, cols.output] = True
        for axis in (rows, cols):
            # Context on both sides, except at the image's border.
            assert axis.output.start - axis.input.start >= 16 or axis.input.start == 0
            assert axis.input.stop - axis.output.stop >= 16 or axis.input.stop == 256
    for top, left, bottom, right in boxes:
        assert covered[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)].all()


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

"""Crops of many images at once against one pixel after the other."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pointmask_trainer.config import AugmentConfig
from pointmask_trainer.data.augment import draw_augmentation, photometric_change
from pointmask_trainer.data.pool import AffineViews, Pool
from pointmask_trainer.data.pool import crops as pools

SHAPES = [(9, 14), (20, 5), (1, 1), (16, 16)]


def images_of(dtype):
    rng = np.random.default_rng(0)
    top = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1
    return [(rng.random(shape) * top).astype(dtype) for shape in SHAPES]


def pixel(image, row, col):
    ways = [list(range(n)) + list(range(n - 2, 0, -1)) for n in image.shape]
    return float(image[ways[0][row % len(ways[0])], ways[1][col % len(ways[1])]])


def naive_crop(image, matrix, size):
    out = np.zeros(size)
    for i in range(size[0]):
        for j in range(size[1]):
            row, col = matrix @ [i, j, 1]
            top, left = int(np.floor(row)), int(np.floor(col))
            for a, b in ((0, 0), (0, 1), (1, 0), (1, 1)):
                weight = (1 - abs(row - top - a)) * (1 - abs(col - left - b))
                if weight:
                    out[i, j] += weight * pixel(image, top + a, left + b)
    return out


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32])
def test_crops_equal_one_pixel_after_the_other(dtype):
    images = images_of(dtype)
    rng = np.random.default_rng(1)
    matrices = [
        np.column_stack([np.linalg.qr(rng.normal(size=(2, 2)))[0], rng.uniform(-9, 20, 2)]) for _ in images
    ]
    views = AffineViews(torch.as_tensor(np.stack(matrices)), (7, 11), whole=False)
    crops = Pool(images).crops(torch.arange(4), views)
    assert crops.shape == (4, 1, 7, 11)
    for crop, image, matrix in zip(crops, images, matrices, strict=True):
        expected = naive_crop(image, matrix, (7, 11))
        np.testing.assert_allclose(crop[0].numpy(), expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32])
@pytest.mark.parametrize("zoom", [0.3, 1.0, 2.5])
def test_crops_that_do_not_turn_equal_one_pixel_after_the_other(dtype, zoom):
    images = images_of(dtype)
    rng = np.random.default_rng(2)
    for symmetry in range(8):
        linear = np.diag([(1.0, -1.0)[symmetry & 1], (1.0, -1.0)[symmetry >> 1 & 1]]) * zoom
        linear = linear[:, ::-1] if symmetry >> 2 else linear
        matrices = [np.column_stack([linear, rng.uniform(-9, 20, 2)]) for _ in images]
        views = AffineViews(torch.as_tensor(np.stack(matrices)), (7, 11), whole=False)
        crops = Pool(images).crops(torch.arange(4), views)
        for crop, image, matrix in zip(crops, images, matrices, strict=True):
            expected = naive_crop(image, matrix, (7, 11))
            close = {"rtol": 1e-5, "atol": 1e-5 * np.abs(expected).max()}
            np.testing.assert_allclose(crop[0].numpy(), expected, **close)


@pytest.mark.parametrize("upright", [True, False], ids=["in whole lines", "gathered, as on a GPU"])
def test_whole_views_are_exact(monkeypatch, upright):
    if not upright:
        monkeypatch.setattr(pools, "is_upright", lambda matrix: False)
    images = images_of(np.uint16)
    config = AugmentConfig(crop=16)
    augmentation = draw_augmentation(config, SHAPES, [np.empty((0, 2))] * 4, (0, 1))
    assert augmentation.views.whole
    crops = Pool(images).crops(torch.arange(4), augmentation.views)
    for k, image in enumerate(images):
        expected = naive_crop(image, augmentation.views.matrices[k].numpy(), (16, 16))
        np.testing.assert_array_equal(crops[k, 0].numpy(), expected)


def test_image_label_and_points_move_together():
    """A point drawn into an image is where the views say that the point went."""
    rng = np.random.default_rng(0)
    config = AugmentConfig(crop=32, positive=1.0, scale=0.5, rotate=40, shift=2, share=1.0)
    images, points = [], []
    for _ in range(40):
        image = np.zeros((70, 80), np.float32)
        place = np.array([[rng.integers(20, 50), rng.integers(20, 60)]])
        image[tuple(place[0])] = 1
        images.append(image)
        points.append(place.astype(float))
    augmentation = draw_augmentation(config, [i.shape for i in images], points, (0, 0))
    assert not augmentation.views.whole
    crops = Pool(images).crops(torch.arange(40), augmentation.views)
    for k in range(40):
        places, _ = augmentation.views.points(k, torch.from_numpy(points[k]), images[k].shape)
        assert len(places) == 1, "no reflection is near"
        row, col = places[0].tolist()
        assert -0.5 < row < 31.5, "positive=1 puts the target into the crop"
        assert -0.5 < col < 31.5
        rows, cols = np.ogrid[:32, :32]
        weight = crops[k, 0].numpy()
        assert (weight * rows).sum() / weight.sum() == pytest.approx(row, abs=0.6)
        assert (weight * cols).sum() / weight.sum() == pytest.approx(col, abs=0.6)


def test_positive_crops_hold_a_target_and_others_need_not():
    shape, point = (200, 200), np.array([[100.0, 100.0]])
    held = {}
    for positive in (0.0, 1.0):
        config = AugmentConfig(crop=32, positive=positive)
        augmentation = draw_augmentation(config, [shape] * 200, [point] * 200, (0, 0))
        at = [augmentation.views.points(k, torch.from_numpy(point), shape)[0] for k in range(200)]
        places = torch.cat(at)
        held[positive] = int(((places > -0.5) & (places < 31.5)).all(1).sum())
    assert held[1.0] == 200
    assert held[0.0] < 40


def test_crops_stay_inside_images_that_are_large_enough():
    config = AugmentConfig(crop=32, positive=0.7)
    augmentation = draw_augmentation(config, [(40, 70)] * 50, [np.array([[1.0, 68.0]])] * 50, (0, 0))
    for places, length in zip(augmentation.views.sources(torch.device("cpu")), (40, 70), strict=True):
        assert places.min() >= 0
        assert places.max() <= length - 1


def test_points_are_reflected_as_pixels_are():
    """Where an over-large crop, turned or not, shows a marked pixel again, there is a point."""
    image, own = np.zeros((12, 9), np.float32), np.array([(0, 3), (5, 8), (10, 1)])
    image[tuple(own.T)] = (1, 2, 3)
    turned = [[0.0, -1, 40], [1, 0, -13]]
    matrices = torch.tensor([[[1.0, 0, -20], [0, 1, -15]], turned], dtype=torch.float64)
    views = AffineViews(matrices, (48, 40), whole=True)
    crops = Pool([image]).crops(torch.zeros(2, dtype=torch.int64), views)
    for crop in range(2):
        places, numbers = views.points(crop, torch.from_numpy(own), image.shape)
        assert numbers[:3].tolist() == [0, 1, 2]
        inside = ((places >= 0) & (places < torch.tensor([48, 40]))).all(1)
        drawn = torch.zeros(48, 40)
        rows, cols = places[inside].round().long().unbind(1)
        drawn[rows, cols] += numbers[inside] + 1.0
        assert torch.equal(drawn, crops[crop, 0])
        assert len(places[inside]) == int((drawn > 0).sum()) > 20, "each once"


def test_reflections_near_a_crop_count_within_reach():
    views = AffineViews(torch.tensor([[[1.0, 0, 0], [0, 1, 0]]], dtype=torch.float64), (16, 16), whole=True)
    point = torch.tensor([[3.0, 8.0]])
    assert len(views.points(0, point, (32, 32))[0]) == 1
    places, numbers = views.points(0, point, (32, 32), reach=3.0)
    assert (places.tolist(), numbers.tolist()) == ([[3, 8], [-3, 8]], [0, 0])
    # Half a pixel from the border, a point and its reflection are one.
    assert len(views.points(0, torch.tensor([[0.4, 8.0]]), (32, 32), reach=3.0)[0]) == 1


def test_draws_depend_on_their_key_and_place_alone():
    config = AugmentConfig(crop=16, scale=0.2, rotate=10, brightness=0.3, noise=0.1, share=1.0)
    shapes, points = [(30, 30)] * 6, [np.array([[4.0, 5.0]])] * 6
    whole, again = (
        draw_augmentation(config, shapes, points, (7, 3)),
        draw_augmentation(config, shapes, points, (7, 3)),
    )
    other = draw_augmentation(config, shapes, points, (7, 4))
    assert torch.equal(whole.views.matrices, again.views.matrices)
    assert not torch.equal(whole.views.matrices, other.views.matrices)
    fewer = draw_augmentation(config, shapes[:4], points[:4], (7, 3))
    assert torch.equal(whole.views.matrices[:4], fewer.views.matrices)
    part = whole[2:5]
    assert torch.equal(part.views.matrices, whole.views.matrices[2:5])
    assert torch.equal(part.brightness, whole.brightness[2:5])


def test_photometric_change_changes_what_it_says():
    config = AugmentConfig(crop=16, brightness=0.5, contrast=0.5, noise=0.5, share=1.0)
    augmentation = draw_augmentation(config, [(16, 16)] * 3, [np.empty((0, 2))] * 3, (0, 0))
    images = torch.zeros(3, 1, 400, 400)
    out = photometric_change(images, augmentation)
    torch.testing.assert_close(out.mean((1, 2, 3)), augmentation.brightness, atol=0.01, rtol=0)
    torch.testing.assert_close(out.std((1, 2, 3)), augmentation.noise, atol=0.01, rtol=0)
    quiet = draw_augmentation(
        AugmentConfig(crop=16, contrast=0.5, share=1.0), [(16, 16)] * 3, [np.empty((0, 2))] * 3, (0, 0)
    )
    torch.testing.assert_close(photometric_change(images + 2, quiet)[:, 0, 0, 0], 2 * (1 + quiet.contrast))


def test_a_pool_gives_back_what_it_was_given_and_takes_replacements():
    images = images_of(np.uint16)
    pool = Pool(images)
    assert pool.nbytes == sum(image.nbytes for image in images)
    pool.replace(1, images[1][::-1])
    for index, expected in enumerate([images[0], images[1][::-1], images[2], images[3]]):
        np.testing.assert_array_equal(pool.stored(index), expected)
        np.testing.assert_array_equal(pool.image(index).numpy(), expected.astype(np.float32))
    with pytest.raises(ValueError, match="shape"):
        pool.replace(1, images[0])
    with pytest.raises(ValueError, match="one dtype"):
        Pool([images[0], images[0].astype(np.uint8)])

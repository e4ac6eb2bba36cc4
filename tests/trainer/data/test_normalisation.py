"""Grey values to a detector's unit: by the list, or by each image alone."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pointmask_trainer.data.normalisation import Normalisation, normalisation_of
from pointmask_trainer.data.pool import Pool
from pointmask_trainer.detectors.registry import build
from pointmask_trainer.inference.tiles import predict

OWN = Normalisation(100.0, 30.0, per_image=True)


def test_by_the_list_every_image_is_treated_alike():
    images = torch.tensor([[100.0, 130.0], [70.0, 100.0]])[None, None].repeat(2, 1, 1, 1)
    found = Normalisation(100.0, 30.0)(images, 3)
    assert found.shape == (2, 3, 2, 2)
    assert found[1, 2].tolist() == [[0.0, 1.0], [-1.0, 0.0]]


@pytest.mark.parametrize(("gain", "offset"), [(1.0, 0.0), (57.0, 1200.0), (0.05, 290.0)])
def test_by_itself_an_image_has_mean_0_and_deviation_1_whatever_its_gain_and_offset(gain, offset):
    images = torch.randn(3, 1, 20, 31, generator=torch.Generator().manual_seed(0)) * gain + offset
    found = OWN(images, 1)
    torch.testing.assert_close(found.mean((1, 2, 3)), torch.zeros(3), atol=2e-3, rtol=0)
    torch.testing.assert_close(found.std((1, 2, 3), correction=0), torch.ones(3), atol=5e-2, rtol=0)


def test_a_detector_sees_8_bit_and_14_bit_frames_alike():
    torch.manual_seed(0)
    model = build("acm_unet").eval()
    narrow = torch.randint(0, 256, (1, 1, 40, 60)).float()
    wide = narrow * 40 + 3000
    torch.testing.assert_close(predict(model, wide, OWN), predict(model, narrow, OWN), atol=1e-3, rtol=0)
    by_list = Normalisation(100.0, 30.0)
    assert (predict(model, wide, by_list) - predict(model, narrow, by_list)).abs().max() > 0.01


@pytest.mark.parametrize("value", [0.0, 255.0, 40_000.0, 273.15])
def test_an_image_without_contrast_stays_flat(value):
    found = OWN(torch.full((1, 1, 300, 200), value), 1)
    assert found.isfinite().all()
    assert found.abs().max() < 1


def test_tiles_are_normalised_by_the_whole_frame():
    torch.manual_seed(0)
    model = build("acm_unet").eval()
    image = torch.rand(1, 1, 32, 96)
    image[..., 48:] += 5
    tiled = predict(model, image, OWN, tile=32, overlap=0)[..., :32]
    whole = Normalisation(float(image.mean()), float(image.std(correction=0)))
    torch.testing.assert_close(tiled, predict(model, image[..., :32], whole))
    assert (tiled - predict(model, image[..., :32], OWN)).abs().max() > 1e-3


def test_figures_of_a_pool_are_those_of_its_images():
    rng = np.random.default_rng(0)
    pool = Pool([rng.integers(0, 60_000, shape, np.uint16) for shape in [(9, 12), (30, 7)]])
    norm = normalisation_of(pool, per_image=True)
    means, stds = norm.units_of(pool)
    assert means.shape == stds.shape == (2, 1, 1, 1)
    for k in range(2):
        np.testing.assert_allclose(float(means[k]), pool.stored(k).mean(), rtol=1e-6)
        np.testing.assert_allclose(float(stds[k]), pool.stored(k).std(), rtol=1e-5)
    assert norm.mean == pytest.approx(np.mean([pool.stored(k).mean() for k in range(2)]))
    listed = Normalisation(5.0, 2.0).units_of(pool)
    assert [part.flatten().tolist() for part in listed] == [[5.0, 5.0], [2.0, 2.0]]

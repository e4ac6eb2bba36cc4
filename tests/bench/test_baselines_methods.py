"""The parts that make each baseline the published method, against naive twins and worked by hand."""

import importlib.util
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from skimage.filters import threshold_otsu
from skimage.segmentation import slic
from tools.naive import baselines as naive

from pointmask.bench.baselines import com, d2d, mclc
from pointmask.bench.baselines.parts import levelset
from pointmask.bench.baselines.parts.clahe import clahe
from pointmask.bench.baselines.parts.crf import PairKernel, dense_crf
from pointmask.bench.baselines.sizes import SizePrior
from pointmask.bench.baselines.threshold import Threshold

GAUSSIAN = PairKernel(3, 3)
BILATERAL = PairKernel(10, 32, 13)
STRONG = PairKernel(110, 8, 10)


def as_tuple(kernel):
    return kernel.compat, kernel.sigma_xy, kernel.sigma_rgb


class TestCRF:
    @pytest.mark.parametrize("shape", [(1, 1), (1, 6), (7, 1), (6, 9)])
    @pytest.mark.parametrize("kernels", [[GAUSSIAN], [GAUSSIAN, BILATERAL], [STRONG]])
    @pytest.mark.parametrize("iterations", [0, 1, 5])
    @pytest.mark.parametrize("colours", ["any", "near", "flat"])
    def test_naive_twin(self, shape, kernels, iterations, colours):
        rng = np.random.default_rng(0)
        spread = {"any": 256, "near": 25, "flat": 1}[colours]
        rgb = rng.integers(0, spread, (*shape, 3), np.uint8)
        probability = rng.random(shape).astype(np.float32)
        ours = dense_crf(probability, rgb, kernels, iterations)
        twin = naive.dense_crf(probability, rgb, [as_tuple(k) for k in kernels], iterations)
        np.testing.assert_allclose(ours, twin, atol=2e-5)

    def test_certain_labels_are_clipped_and_can_be_overturned(self):
        rgb = np.zeros((9, 9, 3), np.uint8)
        probability = np.zeros((9, 9), np.float32)
        probability[4, 4] = 1
        unary_only = dense_crf(probability, rgb, [], 1)
        assert unary_only[4, 4] == pytest.approx(1 - 1e-5, abs=1e-6)
        assert dense_crf(probability, rgb, [STRONG], 5).max() < 0.5

    def test_colour_edges_hold(self):
        rgb = np.zeros((10, 10, 3), np.uint8)
        rgb[:, 5:] = 200
        probability = np.where(np.arange(10) < 5, 0.3, 0.7)[None].repeat(10, axis=0)
        probability[5, 7] = 0.2
        result = dense_crf(probability, rgb, [STRONG], 5) > 0.5
        np.testing.assert_array_equal(result, np.arange(10)[None].repeat(10, axis=0) >= 5)


class TestCLAHE:
    def test_by_hand(self):
        # Tiles of 2x2 pixels, all of level v: the limit is 1, the excess 3 goes to bins 0, 85 and 170.
        # Level 7 has bin 0 and its own below it: 2/4 of 255 = 127.5, to even 128. Level 100: 3/4 = 191.25.
        np.testing.assert_array_equal(clahe(np.full((8, 8), 7, np.uint8), clip_limit=1.0, tiles=4), 128)
        np.testing.assert_array_equal(clahe(np.full((8, 8), 100, np.uint8), clip_limit=1.0, tiles=4), 191)

    def test_opencv_s_own_result(self):
        # Output of OpenCV 4's createCLAHE(1.0, (4, 4)) on this image; neither side is a multiple of 4.
        y, x = np.ogrid[:6, :9]
        image = ((13 * y * y + 7 * x * x * x + 31 * x * y) % 256).astype(np.uint8)
        expected = [
            [42, 85, 191, 234, 255, 170, 255, 163, 35],
            [128, 170, 241, 106, 142, 49, 191, 121, 71],
            [106, 191, 251, 181, 255, 234, 159, 96, 56],
            [128, 212, 78, 42, 99, 184, 127, 149, 114],
            [191, 85, 18, 21, 96, 120, 138, 156, 202],
            [85, 255, 170, 234, 92, 205, 212, 255, 35],
        ]
        np.testing.assert_array_equal(clahe(image, clip_limit=1.0, tiles=4), expected)

    @pytest.mark.parametrize("shape", [(16, 16), (20, 17), (5, 9), (1, 3)])
    @pytest.mark.parametrize("clip_limit", [1.0, 40.0])
    def test_naive_twin(self, shape, clip_limit):
        image = np.random.default_rng(1).normal(90, 20, shape).clip(0, 255).astype(np.uint8)
        ours = clahe(image, clip_limit=clip_limit, tiles=4).astype(int)
        difference = np.abs(ours - naive.clahe(image, clip_limit, 4))
        # float32 as in OpenCV against float64: values halfway between two levels may go either way.
        assert difference.max() <= 1
        assert (difference > 0).mean() < 0.1


class TestMCLC:
    PRIOR = (SizePrior(10, 10, 10, 10),)

    def scene(self):
        image = np.full((50, 50), 40, np.uint8)
        image[23:28, 22:29] = 200
        return image

    def test_votes_are_shares_of_repetitions(self):
        (target,) = mclc.MCLC(repetitions=7).annotate(self.scene(), [(25, 25)], size_prior=self.PRIOR).targets
        sevenths = target.soft * 7 / (target.soft * 7).max() * 7
        assert target.soft.max() == 1
        np.testing.assert_allclose(sevenths, np.rint(sevenths), atol=1e-5)

    def test_noise_is_salt_on_single_channels(self):
        seen = []

        def spy(crop, **kwargs):
            seen.append(crop.copy())
            return slic(crop, **kwargs)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(mclc, "slic", spy)
            mclc.MCLC(repetitions=50).annotate(self.scene(), [(25, 25)], size_prior=self.PRIOR)
        crops = np.stack(seen)
        salted = crops == 1.0
        assert crops.shape == (50, 20, 20, 3)
        assert salted.mean() == pytest.approx(0.05, abs=0.005)
        assert salted.any(axis=-1).mean() == pytest.approx(1 - 0.95**3, abs=0.01)
        np.testing.assert_allclose(np.unique(crops[~salted]), np.array([40, 200]) / 255)

    def test_the_slip_of_the_smallest_boxes(self):
        prior = [SizePrior(5, 5, 5, 5, "point")]
        released = mclc.MCLC().annotate(self.scene(), [(25, 25)], size_prior=prior)
        mended = mclc.MCLC(symmetric_point_box=True).annotate(self.scene(), [(25, 25)], size_prior=prior)
        assert released.targets[0].window == (20, 20, 30, 28)
        assert mended.targets[0].window == (20, 20, 30, 30)


class TestD2D:
    def test_heat_spreads_as_the_diffusion_equation_says(self):
        # Even conductance 0.7, no drift, 40 steps of 0.2: variance 2 * 0.7 * 8 per axis, plus the blur's 1/2.
        still, even = np.zeros((2, 61, 61)), np.full((61, 61), 0.7)
        walk = d2d._Walk(20000, 40, 0.2)
        heat = d2d._heat(still, even, np.array([[30.0, 30.0]]), walk, np.random.default_rng(0))
        heat /= heat.sum()
        rows = np.arange(61)
        for axis in (0, 1):
            marginal = heat.sum(axis=axis)
            mean = (marginal * rows).sum()
            # Truncation to pixels moves the map by half a pixel, as published, and adds 1/12.
            assert mean == pytest.approx(29.5, abs=0.1)
            assert (marginal * (rows - mean) ** 2).sum() == pytest.approx(11.2 + 0.5 + 1 / 12, rel=0.03)

    def test_particles_drift_to_the_bright_side(self):
        drift = np.stack([np.zeros((41, 41)), np.full((41, 41), 0.5)])
        walk = d2d._Walk(500, 20, 0.4)
        heat = d2d._heat(
            drift, np.full((41, 41), 1e-6), np.array([[20.0, 10.0]]), walk, np.random.default_rng(0)
        )
        row, col = np.unravel_index(heat.argmax(), heat.shape)
        assert abs(row - 20) <= 1
        assert abs(col - 14) <= 1

    def test_particles_that_leave_are_counted_on_the_border(self):
        drift = np.stack([np.zeros((9, 9)), np.full((9, 9), 5.0)])
        walk = d2d._Walk(50, 10, 1.0)
        heat = d2d._heat(drift, np.full((9, 9), 1e-9), np.array([[4.0, 4.0]]), walk, np.random.default_rng(0))
        assert heat[:, 8].max() == 1
        assert not heat[:, :7].any()

    def test_peaks_are_bright_and_in_the_cluster(self):
        crop = np.full((20, 20), 10, np.uint8)
        crop[4, 4] = crop[4, 15] = 200
        crop[15, 15] = 12
        cluster = np.arange(20)[None].repeat(20, axis=0) < 10
        np.testing.assert_array_equal(d2d._peaks(crop, cluster), [[4, 4]])
        np.testing.assert_array_equal(d2d._peaks(crop, np.ones((20, 20), bool)), [[4, 4], [4, 15]])

    @pytest.mark.parametrize("seed", range(5))
    def test_otsu_as_scikit_image(self, seed):
        rng = np.random.default_rng(seed)
        levels = (
            np.concatenate([rng.normal(60, 15, 900), rng.normal(160, 25, 200)]).clip(0, 255).astype(np.uint8)
        )
        assert d2d._otsu(np.bincount(levels, minlength=256)) == threshold_otsu(levels)

    def test_few_pixels_are_not_worth_an_otsu(self):
        fused = np.zeros((30, 30), np.float32)
        fused[0, :10] = 0.4
        assert not d2d._binarised(fused).any()
        fused[0, 10] = 0.4
        assert d2d._binarised(fused).sum() == 11

    def test_one_threshold_for_all_targets(self):
        # The published flaw: a target hidden by a brighter one is found when it is alone.
        fused = np.zeros((60, 60), np.float32)
        fused[10:14, 10:14] = 0.2
        assert d2d._binarised(fused)[10:14, 10:14].all()
        fused[30:45, 30:45] = 1.0
        assert not d2d._binarised(fused)[10:14, 10:14].any()


class TestCOM:
    def square(self):
        image = np.full((60, 60, 3), 20, np.uint8)
        image[26:35, 25:36, 2] = 220
        return image

    def test_square(self):
        mask = com.COM(as_released=False).annotate(self.square(), [(30, 30)]).mask
        rows, cols = np.nonzero(mask)
        assert mask[30, 30]
        assert (rows.min(), rows.max(), cols.min(), cols.max()) == pytest.approx((26, 34, 25, 35), abs=2)

    def test_only_the_blue_channel_counts(self):
        image = self.square()[..., ::-1]
        assert not com.COM().annotate(image, [(30, 30)]).mask.any()

    def test_first_piece_not_the_clicked_one(self):
        image = np.full((60, 60), 20, np.uint8)
        image[19:25, 20:26] = image[32:40, 30:38] = 220
        released = com.COM(as_released=True).annotate(image, [(35, 33)]).mask
        mended = com.COM(as_released=False).annotate(image, [(35, 33)]).mask
        assert not released[25:].any()
        assert mended[35, 33]
        assert not mended[:25].any()

    @pytest.mark.parametrize("shape", [(40, 40), (40, 27), (23, 40), (9, 9), (5, 12)])
    @pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.95, 1.0])
    def test_near_background_naive_twin(self, shape, share):
        outside = np.random.default_rng(0).random(shape) < share
        ours = levelset._near_background(outside)
        assert sorted(ours.tolist()) == sorted(naive.near_background(outside))

    def test_slope_is_kept_near_one(self):
        rows, cols = np.indices((40, 40))
        disk = np.hypot(rows - 20, cols - 20)
        image = 200 * np.exp(-(disk**2) / 50)
        phi = levelset.evolve(np.where(image > 50, -1.0, 1.0), image, rounds=10)
        radius = np.sqrt((phi <= 0).sum() / np.pi)
        slope = np.hypot(*np.gradient(phi))[np.abs(phi) < 0.7]
        assert 1 < radius < 8.4  # it started at 8.3 and shrinks
        assert np.median(slope) == pytest.approx(1, abs=0.35)

    def test_flood_from_a_rim_pixel_inverts(self):
        corner = np.array([[0, 0], [0, 1], [1, 1], [1, 0], [0, 0]], float)
        ring = corner * 4 + 2
        dense = np.concatenate([np.linspace(a, b, 9) for a, b in pairwise(ring)])
        inside = np.zeros((9, 9), bool)
        inside[3:6, 3:6] = True
        np.testing.assert_array_equal(com._enclosed(dense, (9, 9)), inside)
        assert com._enclosed(corner, (9, 9)).sum() == 81 - 4


class TestThreshold:
    def test_half_of_the_contrast_connected_to_the_peak(self):
        image = np.full((40, 40), 100, np.uint8)
        image[20, 17:24] = [120, 149, 160, 200, 160, 151, 120]
        image[14, 14] = 250  # brighter, but not connected
        result = Threshold().annotate(image, [(20, 20)])
        np.testing.assert_array_equal(np.argwhere(result.mask), [[20, c] for c in (19, 20, 21, 22)])
        assert result.targets[0].soft.max() == 1

    def test_the_peak_may_lie_beside_the_click(self):
        image = np.full((40, 40), 100, np.uint8)
        image[21, 21] = 200
        np.testing.assert_array_equal(np.argwhere(Threshold().annotate(image, [(20, 20)]).mask), [[21, 21]])

    def test_fraction(self):
        image = np.full((40, 40), 100, np.uint8)
        image[20, 20], image[20, 21] = 200, 130
        assert Threshold(fraction=0.2).annotate(image, [(20, 20)]).targets[0].area == 2
        with pytest.raises(ValueError, match="fraction is 1"):
            Threshold(fraction=1.0)


@pytest.fixture(scope="module")
def fidelity():
    path = Path(__file__).parents[2] / "benchmarks" / "baseline_fidelity.py"
    spec = importlib.util.spec_from_file_location("baseline_fidelity", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.data
@pytest.mark.parametrize("method", ["mclc", "d2d", "com"])
def test_figures_of_the_originals(fidelity, method):
    folder = Path(os.environ.get("POINTMASK_SIRST3", ""))
    if not (folder / "images").is_dir() or folder == Path():
        pytest.skip("set POINTMASK_SIRST3 to the folder of the SIRST3 images")
    row = fidelity.measure(folder, ("sirst1", method, "none", "centroid"))
    assert row.ok, f"{method}: pooled IoU {row.iou:.3f}, the original's {row.expected} +- {row.tolerance}"

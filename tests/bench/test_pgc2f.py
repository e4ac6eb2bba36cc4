"""PG-C2F: the fitted box, the random walker against a walk of many steps, and its masks."""

import numpy as np
import pytest

from pointmask.bench.baselines.pgc2f import PGC2F, fitted_box, walker


def gaussian(shape, centre, sigmas, height=0.6, base=0.2):
    rows, cols = np.indices(shape)
    squares = ((rows - centre[0]) / sigmas[0]) ** 2 + ((cols - centre[1]) / sigmas[1]) ** 2
    return base + height * np.exp(-squares / 2)


@pytest.mark.parametrize(
    ("centre", "sigmas"), [((30, 40), (2, 2)), ((31, 38), (1.5, 3)), ((29.5, 40.4), (4, 2))]
)
def test_the_box_is_three_deviations_and_three_pixels(centre, sigmas):
    box = fitted_box(gaussian((64, 80), centre, sigmas), (30, 40))
    for side, at, sigma in zip(box, centre, sigmas, strict=True):
        assert side.start == pytest.approx(at - 3 * sigma - 3, abs=1.1)
        assert side.stop - 1 == pytest.approx(at + 3 * sigma + 3, abs=1.1)


def test_the_box_holds_the_click_and_stays_within_its_patch():
    grey = gaussian((64, 80), (30, 46), (1.5, 1.5))
    rows, cols = fitted_box(grey, (30, 40))
    assert rows.start <= 30 < rows.stop
    assert cols.start == 40 - 3
    wide = fitted_box(gaussian((90, 90), (45, 45), (30, 30)), (45, 45))
    assert wide == (slice(25, 66), slice(25, 66))


def test_a_flat_patch_gets_a_plain_box():
    assert fitted_box(np.full((50, 50), 0.3), (20, 25)) == (slice(15, 26), slice(20, 31))
    assert fitted_box(np.full((50, 50), 0.3), (0, 49)) == (slice(0, 6), slice(44, 50))


def walk(window, seed, steps=4000):
    """The same probabilities by taking the mean over all neighbours, again and again."""
    height, width = window.shape
    values = np.zeros(window.shape)
    values[seed] = 1
    for _ in range(steps):
        now = values.copy()
        for row in range(1, height - 1):
            for col in range(1, width - 1):
                if (row, col) == seed:
                    continue
                total = weighted = 0.0
                for i in (-1, 0, 1):
                    for j in (-1, 0, 1):
                        if i or j:
                            step = abs(window[row, col] - window[row + i, col + j])
                            weight = np.exp(-200 * step) + 1e-5
                            total += weight
                            weighted += weight * values[row + i, col + j]
                now[row, col] = weighted / total
        if np.abs(now - values).max() < 1e-12:
            return now
        values = now
    return values


@pytest.mark.parametrize("seed", [(3, 3), (1, 4), (0, 2)])
def test_the_walker_is_the_slow_twin(seed):
    window = np.round(np.random.default_rng(1).random((7, 6)), 2) * 0.02
    np.testing.assert_allclose(walker(window, seed), walk(window, seed), atol=1e-8)


def test_the_walker_turns_with_its_window():
    window = np.random.default_rng(2).random((9, 12)) * 0.05
    found = walker(window, (4, 7))
    np.testing.assert_allclose(walker(window[::-1], (4, 7)), found[::-1], atol=1e-9)
    np.testing.assert_allclose(walker(window.T, (7, 4)), found.T, atol=1e-9)
    assert found[4, 7] == 1
    assert not found[0].any()
    assert not found[:, -1].any()


@pytest.mark.parametrize("shape", [(1, 1), (2, 5), (3, 3)])
def test_windows_without_a_free_pixel_are_the_click_alone(shape):
    seed = (shape[0] // 2, shape[1] // 2)
    found = walker(np.zeros(shape), seed)
    assert found[seed] == 1
    assert found.sum() == 1


def test_a_square_is_filled_to_its_edge():
    image = np.full((60, 60), 50, np.uint8)
    image[27:34, 26:33] = 200
    mask = PGC2F().annotate(image, [(30, 30)]).mask
    assert np.array_equal(mask, image > 100)


def test_a_higher_threshold_gives_less():
    grey = np.rint(255 * gaussian((64, 64), (32, 32), (2.5, 2.5))).astype(np.uint8)
    loose, tight = (PGC2F(threshold=t).annotate(grey, [(32, 32)]).targets[0] for t in (0.1, 0.6))
    assert loose.area > tight.area > 0
    with pytest.raises(ValueError, match="threshold is 1"):
        PGC2F(threshold=1.0)

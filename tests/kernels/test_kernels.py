"""Each kernel of the annotator against its slow twin, on random and degenerate windows."""

import numpy as np
import pytest
from tools.naive import kernels as naive

from pointmask.kernels.agreement import agreement, ring_map
from pointmask.kernels.climb import climb
from pointmask.kernels.diffuse import conductance, diffuse, local_entropy
from pointmask.kernels.normalise import AUTO, BRIGHT, DARK, normalise
from pointmask.kernels.potential import evolve
from pointmask.kernels.rank import deviation_of, median_of, select
from pointmask.kernels.regions import extent, keep_at_point, label, piece_of
from pointmask.kernels.resemblance import measure, resemblance_network, texture
from pointmask.kernels.scale_space import enlarge, fill_scales, smooth
from pointmask.kernels.slic import slic

TIGHT = {"rtol": 1e-12, "atol": 1e-12}


def window(kind, side=9, seed=0):
    rng = np.random.default_rng(seed)
    if kind == "flat":
        return np.full((side, side), 0.25)
    if kind == "impulse":
        out = np.zeros((side, side))
        out[side // 2, side // 2] = 1.0
        return out
    if kind == "step":
        out = np.zeros((side, side))
        out[:, side // 2 :] = 1.0
        return out
    if kind == "coarse grey":
        return rng.integers(0, 4, (side, side)) / 3.0
    return rng.random((side, side))


KINDS = ["random", "flat", "impulse", "step", "coarse grey"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("side", "spacing"), [(1, 1), (2, 1), (5, 4), (9, 1), (9, 2), (9, 16)])
def test_smooth(kind, side, spacing):
    source = window(kind, side)
    out = np.empty_like(source)
    smooth(source, spacing, out)
    np.testing.assert_allclose(out, naive.smooth(source, spacing), **TIGHT)


def test_smoothing_of_a_rectangle_and_all_scales():
    source = np.random.default_rng(1).random((4, 7))
    scales = np.empty((4, 4, 7))
    fill_scales(source, scales)
    expected = source
    for k in range(3):
        np.testing.assert_allclose(scales[k], expected, **TIGHT)
        expected = naive.smooth(expected, 2**k)


@pytest.mark.parametrize("side", [1, 2, 5])
def test_enlarge(side):
    source = window("random", side)
    out = np.empty((2 * side - 1, 2 * side - 1))
    enlarge(source, out)
    np.testing.assert_allclose(out, naive.enlarge(source), **TIGHT)


@pytest.mark.parametrize("size", [1, 2, 3, 10, 101])
@pytest.mark.parametrize("ties", [False, True])
def test_select_is_the_sorted_value(size, ties):
    rng = np.random.default_rng(size)
    values = rng.integers(0, 3, size).astype(float) if ties else rng.normal(size=size)
    for k in range(size):
        assert select(values.copy(), k) == np.sort(values)[k]


@pytest.mark.parametrize("count", [1, 2, 3, 24, 25])
def test_median_and_deviation_of_a_ring(count):
    values = np.random.default_rng(2).normal(size=(7, 7))
    places = np.arange(count) * 49 // count
    buffer = np.empty(values.size)
    ring = values.ravel()[places]
    centre = median_of(values, places, buffer)
    assert centre == np.median(ring)
    assert median_of(-values, places, buffer) == -centre
    assert deviation_of(values, places, centre, buffer) == 1.4826 * np.median(abs(ring - centre))


def test_texture():
    fine, coarse = window("random", seed=3), window("random", seed=4)
    spare, out = np.empty_like(fine), np.empty_like(fine)
    texture(fine, coarse, spare, out)
    np.testing.assert_allclose(out, naive.texture(fine, coarse), **TIGHT)


def test_measure():
    rng = np.random.default_rng(5)
    scales = rng.normal(size=(6, 9, 9))
    axis = np.arange(-4, 5)
    distance = np.hypot(*np.meshgrid(axis, axis)) * 3  # some of it beyond 10
    maps, spare, target = np.empty((10, 9, 9)), np.empty((9, 9)), np.empty(5)
    measure(scales, distance, np.log1p(distance), 0.1, 0.7, -0.2, maps, spare, target)
    np.testing.assert_array_equal(maps[:6], scales)
    np.testing.assert_allclose(maps[6], distance / 10, **TIGHT)
    np.testing.assert_allclose(maps[7], np.log1p(distance), **TIGHT)
    for k in (0, 1):
        expected = np.minimum(4 * naive.texture(scales[k], scales[k + 1]), 4)
        np.testing.assert_allclose(maps[8 + k], expected, **TIGHT)
    near = scales[0][distance < 10]
    counts = [0.3 * np.log1p((near > t).sum()) for t in (0.3, 0.6)]
    np.testing.assert_allclose(target, [0.3 * np.log(0.12), 0.7, -0.2, *counts], **TIGHT)


@pytest.mark.parametrize("units", [0, 1, 5])
def test_resemblance_network(units):
    rng = np.random.default_rng(units)
    maps, weights = rng.normal(size=(10, 4, 6)), rng.normal(size=(units, 10))
    bias, gain = rng.normal(size=units), rng.normal(size=units)
    out = np.empty((4, 6))
    resemblance_network(maps, weights, bias, gain, -0.3, out)
    np.testing.assert_allclose(out, naive.resemblance_network(maps, weights, bias, gain, -0.3), **TIGHT)


@pytest.mark.parametrize("kind", KINDS)
def test_local_entropy(kind):
    values = window(kind)
    out = np.empty_like(values)
    local_entropy(values, 2, out)
    np.testing.assert_allclose(out, naive.local_entropy(values, 2), **TIGHT)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("alpha", "rational"), [(1.0, True), (0.6, False), (0.0, False)])
@pytest.mark.parametrize("spacing", [1, 2])
def test_conductance_and_steps_are_the_matrix_power(kind, alpha, rational, spacing):
    values, entropy, source = window(kind), window("random", seed=1), window("random", seed=2)
    n, s = len(values), spacing
    padded = (n + 2 * s, n + 2 * s)
    down, right, spare = np.empty(padded), np.empty(padded), np.zeros(padded)
    conductance(values, entropy, s, 0.2, 3.0, alpha, rational, down, right)
    potential, reaction = np.zeros(padded), np.zeros(padded)
    potential[s : n + s, s : n + s] = source
    for steps in (0, 1, 4):
        field = potential.copy()
        diffuse(field, spare, down, right, reaction, s, 1.0, steps)
        L = naive.laplacian(values, entropy, s, 0.2, 3.0, alpha, rational)
        step = np.eye(n * n) - L
        expected = np.linalg.matrix_power(step, steps) @ source.ravel()
        np.testing.assert_allclose(field[s : n + s, s : n + s].ravel(), expected, **TIGHT)
        # Pure diffusion: nothing is lost through the border, nothing leaves the first range.
        assert field.sum() == pytest.approx(source.sum(), rel=1e-12)
        assert source.min() - 1e-12 <= field[s : n + s, s : n + s].min()
        assert field.max() <= source.max() + 1e-12


@pytest.mark.parametrize("rational", [True, False])
def test_evolve_is_the_matrix_iteration(rational):
    rng = np.random.default_rng(7)
    n = 11
    scales, entropy, resemblance = rng.random((3, n, n)), rng.random((n, n)), rng.uniform(-1, 1, (n, n))
    stages = [(4, 3, 0.2, 2.0, 1.5, 0.1), (2, 2, 0.1, 3.0, 2.0, 0.5), (1, 5, 0.05, 4.0, 1.8, 0.8)]
    source = rng.random((n, n)) * (rng.random((n, n)) > 0.7)
    field = source.copy()
    columns = [np.array(c) for c in zip(*stages, strict=True)]
    work = np.full(5 * (n + 8) ** 2, np.nan)  # whatever it holds must not matter
    evolve(scales, entropy, resemblance, *columns, 0.9, 0.7, rational, work, field)
    expected = naive.evolve(source, scales, entropy, resemblance, stages, 0.9, 0.7, rational)
    np.testing.assert_allclose(field, expected, **TIGHT)


@pytest.mark.parametrize("eight", [True, False])
@pytest.mark.parametrize("density", [0.0, 0.3, 0.5, 1.0])
def test_label_and_keep(eight, density):
    rng = np.random.default_rng(int(10 * density))
    binary = rng.random((8, 11)) < density
    labels, out = np.empty(binary.shape, np.int32), np.empty(binary.shape, bool)
    count = label(binary, eight, np.empty(binary.size, np.int64), labels)
    pieces = {frozenset(zip(*np.nonzero(labels == k), strict=True)) for k in range(1, count + 1)}
    assert pieces == naive.label(binary, eight)
    for row, col, reach in ((0, 0, 0), (4, 5, 2), (7, 10, 3)):
        area = keep_at_point(labels, count, row, col, reach, out)
        expected = naive.keep_at_point(binary, eight, row, col, reach)
        np.testing.assert_array_equal(out, expected)
        assert area == expected.sum()


@pytest.mark.parametrize("first_wins", [True, False])
@pytest.mark.parametrize("kind", ["random", "step", "flat"])
def test_slic(kind, first_wins):
    values = window(kind, 15, seed=9)
    centres = np.array([(y, x, values[y, x]) for y in (2, 7, 12) for x in (2, 7, 12)], float)
    labels = np.empty(values.shape, np.int32)
    slic(values, centres.copy(), 5, 0.4, 3, first_wins, np.empty(values.shape), labels)
    np.testing.assert_array_equal(labels, naive.slic(values, centres, 5, 0.4, 3, first_wins))


MASKS = {
    "none": np.zeros((12, 11), bool),
    "one pixel": np.indices((12, 11)).sum(axis=0) == 0,
    "block": np.pad(np.ones((4, 5), bool), ((3, 5), (4, 2))),
    "pieces": np.random.default_rng(4).random((12, 11)) > 0.9,
    "all": np.ones((12, 11), bool),
}


@pytest.mark.parametrize("name", list(MASKS))
def test_ring_map(name):
    out = np.empty(MASKS[name].shape, np.int8)
    ring_map(MASKS[name], out)
    np.testing.assert_array_equal(out, naive.ring_map(MASKS[name]))


@pytest.mark.parametrize("name", list(MASKS))
@pytest.mark.parametrize("shift", [0.0, 3.0, -9.0])  # all signs, positive, negative only
def test_agreement(name, shift):
    rng = np.random.default_rng(11)
    values, fine, coarse = rng.normal(size=(3, 12, 11)) + shift
    rings = naive.ring_map(MASKS[name]).astype(np.int8)
    out = np.empty(12)
    agreement(values, fine, coarse, rings, out)
    # Deviations come from sums of squares: at a mean of 9 they keep 1e-7 of the exact 0 of one pixel.
    np.testing.assert_allclose(out, naive.agreement(values, fine, coarse, rings), rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_climb(kind):
    values = window(kind, 7, seed=3)
    for row, col in np.ndindex(*values.shape):
        for moves in (0, 1, 4):
            assert climb(values, row, col, moves) == naive.climb(values, row, col, moves)


@pytest.mark.parametrize("density", [0.02, 0.3, 1.0])
def test_extent(density):
    mask = np.random.default_rng(3).random((9, 12)) < density
    mask[4, 5] = True
    rows, cols = np.nonzero(mask)
    box = rows.min(), cols.min(), rows.max() + 1, cols.max() + 1
    assert extent(mask) == (*box, rows.sum(), cols.sum())


@pytest.mark.parametrize("density", [0.3, 0.6])
def test_piece_of(density):
    labels = (np.random.default_rng(5).random((8, 9)) < density).astype(np.int32)
    out = np.empty(labels.shape, bool)
    for row, col in np.ndindex(*labels.shape):
        piece_of(labels, row, col, np.empty(labels.size, np.int64), out)
        (expected,) = (p for p in naive.label(labels == labels[row, col], False) if (row, col) in p)
        assert set(zip(*np.nonzero(out), strict=True)) == expected


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("code", "polarity"), [(BRIGHT, "bright"), (DARK, "dark"), (AUTO, "auto")])
def test_normalise(kind, code, polarity):
    samples = window(kind, 15, seed=6) * 40 + 7
    axis = np.arange(-7, 8)
    distance = np.hypot(*np.meshgrid(axis, axis))
    edges = ((2, 4), (4, 6), (6, 9))
    rings = [np.flatnonzero((distance >= a) & (distance < b)) for a, b in edges]
    near = np.flatnonzero(distance < 2)
    values = np.empty_like(samples)
    grain = 2.0**-20
    facts = normalise(samples, *rings, near, code, grain, np.empty(400), values)
    expected, expected_facts = naive.normalise(samples, *rings, near, polarity, grain)
    # Rounding to the grain may fall on either side where the two add in another order.
    np.testing.assert_allclose(values, expected, rtol=0, atol=1.01 * grain)
    np.testing.assert_allclose(facts, expected_facts, rtol=1e-12, atol=1.01 * grain)


@pytest.mark.parametrize("spacing", [1, 2, 4])
@pytest.mark.parametrize("turned", ["source", "out", "both", "strided"])
def test_smoothing_writes_to_any_layout(spacing, turned):
    field = np.random.default_rng(0).random((11, 14))
    expected = naive.smooth(field, spacing)
    source = np.asfortranarray(field) if turned in ("source", "both") else field
    out = np.zeros((11, 14), order="F" if turned in ("out", "both") else "C")
    if turned == "strided":
        out = np.zeros((22, 28))[::2, ::2]
    smooth(source, spacing, out)
    np.testing.assert_allclose(out, expected, rtol=1e-12)

"""Scenes: what is asked for is in the picture, and the truth that comes with it is exact."""

import hashlib
import json
from itertools import islice

import numpy as np
import pytest
from scipy import ndimage as ndi

from pointmask.synth.backgrounds import power_law
from pointmask.synth.scenes import KINDS, SHAPES, TargetSpec, demo_scenes, make_scene, make_scenes
from pointmask.synth.sensor import Scale, Sensor
from pointmask.synth.targets import AREAS, SUBSAMPLES, _rasterise, render

EIGHT = np.ones((3, 3), bool)
SMALL = (96, 96)


def digest(scene):
    parts = (scene.image, scene.mask, scene.instances, np.array(scene.points))
    return hashlib.sha256(b"".join(p.tobytes() for p in parts)).hexdigest()


def measured_contrast(scene, k=1):
    """Signal-to-clutter ratio of the k-th target as the module defines it, from the finished image."""
    own = scene.instances == k
    ring = ndi.binary_dilation(own, EIGHT, 7) & ~ndi.binary_dilation(own, EIGHT, 2)
    ring &= ~ndi.binary_dilation(scene.mask & ~own, EIGHT, 3)
    image = scene.image.astype(float)
    return (image[own].mean() - image[ring].mean()) / image[ring].std()


# --- seeds ------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_bytes(kind):
    first, second = (make_scene(kind, shape=SMALL, seed=5) for _ in range(2))
    other = make_scene(kind, shape=SMALL, seed=6)
    assert digest(first) == digest(second)
    assert digest(first) != digest(other)


def test_a_series_can_be_cut_anywhere():
    whole = [digest(s) for s in make_scenes(6, 3, shape=SMALL, bits=None)]
    tail = [digest(s) for s in make_scenes(2, 3, shape=SMALL, bits=None, start=4)]
    assert whole[4:] == tail
    assert len(set(whole)) == 6


def test_making_a_scene_leaves_the_global_generator_alone():
    np.random.seed(0)  # noqa: NPY002 - the legacy state is what must not move
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    make_scene("sky", shape=SMALL)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


# --- truth ------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bits", [8, 14])
def test_mask_instances_and_points_agree(kind, bits):
    for seed in range(4):
        scene = make_scene(kind, shape=(96, 120), seed=seed, bits=bits, targets=3)
        assert scene.image.shape == scene.mask.shape == scene.instances.shape == (96, 120)
        assert np.array_equal(scene.mask, scene.instances > 0)
        assert len(scene.points) == scene.instances.max() == 3
        for k, (row, col) in enumerate(scene.points, 1):
            own = scene.instances == k
            assert own[row, col]
            assert ndi.label(own, EIGHT)[1] == 1
            centre = ndi.center_of_mass(own)
            away = np.hypot(*(np.argwhere(own) - centre).T)
            assert np.hypot(row - centre[0], col - centre[1]) == pytest.approx(away.min())
        border = np.ones_like(scene.mask)
        border[2:-2, 2:-2] = False
        assert not (scene.mask & border).any()


@pytest.mark.parametrize("seed", range(10))
def test_targets_in_a_crowded_frame_keep_apart_unless_they_are_to_touch(seed):
    crowd = [TargetSpec(area=12, shape="ellipse")] * 5
    scene = make_scene("sky", shape=(44, 44), seed=seed, targets=crowd)
    grown = [ndi.binary_dilation(scene.instances == k, EIGHT, 3) for k in range(1, 6)]
    for k, near in enumerate(grown, 1):
        assert set(np.unique(scene.instances[near])) <= {0, k}


@pytest.mark.parametrize("seed", range(8))
def test_touching_targets_touch_and_keep_their_own_pixels(seed):
    specs = [TargetSpec(area=30, shape="ellipse"), TargetSpec(area=20, shape="blob", touches=True)]
    scene = make_scene("clouds", shape=SMALL, seed=seed, targets=specs)
    assert ndi.label(scene.mask, EIGHT)[1] == 1
    assert [int((scene.instances == k).sum()) for k in (1, 2)] == [t["area"] for t in scene.params["targets"]]
    assert (scene.instances == 2).sum() == pytest.approx(20, abs=3)


@pytest.mark.parametrize("shape", SHAPES)
def test_sizes_asked_for_are_obtained(shape):
    least, most = AREAS[shape]
    slack = 3.0 if shape == "point" else 2.0  # a symmetric spot gains pixels in pairs and fours
    rng = np.random.default_rng(1)
    for area in np.geomspace(max(least, 5), most, 6):
        for _ in range(6):
            offset = tuple(rng.uniform(-0.5, 0.5, 2))
            stamp = render(rng, shape, area, sigma=0.6, offset=offset)
            assert stamp.mask.sum() == pytest.approx(area, abs=max(slack, 0.12 * area))
            assert ndi.label(stamp.mask, EIGHT)[1] == 1
            assert stamp.profile[~stamp.mask].max() <= stamp.profile[stamp.mask].max()
            rim = np.ones_like(stamp.mask)
            rim[2:-2, 2:-2] = False
            assert not stamp.mask[rim].any()


def test_extended_mask_is_the_half_cover_set():
    """The optics conserve what an outline covers, so the sum over `cover` is its true area."""
    rng = np.random.default_rng(2)
    stamps = [render(rng, "ellipse", 200, sigma=0.8, offset=(0.1, 0.4)).padded(4) for _ in range(30)]
    assert np.mean([s.mask.sum() / s.cover.sum() for s in stamps]) == pytest.approx(1, abs=0.01)


def test_centre_is_where_it_was_asked_for():
    scene = make_scene("sky", seed=2, targets=[TargetSpec(area=40, shape="ellipse", center=(50.3, 90.8))])
    assert ndi.center_of_mass(scene.mask) == pytest.approx((50.3, 90.8), abs=0.35)


def test_point_source_mask_is_the_half_response_set():
    stamp = render(np.random.default_rng(0), "point", 9, sigma=0.7, offset=(0.2, -0.3))
    assert np.array_equal(stamp.mask, stamp.profile > 0.5 * stamp.profile.max())
    centre = ndi.center_of_mass(stamp.profile)
    assert np.subtract(centre, stamp.reach) == pytest.approx((0.2, -0.3), abs=0.01)


# --- the parts, against what can be worked out by hand ----------------------------------


def test_raster_of_a_rectangle_is_exact():
    side = 1 / SUBSAMPLES
    outline = np.array([(-1.0, -1.1), (-1.0, 1.3), (1.0, 1.3), (1.0, -1.1)])
    cover = _rasterise(outline, 3)
    assert cover.sum() * side**2 == pytest.approx(2.0 * 2.4)
    assert cover.max() == pytest.approx(1.0)
    assert np.array_equal(cover, _rasterise(outline[::-1], 3))  # either sense of rotation


def test_raster_agrees_with_counting_points():
    rng = np.random.default_rng(3)
    radius, angle = rng.uniform(1.0, 3.0, 9), np.sort(rng.uniform(0, 2 * np.pi, 9))
    outline = np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)
    cells = _rasterise(outline, 4)
    fine = 16
    axis = (np.arange(len(cells) * fine) + 0.5) / (SUBSAMPLES * fine) - 4.5
    y, x = np.meshgrid(axis, axis, indexing="ij")
    inside = np.zeros(y.shape, bool)
    for (y0, x0), (y1, x1) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        crosses = (y0 <= y) != (y1 <= y)
        inside ^= crosses & (x > x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    counted = inside.reshape(len(cells), fine, len(cells), fine).mean(axis=(1, 3))
    assert np.abs(cells - counted).mean() < 0.01
    assert cells.sum() == pytest.approx(counted.sum(), rel=0.01)


@pytest.mark.parametrize("beta", [0.0, 2.0, 3.5])
def test_background_spectrum_has_the_slope_asked_for(beta):
    rng = np.random.default_rng(0)
    power = np.mean([np.abs(np.fft.fft2(power_law(rng, (128, 128), beta))) ** 2 for _ in range(8)], axis=0)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(128), np.fft.fftfreq(128)))
    band = (frequency > 0.05) & (frequency < 0.4)
    slope = np.polyfit(np.log(frequency[band]), np.log(power[band]), 1)[0]
    assert slope == pytest.approx(-beta, abs=0.15)


def test_noise_is_the_netd_and_grows_with_the_signal():
    sensor = Sensor(sigma=0.7, netd=0.05, columns=0.0, rows=0.0, vignetting=0.0, bad=0)
    frame = np.zeros((200, 200))
    frame[:, :90] = 40.0  # fewer than half, so that the median stays at 0
    noise = sensor.noisy(np.random.default_rng(0), frame) - frame
    assert noise[:, 90:].std() == pytest.approx(0.05, rel=0.03)
    assert noise[:, :90].std() == pytest.approx(0.05 * np.sqrt(0.5 + 0.5 * np.exp(0.68)), rel=0.03)


def test_columns_and_rows_carry_their_own_pattern():
    sensor = Sensor(sigma=0.7, netd=1e-6, columns=0.3, rows=0.1, vignetting=0.0, bad=0)
    noise = sensor.noisy(np.random.default_rng(0), np.zeros((400, 400)))
    assert noise.mean(axis=0).std() == pytest.approx(0.3, rel=0.15)
    assert noise.mean(axis=1).std() == pytest.approx(0.1, rel=0.15)


def test_vignetting_is_nil_in_the_middle_and_whole_in_the_corners():
    shade = Sensor(sigma=0.7, netd=0.05, columns=0, rows=0, vignetting=-2.0, bad=0).shade((65, 81))
    assert shade[32, 40] == 0
    assert shade[0, 0] == shade[-1, -1] == pytest.approx(-2.0)


# --- counts ------------------------------------------------------------


def test_depths():
    eight, fourteen = (make_scene("horizon", seed=1, bits=b) for b in (8, 14))
    assert eight.image.dtype == np.uint8
    assert fourteen.image.dtype == np.uint16
    assert fourteen.image.max() < 1 << 14
    assert len(np.unique(fourteen.image)) > 256  # more than 8 bits could tell apart
    assert Scale(gain=1.0, offset=0.0, top=255).counts(np.array([[-5.0, 0.4, 0.6, 999.0]])).tolist() == [
        [0, 0, 1, 255]
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("contrast", [-8.0, 4.0, 12.0])
def test_contrast_asked_for_is_in_the_picture(kind, contrast):
    ratios = []
    for seed in range(6):
        scene = make_scene(kind, shape=SMALL, seed=seed, bits=14, targets=1, contrast=contrast, bad_pixels=0)
        assert scene.params["targets"][0]["contrast"] == contrast
        ratios.append(measured_contrast(scene) / contrast)
    assert np.median(ratios) == pytest.approx(1, abs=0.08)
    assert min(ratios) > 0.7
    assert max(ratios) < 1.35


def test_a_contrast_beyond_the_range_of_counts_is_lowered_and_said():
    scene = make_scene("vegetation", seed=0, shape=SMALL, targets=1, contrast=500)
    told = scene.params["targets"][0]["contrast"]
    assert 0 < told < 500
    assert scene.image[scene.mask].max() == 255


def test_bad_pixels_are_as_many_as_asked_and_off_the_targets():
    clean, broken = (make_scene("sky", seed=4, shape=SMALL, bad_pixels=n) for n in (0, 20))
    changed = clean.image != broken.image
    assert changed.sum() == 20
    assert sorted(broken.image[changed]) == [0] * 10 + [255] * 10
    assert not (changed & ndi.binary_dilation(clean.mask, iterations=3)).any()


# --- series, demo, refusals ------------------------------------------------------------


def test_a_series_mixes_kinds_depths_sizes_and_brightness():
    scenes = list(make_scenes(60, 1, shape=SMALL, bits=None))
    targets = [t for s in scenes for t in s.params["targets"]]
    assert {s.kind for s in scenes} == set(KINDS)
    assert {s.image.dtype.name for s in scenes} == {"uint8", "uint16"}
    assert {t["shape"] for t in targets} >= {"point", "ellipse", "blob"}
    areas, ratios = (np.array([t[key] for t in targets]) for key in ("area", "contrast"))
    assert areas.min() < 10
    assert areas.max() > 80
    assert ratios.min() < 5
    assert ratios.max() > 25
    assert len({s.name for s in scenes}) == 60
    assert {s.kind for s in islice(make_scenes(8, 1, shape=SMALL, kinds=["sea"]), 8)} == {"sea"}


def test_demo_shows_one_difficulty_each():
    scenes = demo_scenes()
    assert len({s.kind for s in scenes}) == len({s.name for s in scenes}) == 5
    points, touching, extended, deep, dark = scenes
    assert [t["shape"] for t in points.params["targets"]] == ["point"] * 3
    assert ndi.label(touching.mask, EIGHT)[1] == 1
    assert len(touching.points) == 2
    assert extended.mask.sum() > 120
    assert deep.image.dtype == np.uint16
    assert measured_contrast(dark) < -4
    assert all(abs(measured_contrast(s, k)) > 3 for s in scenes for k in range(1, len(s.points) + 1))


def test_params_can_be_written_as_json():
    params = make_scene("sky", shape=SMALL).params
    assert json.loads(json.dumps(params))["targets"][0]["shape"] in SHAPES


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "desert"}, r"'desert'; choose one of sky"),
        ({"shape": (20, 256)}, r"20 x 256 pixels is too small; 32"),
        ({"bits": 12}, r"bits=12 is not offered; choose 8"),
        ({"targets": [TargetSpec(shape="ufo")]}, r"'ufo'; choose one of point"),
        ({"targets": [TargetSpec(area=2)]}, r"2 pixels cannot be a point, which takes 4 to 25"),
        ({"targets": [TargetSpec(area=9, shape="aeroplane")]}, r"9 pixels cannot be a aeroplane"),
        ({"targets": [TargetSpec(touches=True)]}, r"none before it to touch"),
        ({"targets": [TargetSpec(area=20, center=(0, 0))]}, r"finds no place in a frame of 256 x 256"),
        ({"shape": (32, 32), "targets": 60}, r"finds no place in a frame of 32 x 32"),
    ],
)
def test_refusals_name_the_value_the_rule_and_the_fix(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_scene(**{"kind": "sky", **arguments})

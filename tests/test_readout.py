"""Frames that were stored otherwise than they were seen: exchanged bytes, and rows of two pictures."""

import numpy as np
import pytest
from scipy import ndimage
from tools.folders import save

from pointmask.doctor import examine
from pointmask.io.images.array import read
from pointmask.io.notes import gathering
from pointmask.readout import COMBED, SWAPPED, is_combed, is_swapped
from pointmask.synth.scenes import make_scenes

SCENES = [scene.image for scene in make_scenes(6, seed=3)]
RNG = np.random.default_rng(0)


def deep(image: np.ndarray) -> np.ndarray:
    """A scene as a 12-bit sensor stores it."""
    low, high = image.min(), image.max()
    return ((image.astype(float) - low) / (high - low) * 3000 + 500).astype(np.uint16)


def interlaced(image: np.ndarray, motion: int = 4) -> np.ndarray:
    combed = image.copy()
    combed[1::2] = np.roll(image, motion, axis=1)[1::2]
    return combed


def texture() -> np.ndarray:
    """Vertical edges over a sky, which a moving camera combs."""
    rows, cols = np.indices((160, 200))
    return (90 + 40 * np.sin(cols / 3.0) + rows / 8 + RNG.normal(0, 1, rows.shape)).astype(np.uint8)


@pytest.mark.parametrize("shift", [0, 4], ids=["right-aligned", "left-aligned"])
@pytest.mark.parametrize("image", SCENES)
def test_scenes_in_the_right_order_are_told_from_those_in_the_other(image, shift):
    right = deep(image) << shift
    assert not is_swapped(right)
    assert not is_combed(right)
    assert is_swapped(right.byteswap())


def test_signed_numbers_have_an_order_too():
    signed = deep(SCENES[0]).astype(np.int16) - 1500
    assert not is_swapped(signed)
    assert is_swapped(signed.byteswap())


@pytest.mark.parametrize(
    "image",
    [
        RNG.normal(2000, 6, (128, 128)).astype(np.uint16),
        RNG.integers(0, 65536, (128, 128)).astype(np.uint16),
        RNG.integers(0, 256, (128, 128)).astype(np.uint16),
        np.full((64, 64), 300, np.uint16),
        np.full((64, 64), np.nan),
        (RNG.random((200, 200)) < 0.01).astype(np.uint8) * 255,
        np.zeros((1, 900), np.uint16),
    ],
    ids=["noise", "all numbers", "8 bits", "flat", "nan", "specks", "one row"],
)
def test_frames_without_a_picture_are_neither(image):
    assert not is_swapped(image)
    assert not is_combed(image)


@pytest.mark.parametrize("seed", range(20))
def test_a_target_on_a_quiet_sky_whose_values_pass_a_multiple_of_256_is_no_exchange(seed):
    rng = np.random.default_rng(seed)
    sky = rng.normal(500, 3, (64, 80))
    sky[20:22, 30:33] += 60
    sky[40:47, 50:56] += rng.uniform(20, 2000)
    assert not is_swapped(np.rint(sky).astype(np.uint16))


def whole_look(band: np.ndarray) -> tuple[bool, bool]:
    """What the rules say of 64 lines in float64, without a quicker look before."""

    def rows_differ(some: np.ndarray) -> bool:
        some = some[:, :: max(1, some.shape[1] // 64)].astype(np.float64)
        return np.abs(some[2:] - some[:-2]).mean() < 0.8 * np.abs(some[1:] - some[:-1]).mean()

    def roughness(some: np.ndarray) -> float:
        some = some.astype(np.float64)
        spread = np.abs(some - np.median(some)).mean()
        return np.abs(np.diff(some, axis=1)).mean() / (spread or 1.0)

    combed = rows_differ(band) or rows_differ(band.T)
    if band.dtype not in (np.uint16, np.int16):
        return combed, False
    some = band[:: max(1, len(band) // 64)]
    right, other = roughness(some), roughness(some.byteswap())
    return combed, other < 0.7 and right > 2 * other


@pytest.mark.parametrize("seed", range(60))
def test_a_quicker_look_says_what_the_whole_one_does(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(32, 400, 2))
    clouds = ndimage.gaussian_filter(rng.normal(0, 1, shape), rng.uniform(1, 8))
    image = 1500 + rng.uniform(0, 300) * clouds / clouds.std() + rng.normal(0, rng.uniform(0.5, 60), shape)
    image[1::2] = np.roll(image, rng.integers(0, 4), axis=1)[1::2]
    image[:, ::2] += rng.choice([0, 0, 5, 50])
    image = np.clip(image, 0, 4000)
    types = (np.uint16, np.int16, np.float32, np.float64, np.int32)
    bands = [image.astype(dtype) for dtype in types] + [(image / 16).astype(np.uint8)]
    bands += [bands[0].byteswap(), bands[1].byteswap(), bands[0] << 4, (bands[0] << 4).byteswap()]
    for band in bands:
        assert (is_combed(band), is_swapped(band)) == whole_look(band), band.dtype


def test_a_tenth_of_a_frame_that_is_combed_is_not_looked_past():
    """Where most lines are flat, the few of the first look say little."""
    picture = np.full((160, 640), 100, np.uint8)
    picture[:, 64:128] = interlaced(texture())[:, :64]
    assert whole_look(picture) == (True, False)
    assert is_combed(picture)


def test_both_kinds_of_combs():
    picture = texture()
    assert not is_combed(picture)
    assert is_combed(interlaced(picture))
    assert is_combed(interlaced(picture).T), "columns"
    columns = picture.astype(np.float32)
    columns[:, ::2] += 60  # of a second amplifier
    assert is_combed(columns)


def test_text_and_reticles_are_no_combs():
    picture = texture()
    picture[70] = picture[:, 90] = 255
    picture[4:12, 4:60:2] = 255
    assert not is_combed(picture)


def test_reading_and_check_say_so(tmp_path):
    save(tmp_path / "swapped.png", deep(SCENES[0]).byteswap())
    save(tmp_path / "combed.png", interlaced(texture()))
    save(tmp_path / "good.png", deep(SCENES[1]))
    with gathering() as notes:
        for path in sorted(tmp_path.iterdir()):
            read(path)
    assert notes.counted().keys() == {SWAPPED, COMBED}
    assert any("swapped.png" in line for line in notes.lines())
    found = examine(tmp_path)
    said = {one.kind: one.items[0].split(":")[0] for one in found.findings if one.kind != "stretched"}
    assert said["swapped bytes"] == "swapped.png"
    assert said["combed"] == "combed.png"
    assert not found.is_healthy

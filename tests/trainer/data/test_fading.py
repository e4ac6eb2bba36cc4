"""Borders that resampling faded, against scenes resampled with and without zeros beyond the frame."""

import numpy as np
import pytest

pytest.importorskip("torch")

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage as ndi

from pointmask.io.images.array import encode_png
from pointmask.io.images.open import open_source
from pointmask.io.notes import gathering
from pointmask_trainer.data.cleaning.fading import FADED, unfaded
from pointmask_trainer.data.split import load_split
from pointmask_trainer.inference.frames import read_frames


def scene(shape=(64, 80), seed=0):
    clouds = ndi.gaussian_filter(np.random.default_rng(seed).normal(0, 1, shape), 6)
    return 120 + 40 * clouds / clouds.std() / 3


def shifted(image, *, mode, by=(0.5, 0.5)):
    return ndi.shift(image, by, order=1, mode="grid-constant" if mode == "zeros" else "nearest")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
@pytest.mark.parametrize("by", [(0.5, 0.5), (-0.5, 0.4), (0.0, -0.3), (0.6, 0.0)])
def test_a_faded_border_gets_what_resampling_without_zeros_gives(dtype, by):
    gain = 200.0 if dtype == np.uint16 else 1.0
    clean = scene() * gain
    faded = shifted(clean, mode="zeros", by=by)
    faded = (faded if dtype == np.float32 else np.rint(faded)).astype(dtype)
    before = faded.copy()
    result = unfaded(faded)
    np.testing.assert_array_equal(faded, before)
    assert result.dtype == dtype
    expected = shifted(clean, mode="nearest", by=by)
    assert np.abs(result - expected).max() < 0.04 * expected.max()
    assert np.abs(faded - expected).max() > 0.2 * expected.max()  # what there was to mend


@pytest.mark.parametrize("side", range(4))
def test_every_side_alike(side):
    faded = shifted(scene((70, 70)), mode="zeros", by=(0.5, 0.0)).round().astype(np.uint8)
    turned = np.rot90(faded, side)
    np.testing.assert_array_equal(unfaded(turned), np.rot90(unfaded(faded), side))


def test_scenes_that_darken_by_themselves_stay_the_same_object():
    rows = np.linspace(0.2, 1, 64)[:, None]
    sky = (scene() * rows).astype(np.uint8)  # a gradient over all rows
    black = np.zeros((64, 80), np.uint8)
    noise = np.random.default_rng(1).integers(0, 255, (64, 80)).astype(np.uint8)
    uneven = scene().astype(np.uint8)
    uneven[0, ::2] //= 4  # half of a line
    tiny = np.full((8, 80), 9, np.uint8)
    unknown = np.full((64, 80), np.nan, np.float32)
    for image in (scene().astype(np.uint8), sky, black, noise, uneven, tiny, unknown):
        assert unfaded(image) is image


def test_a_target_at_the_border_comes_back():
    clean = scene()
    clean[0:3, 40:43] += 40
    faded = shifted(clean, mode="zeros", by=(0.5, 0.0)).round().astype(np.uint8)
    result = unfaded(faded).astype(float)
    assert faded[0, 41] < faded[0:8].mean()
    assert result[0, 41] > result[0, :30].max() + 25


@given(
    st.sampled_from([np.uint8, np.uint16, np.int32, np.float32, np.float64]).flatmap(
        lambda dtype: arrays(dtype, (17, 19))
    )
)
def test_anything_else_keeps_shape_and_dtype(image):
    result = unfaded(image)
    assert (result.shape, result.dtype) == (image.shape, image.dtype)
    np.testing.assert_array_equal(result[3:-3, 3:-3], image[3:-3, 3:-3])


def test_trainings_and_predictions_see_the_same_frame_and_say_so(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    faded = shifted(scene(), mode="zeros").round().astype(np.uint8)
    (folder / "a.png").write_bytes(encode_png(faded))
    said = []
    trained = load_split("train", ["a"], {"a": folder / "a.png"}, None, say=said.append).images.stored(0)
    assert any(line.startswith(FADED) and line.endswith("(a)") for line in said)
    with gathering() as notes:
        (frame,) = read_frames(open_source(folder), ["a.png"], iter(()), lambda frame: False)
    np.testing.assert_array_equal(frame.pixels, trained)
    assert any(line.startswith(FADED) for line in notes.lines())
    assert trained[0].mean() > 1.5 * faded[0].mean()

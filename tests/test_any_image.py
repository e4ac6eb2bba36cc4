"""What Python takes as an image: the same as the command line, with the same masks."""

import json

import numpy as np
import pytest
from PIL import Image

import pointmask
from pointmask.errors import ImageError
from pointmask.io.images.array import any_image, read

SCENE = pointmask.make_scene("sky", seed=4)
POINTS = SCENE.points or ((40, 40),)


def masks_of(image):
    return pointmask.annotate(image, POINTS, polarity="auto").mask


@pytest.mark.parametrize("bands", [1, 2, 3, 4])
def test_equal_bands_are_one_and_alpha_is_ignored(bands):
    stacked = np.stack([SCENE.image] * bands, axis=-1)
    if bands in (2, 4):
        stacked[..., -1] = 7
    np.testing.assert_array_equal(any_image(stacked), SCENE.image)
    np.testing.assert_array_equal(masks_of(stacked), masks_of(SCENE.image))


def test_an_array_and_its_file_are_the_same_image(tmp_path):
    rng = np.random.default_rng(0)
    colours = np.clip(SCENE.image[..., None] + rng.integers(-9, 9, (*SCENE.image.shape, 3)), 0, 255)
    colours = colours.astype(np.uint8)
    path = tmp_path / "a.png"
    Image.fromarray(colours).save(path)
    np.testing.assert_array_equal(any_image(colours), read(path))
    for given in (path, str(path), colours):
        np.testing.assert_array_equal(masks_of(given), masks_of(read(path)))
    places = [[(p.row, p.col) for p in pointmask.propose(given)] for given in (path, colours)]
    assert places[0] == places[1]
    assert pointmask.Clicker(path).masks.shape == pointmask.Clicker(colours).masks.shape


def test_stacks_are_refused_and_what_is_missing_is_named(tmp_path):
    with pytest.raises(ImageError, match="1 to 4"):
        pointmask.annotate(np.zeros((64, 64, 5)), [(3, 3)])
    with pytest.raises(ImageError, match="one band"):
        pointmask.annotate(np.zeros((2, 64, 64, 3)), [(3, 3)])
    with pytest.raises(ImageError, match=r"gone\.png"):
        pointmask.annotate(tmp_path / "gone.png", [(3, 3)])


def test_rows_are_plain_and_rounded_on_request():
    found = pointmask.annotate(SCENE.image, POINTS, polarity="auto")
    rows = found.rows()
    assert json.loads(json.dumps(rows)) == rows
    assert [(row["row"], row["col"], row["area"]) for row in rows] == [
        (*target.point, target.area) for target in found.targets
    ]
    assert [row["confidence"] for row in found.rows(digits=1)] == [
        round(target.confidence, 1) for target in found.targets
    ]

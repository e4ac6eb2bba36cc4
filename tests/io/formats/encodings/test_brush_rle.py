"""Label Studio's brush masks against a slow, obvious reading of their bits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tools.masks import blobs

from pointmask.io.formats.encodings import brush_rle

MASKS = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12))
SIZES = (3, 4, 8, 16)


def obvious(data):
    """All values of a stream, as Label Studio's own page reads them."""
    bits = "".join(f"{byte:08b}" for byte in data)
    place = 0

    def take(width):
        nonlocal place
        place += width
        return int(bits[place - width : place], 2)

    count, word, sizes = take(32), take(5) + 1, [take(4) + 1 for _ in range(4)]
    values = []
    while len(values) < count:
        repeated = take(1)
        length = take(sizes[take(2)]) + 1
        values += [take(word)] * length if repeated else [take(word) for _ in range(length)]
    return values


def packed(values, blocks):
    """A stream of blocks ``(repeated, length, which size)``; repeated ones take their first value."""
    bits = f"{len(values):032b}{7:05b}" + "".join(f"{size - 1:04b}" for size in SIZES)
    place = 0
    for repeated, length, size in blocks:
        written = values[place : place + (1 if repeated else length)]
        bits += f"{repeated:b}{size:02b}{length - 1:0{SIZES[size]}b}" + "".join(f"{v:08b}" for v in written)
        place += length
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def full(found, shape):
    mask = np.zeros(shape, np.bool_)
    if found is not None:
        row, col, pixels = found
        mask[row : row + pixels.shape[0], col : col + pixels.shape[1]] = pixels
    return mask


@settings(deadline=None)
@given(mask=MASKS | blobs().map(lambda drawn: drawn[0]))
def test_a_mask_is_four_equal_bands_and_comes_back(mask):
    data = brush_rle.encode(mask, 0, 0, mask.shape)
    assert obvious(data) == np.repeat(mask.ravel() * 255, 4).tolist()
    np.testing.assert_array_equal(full(brush_rle.decode(data, mask.shape), mask.shape), mask)


@given(mask=MASKS, row=st.integers(0, 3), col=st.integers(0, 3))
def test_a_crop_is_the_whole_image_with_nothing_around_it(mask, row, col):
    shape = (mask.shape[0] + 5, mask.shape[1] + col)  # at times up to the right border
    whole = np.zeros(shape, np.bool_)
    whole[row : row + mask.shape[0], col : col + mask.shape[1]] = mask
    assert brush_rle.encode(mask, row, col, shape) == brush_rle.encode(whole, 0, 0, shape)


@settings(deadline=None)
@given(mask=MASKS, soft=st.booleans(), data=st.data())
def test_blocks_of_any_kind_are_read(mask, soft, data):
    """The page writes single values where strokes have soft edges; alpha is the last of four bands."""
    alpha = np.where(mask, data.draw(st.integers(150, 255)), data.draw(st.integers(0, 70)) if soft else 0)
    values = np.stack([np.full_like(alpha, 9), alpha // 2, 0 * alpha, alpha], axis=-1).ravel().tolist()
    blocks, place = [], 0
    while place < len(values):
        size = data.draw(st.integers(0, 3))
        length = min(1 << SIZES[size], data.draw(st.integers(1, 20)), len(values) - place)
        repeated = len(set(values[place : place + length])) == 1 and data.draw(st.booleans())
        blocks.append((repeated, length, size))
        place += length
    found = brush_rle.decode(packed(values, blocks), mask.shape)
    np.testing.assert_array_equal(full(found, mask.shape), mask if mask.any() else alpha > alpha.max() / 2)


def test_a_long_run_takes_many_blocks():
    shape = (300, 301)
    mask = np.ones(shape, np.bool_)
    data = brush_rle.encode(mask, 0, 0, shape)
    assert len(data) < 30
    assert obvious(data) == [255] * (300 * 301 * 4)
    np.testing.assert_array_equal(full(brush_rle.decode(data, shape), shape), mask)


def test_the_crop_is_bounded_by_the_rows_of_the_mask():
    mask = np.zeros((1000, 1000), np.bool_)
    mask[500, 7] = True
    row, _, pixels = brush_rle.decode(brush_rle.encode(mask, 0, 0, mask.shape), mask.shape)
    assert row == 500
    assert pixels.shape[0] == 1


@pytest.mark.parametrize(
    ("change", "shape", "words"),
    [
        (lambda data: data[:-2], (3, 5), "cut short after"),
        (lambda data: data, (5, 4), "holds 60 values, but 4 x 5 pixels have 80"),
        (lambda data: b"", (3, 5), "cut short after 0 bytes"),
        (lambda data: data[:7] + b"\xff" * 9, (3, 5), "runs past its 60 values"),
        (lambda data: data, (-3, -5), "-5 x -3 pixels"),
        (lambda data: data, (10**5, 10**5), "brush masks hold 1 to 268,435,456"),
    ],
)
def test_damage_is_told(change, shape, words):
    data = brush_rle.encode(np.eye(3, 5, dtype=np.bool_), 0, 0, (3, 5))
    with pytest.raises(ValueError, match=words):
        brush_rle.decode(change(data), shape)


def test_an_image_that_is_too_large_is_refused():
    with pytest.raises(ValueError, match="brush masks hold 1 to"):
        brush_rle.encode(np.ones((1, 1), np.bool_), 0, 0, (2**15, 2**15))

"""What a mask file means: 0 and 1, numbered targets, soft edges, grey pictures, other sizes, no data."""

import io

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from PIL import Image
from tools.images import npy_bytes, tiff_bytes

from pointmask.cli import main
from pointmask.errors import ImageError, PointsError
from pointmask.io.formats import read_points
from pointmask.io.formats.folders.masks import Masks
from pointmask.io.images import array as images
from pointmask.io.images.masks import fitted, targets_of, truth_of
from pointmask.io.notes import gathering
from pointmask.synth.scenes import make_scenes


def spots(*places, shape=(40, 60)):
    mask = np.zeros(shape, np.uint8)
    for number, (row, col) in enumerate(places, 1):
        mask[row : row + 3, col : col + 3] = number
    return mask


THREE = spots((2, 2), (10, 20), (30, 50))


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "i4", "i8", "u4", "f4", "f8"])
@pytest.mark.parametrize("mask", [THREE > 0, THREE, spots((2, 2), (2, 5)), spots((1, 1))], ids=str)
def test_zero_and_one_and_numbers_are_truth_above_0(dtype, mask):
    with gathering() as notes:
        found = images.read_mask(npy_bytes(mask.astype(dtype)), "m.npy")
    assert_array_equal(found, mask > 0)
    assert len(notes.lines()) == (not (dtype[0] == "f" and mask.max() == 1))


def test_two_hundred_numbers_in_8_bits_are_numbers_not_grey_values():
    mask = np.zeros((200, 200), np.uint8)
    for number in range(200):
        mask[
            4 + 9 * (number // 20) : 6 + 9 * (number // 20), 4 + 9 * (number % 20) : 7 + 9 * (number % 20)
        ] = number + 1
    assert_array_equal(truth_of(mask, "m"), mask > 0)
    labels, count = targets_of(mask, "m")
    assert count == 200
    assert len(np.unique(labels)) == 201


def test_targets_that_touch_stay_apart_where_they_are_numbered(tmp_path):
    (tmp_path / "a.png").write_bytes(images.encode_png(spots((2, 2), (2, 5), (20, 20))))
    points = read_points(tmp_path, simulate="centroid")
    assert [(p.row, p.col) for p in points.by_image["a.png"]] == [(3, 3), (3, 6), (21, 21)]
    (image,) = Masks().read_masks(tmp_path, {})
    assert len(image.targets) == 3
    (tmp_path / "a.png").write_bytes(images.encode_png(spots((2, 2), (2, 5), (20, 20)) > 0))
    assert len(read_points(tmp_path, simulate="centroid").by_image["a.png"]) == 2


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_numbers_are_read_as_their_truth_whatever_their_order(data):
    places = data.draw(st.sets(st.tuples(st.integers(0, 4), st.integers(0, 6)), min_size=1, max_size=12))
    numbers = data.draw(st.permutations(range(1, len(places) + 1)))
    mask = np.zeros((40, 56), data.draw(st.sampled_from([np.uint8, np.uint16, np.int32, np.float64])))
    for number, (row, col) in zip(numbers, places, strict=True):
        mask[8 * row : 8 * row + 4, 8 * col : 8 * col + 4] = number
    labels, count = targets_of(mask, "m")
    assert count == len(places)
    assert_array_equal(labels > 0, mask > 0)
    assert_array_equal(truth_of(mask, "m"), mask > 0)


@pytest.mark.parametrize(
    "mask", [THREE * 40, (THREE > 0) * np.uint8(100), (THREE > 0) * np.uint8(5), (THREE > 0) * np.uint16(255)]
)
def test_numbers_that_may_mean_either_are_refused_with_the_largest(mask):
    with pytest.raises(ImageError, match=rf"m: its largest value is {mask.max()}, .*--fix"):
        truth_of(mask, "m")


def test_soft_edges_and_jpeg_are_no_pictures():
    mask = np.zeros((120, 160), np.uint8)
    mask[40:46, 50:57] = 255
    edged = mask.copy()
    edged[39, 50:57], edged[46, 50:57], edged[40:46, 49] = range(10, 17), range(90, 97), range(120, 126)
    assert_array_equal(truth_of(edged, "m"), mask > 0)
    file = io.BytesIO()
    Image.fromarray(mask).save(file, "JPEG", quality=60)
    found = images.read_mask(file.getvalue(), "m.jpg")
    assert np.count_nonzero(found != (mask > 0)) < 6
    soft = np.zeros((120, 160), np.uint16)
    rows, cols = np.ogrid[:120, :160]
    soft[:] = 65535 * np.exp(-((rows - 50) ** 2 + (cols - 70) ** 2) / 40)
    assert truth_of(soft, "soft").sum() > 20


def test_pictures_are_no_masks_whatever_their_type():
    for scene in make_scenes(8):
        for picture in (scene.image, scene.image.astype(np.uint16) * 200, scene.image / np.float32(255)):
            with pytest.raises(ImageError, match=r"a\.png: it is not binary: .*grey levels"):
                truth_of(picture, "a.png")


def test_scenes_masks_are_read_as_ever():
    for scene in make_scenes(8):
        for mask in (scene.mask, scene.mask * np.uint8(255), scene.mask * np.uint8(1)):
            assert_array_equal(images.read_mask(npy_bytes(mask), "m"), scene.mask)


def test_a_folder_of_pictures_is_refused_and_a_single_one_rejected(tmp_path):
    scenes = list(make_scenes(2))
    for scene, name in zip(scenes, "ab", strict=True):
        (tmp_path / f"{name}.png").write_bytes(images.encode_png(scene.image))
    for said in ({"simulate": "centroid"}, {"format": "point_images"}):
        with pytest.raises(PointsError, match=r"none of its 2 files.*not binary"):
            read_points(tmp_path, **said)
    (tmp_path / "a.png").write_bytes(images.encode_png(scenes[0].mask))
    points = read_points(tmp_path, simulate="centroid")
    assert list(points.by_image) == ["a.png"]
    assert "not binary" in points.rejected["b.png"]


def test_each_file_of_a_mixed_folder_is_read_for_itself(tmp_path):
    for name, mask in (("a", THREE > 0), ("b", (THREE > 0).astype(np.uint8)), ("c", THREE)):
        (tmp_path / f"{name}.png").write_bytes(images.encode_png(mask))
    with gathering() as notes:
        points = read_points(tmp_path, simulate="centroid")
    assert {tuple((p.row, p.col) for p in one) for one in points.by_image.values()} == {
        ((3, 3), (11, 21), (31, 51))
    }
    assert sum("truth is above 0" in line for line in (*points.notes, *notes.lines())) == 1


def test_masks_and_clicks_of_another_size_are_scaled_or_their_image_skipped(tmp_path):
    image = np.full((80, 120), 50, np.uint8)
    image[41:46, 61:66] = 230
    for folder in ("images", "masks", "clicks", "cut"):
        (tmp_path / folder).mkdir()
    (tmp_path / "images" / "a.png").write_bytes(images.encode_png(image))
    small = (image > 100)[::2, ::2]
    (tmp_path / "masks" / "a.png").write_bytes(images.encode_png(small))
    click = np.zeros_like(small)
    click[21, 31] = True
    (tmp_path / "clicks" / "a.png").write_bytes(images.encode_png(click))
    (tmp_path / "cut" / "a.png").write_bytes(images.encode_png((image > 100)[:70]))

    def run(points, *more):
        out = tmp_path / f"out_{points}"
        line = ["annotate", str(tmp_path / "images"), "--points", str(tmp_path / points), "--out", str(out)]
        return out, CliRunner().invoke(main, [*line, *more])

    for points, more in (("masks", ["--simulate", "centroid"]), ("clicks", [])):
        out, result = run(points, *more)
        assert result.exit_code == 0, result.output
        assert_array_equal(images.read_mask(out / "masks" / "a.png")[42:45, 62:65], True)
    out, result = run("cut", "--simulate", "centroid")
    assert result.exit_code == 3
    assert "120 x 70" in result.output
    assert not (out / "masks" / "a.png").exists()


def test_truth_of_another_size_is_scaled_or_refused():
    mask = np.zeros((20, 30), bool)
    mask[5:8, 10:14] = True
    with gathering() as notes:
        assert_array_equal(fitted(mask, (40, 60), "m"), np.repeat(np.repeat(mask, 2, 0), 2, 1))
    assert "scaled" in notes.lines()[0]
    for shape, word in (
        ((30, 20), "turned"),
        ((40, 30), "cropped"),
        ((10, 30), "padded"),
        ((10, 40), "foreign"),
    ):
        with pytest.raises(ImageError, match=rf"m: it has 30 x 20 pixels.*{word}.*export it again"):
            fitted(mask, shape, "m")


def test_what_a_mask_marks_as_no_data_is_no_target():
    mask = (THREE > 0).astype(np.uint8)
    mask[35:] = 255
    found = images.read_mask(tiff_bytes(mask, extratags=[(42113, 2, 4, "255", True)]))
    assert_array_equal(found, (mask == 1))
    alone = (THREE > 0) * np.uint8(255)  # the mark is the target itself
    assert_array_equal(images.read_mask(tiff_bytes(alone, extratags=[(42113, 2, 4, "255", True)])), alone > 0)


def test_numbered_masks_of_an_image_are_what_bench_convert_and_check_read(tmp_path):
    scenes = list(make_scenes(2))
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for scene, name in zip(scenes, "ab", strict=True):
        (tmp_path / "images" / f"{name}.png").write_bytes(images.encode_png(scene.image))
        (tmp_path / "masks" / f"{name}.png").write_bytes(images.encode_png(scene.mask.astype(np.uint8)))
    result = CliRunner().invoke(
        main,
        ["convert", str(tmp_path / "masks"), str(tmp_path / "c.json"), "--from", "masks", "--to", "coco"],
    )
    assert result.exit_code == 0, result.output
    assert (tmp_path / "c.json").read_text().count('"area"') == sum(len(scene.points) for scene in scenes)
    line = [
        "check",
        str(tmp_path / "images"),
        "--masks",
        str(tmp_path / "masks"),
        "--fix",
        str(tmp_path / "fixed"),
    ]
    result = CliRunner().invoke(main, line)
    assert result.exit_code == 3
    for scene, name in zip(scenes, "ab", strict=True):
        stored = np.asarray(Image.open(tmp_path / "fixed" / "masks" / f"{name}.png"))
        assert_array_equal(stored, scene.mask * np.uint8(255))

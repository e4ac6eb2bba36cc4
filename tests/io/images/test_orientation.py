"""Pictures that are stored turned: read upright, in every format that says so. Colours are said once."""

import io
import struct

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.testing import assert_array_equal
from PIL import Image, ImageOps
from tools.images import chunk, tiff_bytes

from pointmask.cli import main
from pointmask.folder.job import annotate_folder
from pointmask.io.formats import read_points
from pointmask.io.images import array as images
from pointmask.io.images.codecs import orientation_of, upright
from pointmask.io.notes import gathering

EIGHT = range(1, 9)
PICTURE = (np.arange(48 * 64).reshape(48, 64) % 251).astype(np.uint8)


def exif(value, kind=3):
    """Exif data of one entry: the orientation, a SHORT unless said otherwise."""
    return b"Exif\0\0II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIHH", 0x112, kind, 1, value, 0) + b"\0\0\0\0"


def expected(picture, value):
    turned = Image.fromarray(picture)
    turned.getexif()[0x112] = value
    return np.asarray(ImageOps.exif_transpose(turned))


def stored(picture, suffix, value):
    file = io.BytesIO()
    if suffix == "tif":
        return tiff_bytes(picture, extratags=[(274, 3, 1, value, True)])
    if suffix == "late.png":  # behind the picture, as some cameras' programs write it
        Image.fromarray(picture).save(file, "PNG")
        data = file.getvalue()
        return data[:-12] + chunk(b"eXIf", exif(value)[6:]) + data[-12:]
    options = {"png": {}, "webp": {"lossless": True}, "jpg": {"quality": 100}}[suffix]
    Image.fromarray(picture).save(
        file, {"jpg": "JPEG"}.get(suffix, suffix.upper()), exif=exif(value), **options
    )
    return file.getvalue()


@pytest.mark.parametrize("suffix", ["png", "late.png", "webp", "tif", "jpg"])
@pytest.mark.parametrize("value", EIGHT)
def test_all_eight_ways_are_turned_upright(suffix, value, tmp_path):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(stored(PICTURE, suffix, value))
    with gathering() as notes, images.open_image(path) as file:
        found, shape = file.decode(), file.shape()
    assert shape == found.shape
    want = expected(PICTURE, value)
    assert_array_equal(np.abs(found.astype(int) - want) <= (2 if suffix == "jpg" else 0), True)
    assert found.flags.c_contiguous
    assert len(notes.lines()) == (value != 1)
    assert value == 1 or "turned upright" in notes.lines()[0]


@pytest.mark.parametrize("value", EIGHT)
def test_colour_masks_and_frames_are_turned_too(value):
    colour = np.dstack([PICTURE, PICTURE[::-1], PICTURE[:, ::-1]])
    turned = images.decode(
        tiff_bytes(colour, photometric="rgb", extratags=[(274, 3, 1, value, True)]), "a.tif"
    )
    plain = images.decode(tiff_bytes(colour, photometric="rgb"), "a.tif")
    assert_array_equal(turned, upright(plain, value))
    mask = np.zeros((48, 64), bool)
    mask[3:6, 40:44] = True
    found = images.read_mask(stored(mask.astype(np.uint8) * 255, "png", value))
    assert_array_equal(found, upright(mask, value))


@pytest.mark.parametrize(
    "data",
    [exif(0), exif(9), exif(65535), exif(6, kind=2), exif(6)[:20], b"Exif\0\0", b"\xff" * 40, exif(6)[:-9]],
)
def test_damaged_metadata_cost_nothing(data):
    file = io.BytesIO()
    Image.fromarray(PICTURE).save(file, "PNG", exif=data)
    assert_array_equal(images.decode(file.getvalue(), "a.png"), PICTURE)


def test_values_that_are_no_orientation_are_upright():
    assert [orientation_of(value) for value in (None, "6", 6.0, (6, 6), -1, 0, 9, b"6")] == [1] * 8


def test_a_job_clicks_on_the_targets_that_annotation_tools_show(tmp_path):
    shown = np.full((64, 48), 40, np.uint8)
    shown[50:53, 8:11] = 220
    (tmp_path / "images").mkdir()
    Image.fromarray(np.rot90(shown)).save(tmp_path / "images" / "a.png", exif=exif(6))
    assert_array_equal(images.read(tmp_path / "images" / "a.png"), shown)
    (tmp_path / "p.csv").write_text("image,x,y\na.png,9,51\n")
    result = CliRunner().invoke(
        main,
        [
            "annotate",
            str(tmp_path / "images"),
            "--points",
            str(tmp_path / "p.csv"),
            "--out",
            str(tmp_path / "o"),
        ],
    )
    assert result.exit_code == 0, result.output
    assert result.output.count("turned upright") == 1
    mask = images.read_mask(tmp_path / "o" / "masks" / "a.png")
    assert mask.shape == (64, 48)
    assert mask[51, 9]
    assert mask.sum() < 30


@pytest.mark.parametrize("threads", [1, 2])
def test_a_job_returns_what_was_turned(tmp_path, threads):
    (tmp_path / "images").mkdir()
    rows = ["image,x,y"]
    for k in range(20):
        Image.fromarray(PICTURE).save(tmp_path / "images" / f"{k}.png", exif=exif(6))
        rows.append(f"{k}.png,9,9")
    (tmp_path / "p.csv").write_text("\n".join(rows))
    with gathering() as outer:
        done = annotate_folder(tmp_path / "images", tmp_path / "p.csv", tmp_path / "o", threads=threads)
    (line,) = done.notes
    assert "turned upright" in line
    assert "20 times" in line
    assert not outer.lines()  # each is said once


def test_point_images_are_turned_like_their_images(tmp_path):
    clicks = np.zeros((20, 30), np.uint8)
    clicks[4, 25] = 255
    (tmp_path / "clicks").mkdir()
    (tmp_path / "clicks" / "a.png").write_bytes(stored(clicks, "png", 3))
    ((point,),) = read_points(tmp_path / "clicks").by_image.values()
    assert (point.row, point.col) == (15, 4)


@pytest.mark.parametrize("kind", ["basicirstd", "pal"])
def test_training_folders_hold_what_is_upright_when_it_is_read(kind, tmp_path):
    shown = np.full((32, 24), 40, np.uint8)
    shown[20:23, 8:11] = 220
    (tmp_path / "images").mkdir()
    Image.fromarray(np.rot90(shown)).save(tmp_path / "images" / "a.png", exif=exif(6))
    Image.fromarray(np.rot90(shown)).save(tmp_path / "images" / "b.tif", tiffinfo={274: 6})
    for copy in ([], ["--copy"]):
        out = tmp_path / f"o{len(copy)}"
        (tmp_path / "m").mkdir(exist_ok=True)
        for name in "ab":
            (tmp_path / "m" / f"{name}.png").write_bytes(images.encode_png(shown > 128))
        result = CliRunner().invoke(
            main,
            [
                *("convert", str(tmp_path / "m"), str(out), "--from", "masks", "--to", kind),
                *("--images", str(tmp_path / "images"), *copy),
            ],
        )
        assert result.exit_code == 0, result.output
        written = [path for path in out.rglob("*.png") if path.parent.name in ("img", "images")]
        assert len(written) == 2
        for path in written:
            assert_array_equal(images.read(path), shown)


@pytest.mark.parametrize(("spread", "is_told"), [(0, False), (4, False), (90, True)])
def test_frames_in_colours_are_told(tmp_path, spread, is_told):
    grey = np.random.default_rng(3).integers(60, 140, (40, 50))
    colours = np.stack([grey, grey + spread, grey - spread // 2], axis=2).astype(np.uint8)
    Image.fromarray(colours).save(tmp_path / "a.png")
    with gathering() as notes:
        images.read(tmp_path / "a.png")
    assert len(notes.lines()) == is_told
    assert all("coloured frames" in line and "a.png" in line for line in notes.lines())

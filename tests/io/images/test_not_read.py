"""What is not read is named, with the way round."""

import io
import struct

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from tools.images import noise, npy_bytes, pgm, pillow_bytes, tiff_bytes

from pointmask.cli import main
from pointmask.errors import ImageError
from pointmask.io.images import array as images
from pointmask.io.images.open import open_source


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"GIF89a", "GIF.*convert"),
        (b"\0\0\0\x18ftypheic", "HEIC.*heif-convert"),
        (bytes(128) + b"DICM", "DICOM.*convert"),
        (b"\x89HDF\r\n\x1a\n", "HDF5.*numpy.save"),
        (b"FFF\0", "FLIR.*export"),
        (b"8BPS", "picture editor.*export"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS.*git lfs pull"),
        (b"<!DOCTYPE html><html>", "web page.*download"),
        (b"v/1\x01", "OpenEXR.*oiiotool"),
        (b"NITF02.10", "NITF.*gdal_translate"),
        (b"\x1f\x8b\x08", "gzip.*gunzip"),
        (b"#?RADIANCE\n", "Radiance.*oiiotool"),
    ],
)
def test_what_is_not_read_is_named_with_the_way_round(head, words):
    with pytest.raises(ImageError, match=r"^x\.png: this looks like .*it is not read here: .*"):
        images.decode(head + bytes(300), "x.png")
    with pytest.raises(ImageError, match=words):
        images.decode(head + bytes(300), "x.png")


def test_a_place_without_image_is_named_by_check_and_jobs(tmp_path):
    (tmp_path / "images").mkdir()
    for name in ("a.gif", "b.gif", "c.dcm", "d.txt"):
        (tmp_path / "images" / name).write_bytes(b"x")
    (tmp_path / "p.csv").write_text("image,x,y\na,3,4\n")
    result = CliRunner().invoke(main, ["check", str(tmp_path / "images")])
    assert result.exit_code == 3
    assert "PROBLEM" in result.output
    assert "2 .gif, 1 .dcm, 1 .txt" in result.output
    line = [
        "annotate",
        str(tmp_path / "images"),
        "--points",
        str(tmp_path / "p.csv"),
        "--out",
        str(tmp_path / "o"),
    ]
    result = CliRunner().invoke(main, line)
    assert result.exit_code == 2
    assert "holds no image that is read here, but 2 .gif" in result.output
    assert "DICOM" in result.output
    (tmp_path / "images" / "e.png").write_bytes(images.encode_png(noise((30, 30))))
    result = CliRunner().invoke(main, line)
    assert result.exit_code == 3
    assert "a.gif is there, but this looks like a GIF" in result.output


def test_an_empty_folder_is_a_problem(tmp_path):
    result = CliRunner().invoke(main, ["check", str(tmp_path)])
    assert result.exit_code == 3
    assert "no other file" in result.output


def test_the_header_of_another_program_leads_to_raw():
    with pytest.raises(ImageError, match=r"a\.hdr: .*not ENVI's.*--raw"):
        images.decode(struct.pack("<3I", 348, 0, 0) * 40, "a.hdr")


def test_shapes_are_told_from_headers_as_from_pixels():
    for data, name in (
        (npy_bytes(noise((3, 7, 9))), "a.npy"),
        (npy_bytes(noise((7, 9, 3))), "b.npy"),
        (tiff_bytes(noise((7, 9))), "c.tif"),
        (pillow_bytes(Image.fromarray(noise((7, 9))), "BMP"), "d.bmp"),
        (pgm(noise((7, 9))), "e.pgm"),
    ):
        with images.ImageFile(io.BytesIO(data), name) as file:
            assert file.shape() == file.decode().shape == (7, 9)


def test_matrices_as_text_are_told_how_to_be_saved(tmp_path):
    np.savetxt(tmp_path / "a.csv", noise((20, 20)), delimiter=",")
    said = open_source(tmp_path).why_no_image()
    assert "holds no image that is read here, but 1 .csv: if they are matrices of numbers" in said
    assert "numpy.save('a.npy', numpy.loadtxt('a.csv', delimiter=','))" in said
    (tmp_path / "a.csv").rename(tmp_path / "a.xyz")
    assert "of numbers" not in open_source(tmp_path).why_no_image()

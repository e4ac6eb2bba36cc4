"""Images beyond PNG and TIFF: PGM, WebP, JPEG 2000, FITS, ENVI, MATLAB files and videos; no bit lost."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from PIL import Image
from scipy.io import savemat
from tools.images import assert_same_image, noise, pgm, pillow_bytes, tiff_bytes

from pointmask.errors import ImageError
from pointmask.io.images import array as images
from pointmask.io.images.codecs.raw import RawFormat
from pointmask.io.images.kinds import RAW_SUFFIXES, SUFFIXES, VIDEO_SUFFIXES, Reading, images_among, listed
from pointmask.io.images.open import open_source
from pointmask.io.notes import gathering

# PGM and its family


@given(height=st.integers(1, 9), width=st.integers(1, 9), top=st.integers(1, 65535), seed=st.integers(0, 99))
@settings(max_examples=80, deadline=None)
def test_every_depth_of_pgm_makes_the_round_trip(height, width, top, seed):
    rng = np.random.default_rng(seed)
    array = rng.integers(0, top, (height, width), endpoint=True).astype(np.uint16 if top > 255 else np.uint8)
    assert_same_image(images.decode(pgm(array, top), "a.pgm"), array)
    words = " ".join(map(str, array.ravel()))
    text = f"P2 # of a program\n{width} {height} {top}\n{words}\n".encode()
    assert_same_image(images.decode(text, "a.pgm"), array)


def test_pgm_of_pillow_and_of_deep_colour():
    for array in (noise((7, 9)), noise((7, 9), "u2")):
        assert_same_image(images.decode(pillow_bytes(Image.fromarray(array), "PPM"), "a.pgm"), array)
    deep = noise((4, 5, 3), "u2")
    assert_array_equal(_bands(pgm(deep, kind=b"P6")), deep)


def _bands(data):
    return images.ImageFile(io.BytesIO(data), "a.ppm").bands()


def test_bits_and_floats_of_the_family():
    bits = noise((5, 13)) > 128
    assert_array_equal(
        images.decode(pillow_bytes(Image.fromarray(bits), "PPM"), "a.pbm"), bits * np.uint8(255)
    )
    written = b"P1\n3 2\n1 0 1\n0 1 0\n"
    assert_array_equal(images.decode(written, "a.pbm"), [[0, 255, 0], [255, 0, 255]])
    floats = noise((3, 4), "f4")
    for scale, order in ((-1.0, "<f4"), (1.0, ">f4")):
        data = f"Pf\n4 3\n{scale}\n".encode() + floats[::-1].astype(order).tobytes()
        assert_same_image(images.decode(data, "a.pfm"), floats)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"P5\n3 2\n255\n\0\0\0", "truncated: 3 bytes"),
        (b"P5\n0 2\n255\n", "0 x 2 pixels"),
        (b"P5\n3 2\n70000\n" + bytes(12), "largest value is 70000"),
        (b"P5\n3 2\n9\n" + bytes([1, 2, 3, 4, 5, 10]), "holds 10.*9 is the largest"),
        (b"P5\n99999 99999\n255\n", "limit"),
        (b"P2\n3 2\n255\n1 2 3 4 5", "too few|truncated"),
        (b"P2\n3 2\n255\n1 2 3 4 5 x", "other words"),
        (b"P1\n3 2\n101010x", "bits|words"),
        (b"P5\n3", "gives no height"),
        (b"Pf\n3 2\n0\n" + bytes(24), "scale is 0"),
    ],
)
def test_damaged_pgm_says_what_is_wrong(data, words):
    with pytest.raises(ImageError, match=rf"^a\.pgm: .*({words})"):
        images.decode(data if b"101010x" not in data else data.replace(b"101010x", b"10101x"), "a.pgm")


# WebP and JPEG 2000


def test_webp_and_jpeg_2000_keep_every_bit():
    grey, deep, colour = noise((9, 12)), noise((9, 12), "u2"), noise((9, 12, 3))
    assert_same_image(
        images.decode(pillow_bytes(Image.fromarray(grey), "WEBP", lossless=True), "a.webp"), grey
    )
    assert_array_equal(_bands(pillow_bytes(Image.fromarray(colour), "WEBP", lossless=True)), colour)
    for array in (grey, deep):
        for suffix in ("jp2", "j2k"):
            data = pillow_bytes(Image.fromarray(array), "JPEG2000", no_jp2=suffix == "j2k")
            assert_same_image(images.decode(data, f"a.{suffix}"), array)
    assert_array_equal(_bands(pillow_bytes(Image.fromarray(colour), "JPEG2000")), colour)


def test_what_pillow_would_cut_or_pass_over_is_refused():
    frames = [Image.fromarray(noise((9, 12), seed=k)) for k in range(3)]
    moving = pillow_bytes(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    with pytest.raises(ImageError, match=r"a\.webp: it is an animated WebP of 3 pictures; save each"):
        images.decode(moving, "a.webp")
    data = bytearray(pillow_bytes(Image.fromarray(noise((9, 12, 3))), "JPEG2000", no_jp2=True))
    data[42] = 11  # 12 bits in the first band
    with pytest.raises(ImageError, match="12 bits, which would be cut"):
        images.decode(bytes(data), "a.j2k")


# FITS


def fits_bytes(*units):
    fits = pytest.importorskip("astropy.io.fits")
    file = io.BytesIO()
    fits.HDUList(list(units)).writeto(file)
    return file.getvalue()


def test_fits_of_every_type_cubes_and_extensions(tmp_path):
    fits = pytest.importorskip("astropy.io.fits")
    for dtype in ("u1", "i2", "u2", "i4", "f4", "f8"):
        array = noise((6, 8), dtype)
        assert_same_image(images.decode(fits_bytes(fits.PrimaryHDU(array)), "a.fits"), array)
    cube = noise((4, 6, 8), "u2")
    data = fits_bytes(fits.PrimaryHDU(cube))
    assert images.frame_count(data, "a.fits") == 4
    for frame in (3, 0, 2):
        assert_same_image(images.decode(data, "a.fits", frame), cube[frame])
    path = tmp_path / "b.fits"
    path.write_bytes(fits_bytes(fits.PrimaryHDU(), fits.ImageHDU(cube[0]), fits.ImageHDU(cube[1])))
    with images.open_image(path) as file:
        assert file.frames == 1
        assert file.shape() == (6, 8)
        assert_array_equal(file.decode(), cube[0])
    packed = fits_bytes(fits.PrimaryHDU(), fits.CompImageHDU(cube[2].astype("i4")))
    assert_array_equal(images.decode(packed, "c.fits"), cube[2])


def test_blank_and_scaled_fits():
    fits = pytest.importorskip("astropy.io.fits")
    array = noise((6, 8), "i2")
    array[2, 3] = -9
    unit = fits.PrimaryHDU(array)
    unit.header["BLANK"] = -9
    found = images.decode(fits_bytes(unit), "a.fits")
    assert found.dtype.kind == "f"
    assert np.isnan(found[2, 3])
    assert_array_equal(np.delete(found.ravel(), 19), np.delete(array.ravel(), 19))


def test_damaged_fits_and_those_without_image():
    fits = pytest.importorskip("astropy.io.fits")
    data = fits_bytes(fits.PrimaryHDU(noise((60, 80), "f4")))
    with pytest.raises(ImageError, match=r"^a\.fits: .*truncated"):
        images.decode(data[:5000], "a.fits")
    with pytest.raises(ImageError, match="no image of two or three axes"):
        images.decode(fits_bytes(fits.PrimaryHDU()), "a.fits")


# ENVI


def envi(folder, cube, interleave, name="scene.hdr", data="scene.img", **more):
    """A header and its data; cube is (bands, H, W)."""
    codes = {"u1": 1, "i2": 2, "i4": 3, "f4": 4, "f8": 5, "u2": 12, "u4": 13}
    order = {"bsq": (0, 1, 2), "bil": (1, 0, 2), "bip": (1, 2, 0)}[interleave]
    folder.mkdir(exist_ok=True)
    stored = cube.astype(cube.dtype.newbyteorder(">"))
    (folder / data).write_bytes(b"skip!" + np.ascontiguousarray(stored.transpose(order)).tobytes())
    lines = {
        "description": "{ of a test,\n in two lines }",
        "samples": cube.shape[2],
        "lines": cube.shape[1],
        "bands": cube.shape[0],
        "header offset": 5,
        "data type": codes[cube.dtype.str[1:]],
        "interleave": interleave.upper(),
        "byte order": 1,
        **more,
    }
    (folder / name).write_text("ENVI\r\n" + "".join(f"{key} = {value}\r\n" for key, value in lines.items()))
    return folder / name


@given(
    shape=st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 6)),
    interleave=st.sampled_from(["bsq", "bil", "bip"]),
    dtype=st.sampled_from(["u1", "i2", "i4", "f4", "f8", "u2", "u4"]),
)
@settings(max_examples=60, deadline=None)
def test_envi_makes_the_round_trip(tmp_path_factory, shape, interleave, dtype):
    cube = noise(shape, dtype)
    path = envi(tmp_path_factory.mktemp("envi"), cube, interleave)
    with images.open_image(path) as file:
        assert file.frames == shape[0]
        for band in range(shape[0]):
            assert_same_image(file.decode(band), cube[band])


def test_envi_marks_no_data_and_its_hash_is_of_both_files(tmp_path):
    cube = noise((1, 6, 8), "i2")
    cube[0, 2, 3] = -9999
    path = envi(tmp_path, cube, "bsq", data="scene.dat", **{"data ignore value": "-9999"})
    with gathering() as notes, images.open_image(path) as file:
        found, before = file.decode(), file.content
    assert np.isnan(found).sum() == 1
    assert "no data" in notes.lines()[0]
    envi(tmp_path, cube + 1, "bsq", data="scene.dat")
    with images.open_image(path) as file:
        assert file.content != before


def test_envi_errors_name_the_entry(tmp_path):
    path = envi(tmp_path, noise((2, 6, 8)), "bsq")
    (tmp_path / "scene.img").rename(tmp_path / "other.img")
    for change, words in (
        (None, "data are not beside it"),
        (("lines = 6", "lines = 60"), "truncated"),
        (("data type = 1", "data type = 6"), "data type is 6"),
        (("samples = 8", "samples = -8"), "samples = -8"),
        (("BSQ", "BSX"), "interleave"),
    ):
        if change is not None:
            envi(tmp_path, noise((2, 6, 8)), "bsq")
            path.write_text(path.read_text().replace(*change))
        with pytest.raises(ImageError, match=rf"scene\.hdr: .*{words}"), images.open_image(path) as file:
            file.decode()


def test_envi_and_matlab_are_images_of_a_folder_but_not_beside_pictures(tmp_path):
    cube = noise((2, 40, 50), "u2")
    envi(tmp_path / "envi", cube, "bil", name="a.img.hdr", data="a.img")
    source = open_source(tmp_path / "envi")
    assert source.names() == ["a.img.hdr"]
    assert source.frame_count("a.img.hdr") == 2
    with source.open("a.img.hdr") as file:
        assert_array_equal(file.decode(1), cube[1])
    names = ["a.png", "a.mat", "a.webp", "b.webp", "v.mp4", "s/c.mat", "s/d.hdr", "t/e.mkv", "t/f.pgm"]
    assert listed(names) == ["a.png", "b.webp", "s/c.mat", "s/d.hdr", "t/f.pgm"]


stems = st.sampled_from(["a", "b.png", "\u0130", ""])
endings = [*SUFFIXES, *RAW_SUFFIXES, *VIDEO_SUFFIXES, ".mat", ".hdr", ".txt", ".j2\u212a", "tiff", ""]


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b.png", "\u0130", ""]), st.sampled_from(endings), st.booleans())
    )
)
def test_images_among_files_are_those_that_are_listed(parts):
    names = [stem + (end.upper() if upper else end) for stem, end, upper in parts]
    for reading in (Reading(), Reading(raw=RawFormat.parse("8x8:u8"))):
        assert sorted(images_among(list(names), reading.accepts)) == listed(filter(reading.accepts, names))


# MATLAB


def test_matlab_frames_and_what_is_no_image(tmp_path):
    cube = noise((6, 8, 3), "u2")
    for packed in (True, False):
        file = io.BytesIO()
        savemat(file, {"X": cube, "rate": 25.0, "note": "of a test"}, do_compression=packed)
        assert images.frame_count(file.getvalue(), "a.mat") == 3
        for frame in range(3):
            assert_same_image(images.decode(file.getvalue(), "a.mat", frame), cube[..., frame])
    file = io.BytesIO()
    savemat(file, {"X": cube, "Y": cube})
    with pytest.raises(ImageError, match=r"a\.mat: it must hold one array of images.*X, Y.*-v7"):
        images.decode(file.getvalue(), "a.mat")
    with pytest.raises(ImageError, match=r"MATLAB file of version 7\.3.*-v7"):
        images.decode(b"MATLAB 7.3 MAT-file, Platform" + bytes(600), "a.mat")


# No data


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "i4", "f4", "f8"])
@pytest.mark.parametrize("mark", ["7", "7.0", " 7\n"])
def test_what_gdal_marks_as_no_data_is_nan(dtype, mark):
    array = noise((9, 12), dtype)
    array[array == 7] = 8
    array[:2] = 7
    data = tiff_bytes(array, extratags=[(42113, 2, len(mark) + 1, mark, True)])
    with gathering() as notes:
        found = images.decode(data, "a.tif")
    assert np.isnan(found[:2]).all()
    assert_array_equal(found[2:], array[2:])
    assert found.dtype == np.result_type(np.dtype(dtype), np.float32)
    assert "no data" in notes.lines()[0]


@pytest.mark.parametrize("mark", ["", "none", "nan", "300", "-1e400", "7"])
def test_marks_that_no_pixel_has_change_nothing(mark):
    array = noise((9, 12)) | np.uint8(8)
    found = images.decode(tiff_bytes(array, extratags=[(42113, 2, len(mark) + 1, mark, True)]), "a.tif")
    assert_same_image(found, array)


def test_the_lowest_float_is_met_however_many_digits_it_has():
    array = noise((9, 12), "f4")
    array[0] = np.finfo(np.float32).min
    for mark in ("-3.4028234663852886e+38", "-3.40282e+38", "-3.4028235e+38"):
        found = images.decode(tiff_bytes(array, extratags=[(42113, 2, len(mark) + 1, mark, True)]), "a.tif")
        assert np.isnan(found[0]).all() == (mark != "-3.40282e+38")

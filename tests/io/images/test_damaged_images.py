"""Damaged and foreign files: nothing but ImageError comes out, and it names the file and the fix."""

import contextlib
import io
import os
import struct
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tools.images import assert_same_image, noise, npy_bytes, pillow_bytes, png_bytes, tiff_bytes

from pointmask.errors import ImageError
from pointmask.io.images import array as images


def test_empty_and_foreign_files_name_themselves_and_the_fix():
    for data, name, words in (
        (b"", "zero.png", "empty; copy"),
        (b"hello", "note.png", "first bytes.*convert"),
        (b"GIF89a", "a.gif", "looks like a GIF.*not read here.*convert"),
        (b"hello", "a.txt", "not an image that is read here.*convert"),
    ):
        with pytest.raises(ImageError, match=rf"^{name}: .*{words}"):
            images.decode(data, name)
        with pytest.raises(ImageError, match=rf"^{name}: "):
            images.frame_count(data, name)


def test_content_counts_not_the_suffix():
    grey = noise((4, 5))
    assert_same_image(images.decode(images.encode_png(grey), "really_a_png.bmp"), grey)


def test_paths_that_cannot_be_read(tmp_path):
    for function in (images.read, images.read_mask, images.frame_count):
        with pytest.raises(ImageError, match=r"gone\.png: cannot be read \(No such file"):
            function(tmp_path / "gone.png")
        with pytest.raises(ImageError, match="cannot be read"):
            function(tmp_path)


def test_read_is_decode_of_the_file(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(images.encode_png(noise((4, 5))))
    assert_same_image(images.read(path), noise((4, 5)))
    assert_same_image(images.read(str(path)), noise((4, 5)))


def test_npy_never_unpickles():
    class Trap:
        def __reduce__(self):
            return (os.mkdir, ("must-not-exist",))

    file = io.BytesIO()
    np.save(file, np.array([Trap()], dtype=object), allow_pickle=True)
    with pytest.raises(ImageError, match="not real numbers"):
        images.decode(file.getvalue(), "trap.npy")
    assert not Path("must-not-exist").exists()


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((2, 2), complex), "not real numbers"),
        (np.zeros(4), "shape"),
        (np.zeros((2, 3, 4, 5)), "shape"),
        (np.zeros((0, 4)), "empty"),
        (np.zeros((0, 4, 4)), "empty"),
        (np.zeros((2, 2), [("x", "f4")]), "not real numbers"),
    ],
)
def test_npy_that_is_no_image(array, words):
    with pytest.raises(ImageError, match=rf"a\.npy: .*{words}"):
        images.decode(npy_bytes(array), "a.npy")


@pytest.mark.parametrize("bands", [2, 3, 4, 5])
def test_tiff_bands_without_colour_are_not_mixed(bands):
    options = {"photometric": "minisblack", "planarconfig": "contig"}
    with pytest.raises(ImageError, match=f"{bands} bands"):
        images.decode(tiff_bytes(noise((6, 7, bands)), **options), "a.tif")
    equal = np.repeat(noise((6, 7, 1), "u2"), bands, axis=2)
    assert_same_image(images.decode(tiff_bytes(equal, **options), "a.tif"), equal[..., 0])


def test_tiff_alpha_is_ignored_and_inks_are_refused():
    pair = noise((6, 7, 2), "u2")
    options = {"photometric": "minisblack", "planarconfig": "contig", "extrasamples": ["unassalpha"]}
    assert_same_image(images.decode(tiff_bytes(pair, **options), "a.tif"), pair[..., 0])
    with pytest.raises(ImageError, match="4 bands"):
        images.decode(tiff_bytes(noise((6, 7, 4)), photometric="separated", planarconfig="contig"), "a.tif")


def test_a_header_that_lies_about_its_size_allocates_nothing():
    data = bytearray(png_bytes(noise((2, 2, 1)), 0, 8))
    data[16:24] = struct.pack(">II", 2**13, 2**13)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    with pytest.raises(ImageError, match=r"more than .* bytes can hold"):
        images.decode(bytes(data), "a.png")


def test_a_damaged_byte_in_png_pixels_is_noticed():
    data = images.encode_png(noise((40, 40)))
    start = data.index(b"IDAT") + 4
    for place in range(start, len(data) - 16, 97):
        damaged = bytearray(data)
        damaged[place] ^= 1
        with pytest.raises(ImageError, match="checksum"):
            images.decode(bytes(damaged), "a.png")


def samples():
    grey, colour = noise((13, 17)), noise((13, 17, 3))
    return {
        "grey.png": images.encode_png(grey),
        "grey16.png": images.encode_png(noise((13, 17), "u2")),
        "rgb16.png": png_bytes(noise((13, 17, 3), "u2"), 2),
        "palette.png": pillow_bytes(Image.fromarray(colour).convert("P"), "PNG"),
        "grey.bmp": pillow_bytes(Image.fromarray(grey), "BMP"),
        "colour.jpg": pillow_bytes(Image.fromarray(colour), "JPEG"),
        "pages.tif": tiff_bytes(noise((3, 13, 17), "f4"), photometric="minisblack"),
        "tiled.tif": tiff_bytes(noise((13, 17), "u2"), tile=(16, 16), compression="zlib"),
        "big.tif": tiff_bytes(noise((13, 17), "u2"), byteorder=">", bigtiff=True),
        "stack.npy": npy_bytes(noise((3, 13, 17), "f8")),
    }


SAMPLES = samples()


@pytest.mark.parametrize("name", SAMPLES)
def test_truncated_files_are_errors_that_name_the_file(name):
    data = SAMPLES[name]
    for length in {1, 7, 9, 30, len(data) // 4, len(data) // 2}:
        with pytest.raises(ImageError, match=f"^{name}: "):
            images.decode(data[:length], name)


@pytest.mark.parametrize("name", ["pages.tif", "stack.npy"])
def test_a_truncated_stack_does_not_lose_frames_in_silence(name):
    data = SAMPLES[name][:-300]

    def read_all():
        return [images.decode(data, name, frame) for frame in range(images.frame_count(data, name))]

    with pytest.raises(ImageError, match="truncated"):
        read_all()


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damaged_files_raise_nothing_but_image_errors(name, data):
    damaged = bytearray(SAMPLES[name])
    flips = st.tuples(st.integers(0, min(len(damaged), 400) - 1), st.integers(0, 255))
    for place, value in data.draw(st.lists(flips, min_size=1, max_size=8)):
        damaged[place] = value
    damaged = damaged[: data.draw(st.sampled_from([len(damaged), len(damaged) - 1, len(damaged) // 2]))]
    for function in (images.decode, images.frame_count):
        with contextlib.suppress(ImageError):
            function(bytes(damaged), name)


def test_decoding_in_threads_gives_the_same():
    expected = {name: images.decode(data, name) for name, data in SAMPLES.items()}
    failures = []

    def work():
        for _ in range(10):
            failures.extend(
                name
                for name, data in SAMPLES.items()
                if not np.array_equal(images.decode(data, name), expected[name])
            )

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures

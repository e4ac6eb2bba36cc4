"""Files of bare numbers: every type and order, several frames, and sizes that do not fit."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.testing import assert_array_equal
from tools.folders import one, reasons, spot, tree

from pointmask.errors import ImageError, OutputError
from pointmask.folder.job import annotate_folder
from pointmask.io.images.array import decode, encode_png
from pointmask.io.images.codecs.raw import RawFormat
from pointmask.io.images.file import ImageFile
from pointmask.io.images.kinds import Reading
from pointmask.io.images.open import open_source
from pointmask.io.points.points import Points

TYPES = {
    "u8": "u1", "i8": "i1", "u16": "<u2", "u16le": "<u2", "u16be": ">u2", "i16": "<i2", "i16be": ">i2",
    "u32": "<u4", "i32be": ">i4", "f16": "<f2", "f32": "<f4", "f32be": ">f4", "f64le": "<f8", "f64be": ">f8",
}  # fmt: skip


@given(st.data(), st.sampled_from(sorted(TYPES)), st.integers(0, 40))
def test_every_type_is_read_back(data, word, offset):
    elements = {"allow_nan": False, "allow_infinity": False} if word.startswith("f") else None
    shape = data.draw(npst.array_shapes(min_dims=3, max_dims=3, max_side=6))
    stack = data.draw(npst.arrays(TYPES[word], shape, elements=elements))
    form = RawFormat.parse(f"{shape[2]}x{shape[1]}:{word}:{offset}")
    assert RawFormat.parse(str(form)) == form
    file = ImageFile(io.BytesIO(bytes(offset) + stack.tobytes()), "a.bin", Reading(raw=form))
    assert file.frames == shape[0]
    for k in range(shape[0]):
        found = file.decode(k)
        assert found.dtype.isnative
        assert_array_equal(found, stack[k])
    with pytest.raises(ImageError, match=rf"a\.bin: frame {shape[0]} was asked for"):
        file.decode(shape[0])


@given(st.integers(0, 200), st.integers(0, 20))
def test_a_size_that_does_not_fit_shows_both_numbers(size, offset):
    file = ImageFile(io.BytesIO(bytes(size)), "a.raw", Reading(raw=RawFormat(4, 3, "<u2", offset)))
    body = size - offset
    if body > 0 and body % 24 == 0:
        assert file.frames == body // 24
    else:
        with pytest.raises(ImageError, match=rf"a\.raw: it holds {max(0, body)} bytes .* of 24 bytes"):
            file.decode()


@given(st.text(max_size=20) | st.from_regex(r"\d*x\d*:[uif]\d*(le|be)?(:\d*)?", fullmatch=True))
def test_formats_are_parsed_or_refused_with_an_example(text):
    try:
        form = RawFormat.parse(text)
    except ImageError as error:
        assert "640x512:u16le" in str(error)  # noqa: PT017 - both outcomes are right
    else:
        assert form.frame_bytes > 0


@pytest.mark.parametrize(
    "text", ["", "4x4", "4x4:u64", "4x4:f8", "0x4:u8", "4x4:u16xe", "4x4:u8:-1", "٤x4:u8"]
)
def test_formats_that_are_none(text):
    with pytest.raises(ImageError, match="is not WxH:TYPE"):
        RawFormat.parse(text)


def test_a_header_that_is_too_large_is_refused():
    form = RawFormat.parse("100000x100000:u8")
    with pytest.raises(ImageError, match="no whole number"):
        ImageFile(io.BytesIO(bytes(100)), "a.bin", Reading(raw=form)).decode()


def test_without_a_format_raw_files_are_no_images(tmp_path):
    (tmp_path / "a.bin").write_bytes(bytes(100))
    (tmp_path / "b.png").write_bytes(encode_png(spot()))
    assert open_source(tmp_path).names() == ["b.png"]
    assert open_source(tmp_path, raw="5x5:f32").names() == ["a.bin", "b.png"]
    with pytest.raises(ImageError, match="--raw"):
        decode(bytes(100), "a.bin")


def test_raw_stacks_are_annotated_like_their_frames(tmp_path):
    frames = [spot(), spot(10, 30)]
    for name in ("raw", "png"):
        (tmp_path / name).mkdir()
    (tmp_path / "raw/a.bin").write_bytes(np.stack(frames).astype(">u2").tobytes())
    (tmp_path / "raw/short.dat").write_bytes(b"123")
    for k, frame in enumerate(frames):
        (tmp_path / f"png/a_{k:04d}.png").write_bytes(encode_png(frame))
    points = Points({"a": one(), "a#1": one(10, 30), "short": one()})
    source = open_source(tmp_path / "raw", raw="48x48:u16be")
    annotate_folder(source, points, tmp_path / "out")
    annotate_folder(tmp_path / "png", Points({"a_0000": one(), "a_0001": one(10, 30)}), tmp_path / "expected")
    found, expected = tree(tmp_path / "out"), tree(tmp_path / "expected")
    masks = [name for name in expected if name.endswith(".png")]
    assert len(masks) == 2
    assert [found[name] for name in masks] == [expected[name] for name in masks]
    assert "3 bytes" in reasons(tmp_path / "out")["short.dat"]
    assert b'"reading": "raw 48x48:u16be:0"' in found["manifest.jsonl"]
    assert b"reading" not in expected["manifest.jsonl"]


def test_a_resumed_job_must_read_the_files_in_the_same_way(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images/a.bin").write_bytes(spot().astype("<u2").tobytes())
    for raw in ("48x48:u16le", "48x48:u16le:0"):
        annotate_folder(open_source(tmp_path / "images", raw=raw), Points({"a": one()}), tmp_path / "out")
    with pytest.raises(
        OutputError, match=r"made with reading raw 48x48:u16le:0, now it is raw 48x48:u16be:0"
    ):
        annotate_folder(
            open_source(tmp_path / "images", raw="48x48:u16be"), Points({"a": one()}), tmp_path / "out"
        )

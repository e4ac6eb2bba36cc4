"""FLIR radiometric JPEG, made by hand after the layout that ExifTool documents."""

import io
import re
import struct
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from tools.folders import one, spot

from pointmask.advice import install
from pointmask.cli import main
from pointmask.doctor import examine
from pointmask.errors import ImageError
from pointmask.folder.job import annotate_folder
from pointmask.folder.records.manifest import read_manifest
from pointmask.io.images.array import decode
from pointmask.io.images.codecs.flir import radiometric_kind
from pointmask.io.images.file import ImageFile
from pointmask.io.images.kinds import Reading
from pointmask.io.images.open import open_source
from pointmask.io.points.points import Points

R1, R2, B, F, OFFSET = 21106.77, 0.012545, 1501.0, 1.0, -7340
RAW_DATA, CAMERA_INFO = 1, 32


def picture() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.repeat(spot(5, 5, (24, 32))[..., None], 3, axis=2)).save(file, "JPEG")
    return file.getvalue()


def camera_info() -> bytes:
    """A camera that looks at a black body through nothing: the raw values depend on its temperature alone."""
    info = bytearray(1024)
    struct.pack_into("<6f", info, 32, 1.0, 0.0, 293.15, 293.15, 293.15, 1.0)
    struct.pack_into("<3f", info, 88, R1, B, F)
    struct.pack_into("<i", info, 776, OFFSET)
    struct.pack_into("<f", info, 780, R2)
    return bytes(info)


def radiometric(raw: np.ndarray, jpeg: bytes = b"") -> bytes:
    """The picture with the raw values in APP1 segments behind its first marker."""
    height, width = raw.shape
    records = {
        RAW_DATA: struct.pack("<3H", 2, width, height).ljust(32, b"\0") + raw.astype("<u2").tobytes(),
        CAMERA_INFO: camera_info(),
    }
    directory, body = b"", b""
    entries = len(records) + 2  # free ones at the end, as cameras leave them
    start = 64 + 32 * entries
    for kind, data in records.items():
        directory += struct.pack(">HHIIIIIII", kind, 1, 100, 1, start + len(body), len(data), 0, 0, 0)
        body += data
    header = struct.pack(">4s16sIII", b"FFF\0", b"CAMCTRL", 100, 64, entries).ljust(64, b"\0")
    whole = header + directory.ljust(32 * entries, b"\0") + body
    parts = [whole[k : k + 60_000] for k in range(0, len(whole), 60_000)]
    segments = b"".join(
        b"\xff\xe1" + struct.pack(">H", len(part) + 10) + b"FLIR\0\x01" + bytes([k, len(parts) - 1]) + part
        for k, part in enumerate(parts)
    )
    jpeg = jpeg or picture()
    return jpeg[:2] + segments + jpeg[2:]


def raw_values() -> np.ndarray:
    return 14_000 + 10 * spot(20, 24).astype(np.uint16)


def test_the_thermal_raster_is_read_in_kelvin():
    pytest.importorskip("flyr")
    raw = raw_values()
    file = ImageFile(io.BytesIO(radiometric(raw)), "a.jpg")
    expected = B / np.log(R1 / (R2 * (raw.astype(float) + OFFSET)) + F)
    assert file.kind == "FLIR"
    assert file.frames == 1
    found = file.decode()
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    with pytest.raises(ImageError, match="frame 1"):
        file.decode(1)


def test_the_picture_is_read_on_request():
    data = radiometric(raw_values())
    file = ImageFile(io.BytesIO(data), "a.jpg", Reading(radiometric=False))
    assert file.kind == "JPEG"
    assert np.array_equal(file.decode(), decode(picture(), "a.jpg"))


def test_without_flyr_the_way_out_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "flyr", None)
    with pytest.raises(ImageError, match=rf"a\.jpg: .*{re.escape(install('flir'))}.*--no-radiometric"):
        decode(radiometric(raw_values()), "a.jpg")


def test_other_jpeg_are_not_taken_for_radiometric():
    plain = picture()
    cases = {
        "plain": plain,
        "exif": plain[:2] + b"\xff\xe1\x00\x10Exif\0\0" + bytes(8) + plain[2:],
        "FLIR in a comment": plain[:2] + b"\xff\xfe\x00\x0aFLIR\0\0\0\0" + plain[2:],
        "FLIR behind the picture": plain + radiometric(raw_values())[2:200],
    }
    for name, data in cases.items():
        assert not radiometric_kind(io.BytesIO(data)), name
    data = radiometric(raw_values())
    assert radiometric_kind(io.BytesIO(data)) == "FLIR"
    assert radiometric_kind(io.BytesIO(data[:2] + b"\xff\xff" + data[3:])) == "FLIR"
    for length in range(11):
        assert not radiometric_kind(io.BytesIO(data[:length]))


def test_damage_is_an_image_error():
    pytest.importorskip("flyr")
    data = radiometric(raw_values())
    for damaged in (data[:2000], data.replace(b"FFF\0", b"FFF\0" + bytes(60), 1)):
        with pytest.raises(ImageError, match=r"^a\.jpg: "):
            decode(damaged, "a.jpg")


@pytest.mark.parametrize(
    ("place", "number", "words"), [(28, b"\xff" * 4, "4,294,967,295 records"), (64 + 12, b"\xff" * 4, "")]
)
def test_numbers_that_flyr_would_believe_are_refused(place, number, words):
    pytest.importorskip("flyr")
    data = bytearray(radiometric(raw_values()))
    start = data.index(b"FFF\0") + place
    data[start : start + 4] = number
    with pytest.raises(ImageError, match=rf"^a\.jpg: .*{words}"):
        decode(bytes(data), "a.jpg")


def test_a_raster_of_another_size_than_its_png_is_refused():
    pytest.importorskip("flyr")
    raw = np.zeros((48, 48), "<u2")
    bomb = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 13_000, 13_000)
    raw.view("u1").reshape(-1)[: len(bomb)] = np.frombuffer(bomb, "u1")
    with pytest.raises(ImageError, match="two different sizes"):
        decode(radiometric(raw), "a.jpg")


def test_jobs_and_check_say_which_raster_was_used(tmp_path):
    pytest.importorskip("flyr")
    (tmp_path / "images").mkdir()
    (tmp_path / "images/a.jpg").write_bytes(radiometric(raw_values()))
    (tmp_path / "points.csv").write_text("image,x,y\na.jpg,24,20\n")
    summary = annotate_folder(tmp_path / "images", Points({"a": one(20, 24)}), tmp_path / "out")
    (entry,) = read_manifest(tmp_path / "out")
    assert (summary.thermal, entry["raster"], entry["shape"]) == (1, "thermal", [48, 48])
    assert [group.kind for group in examine(tmp_path / "images").groups] == [
        "jpg FLIR thermal raster, read as float32"
    ]
    plain = open_source(tmp_path / "images", radiometric=False)
    annotate_folder(plain, Points({"a": one(5, 5)}), tmp_path / "plain")
    (entry,) = read_manifest(tmp_path / "plain")
    assert (entry.get("raster"), entry["reading"], entry["shape"]) == (None, "no radiometric", [24, 32])
    arguments = [
        str(tmp_path / "images"),
        "--points",
        str(tmp_path / "points.csv"),
        "--out",
        str(tmp_path / "o"),
    ]
    told = CliRunner().invoke(main, ["annotate", *arguments])
    assert "1 images were read as thermal raster, in kelvin" in told.output


def _with_segments(*segments: tuple[int, bytes]) -> bytes:
    """The picture with segments behind its first marker."""
    jpeg = picture()
    packed = (struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body for marker, body in segments)
    return jpeg[:2] + b"".join(packed) + jpeg[2:]


def _exif(make: str) -> tuple[int, bytes]:
    exif = Image.Exif()
    exif[0x010F] = make
    return 0xE1, b"Exif\0\0" + exif.tobytes().removeprefix(b"Exif\0\0")


def test_thermal_pictures_of_dji_are_named_with_the_way_round(tmp_path):
    thermal = _with_segments(_exif("DJI"), (0xE3, b"\0\1" * 900), (0xE4, b"\xaa\x55\x12\x06"))
    with pytest.raises(ImageError, match=r"DJI camera.*Thermal SDK.*--no-radiometric"):
        decode(thermal, "a.jpg")
    with ImageFile(io.BytesIO(thermal), "a.jpg", Reading(radiometric=False)) as file:
        assert file.kind == "JPEG"
        assert file.decode().shape == (24, 32)
    (tmp_path / "images").mkdir()
    (tmp_path / "images/a.jpg").write_bytes(thermal)
    annotate_folder(tmp_path / "images", Points({"a": one()}), tmp_path / "out")
    (entry,) = read_manifest(tmp_path / "out")
    assert "Thermal SDK" in entry["reason"]


@pytest.mark.parametrize(
    "segments",
    [
        [_exif("DJI")],  # of its camera for the eye
        [_exif("Kodak"), (0xE3, b"Meta\0\0")],
        [(0xE3, b"Meta\0\0")],
        [(0xE3, b"\0\1" * 900), (0xE1, b"http://ns.adobe.com/xap/1.0/\0 DJI")],
    ],
)
def test_other_pictures_are_read(segments):
    data = _with_segments(*segments)
    assert radiometric_kind(io.BytesIO(data)) is None
    assert decode(data, "a.jpg").shape == (24, 32)

"""What holds for every format: one reader recognises a file, and no damage brings it down."""

import struct
import zlib

import numpy as np
import pytest
from tools.formats.fuzz import SUBJECTS, mutant, run
from tools.formats.samples import npy, samples

from pointmask.errors import ImageError, PointsError
from pointmask.io.formats import read_points, recognise
from pointmask.io.formats.registry import FORMATS
from pointmask.io.images.array import frame_count, read

MUTANTS = 100  # benchmarks/fuzz.py reads 10,000 of each


@pytest.fixture(scope="module")
def by_format(tmp_path_factory):
    return samples(tmp_path_factory.mktemp("written"))


def test_every_format_has_samples(by_format):
    assert set(by_format) == set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_one_format_alone_recognises_a_sample(tmp_path, by_format, name):
    for number, sample in enumerate(by_format[name]):
        path = sample.write(tmp_path / str(number))
        claims = {other for other in FORMATS if FORMATS.load(other).sniff(path)}
        # A folder of masks is one of images too; which of the two, only its pixels tell.
        assert claims - {"point_images"} == {name} - {"point_images"}
        assert recognise(path) == name


@pytest.mark.parametrize("name", FORMATS)
def test_a_sample_is_read(tmp_path, by_format, name):
    if "read points" not in FORMATS.load(name).abilities:
        pytest.skip("holds no points")
    for number, sample in enumerate(by_format[name]):
        points = read_points(sample.write(tmp_path / str(number)), format=name, **sample.options)
        assert not points.rejected
        key = next(iter(points.by_image))
        assert key.partition(".")[0].partition("#")[0] == "a"
        assert (points.by_image[key][0].row, points.by_image[key][0].col) == (1, 2)


@pytest.fixture(scope="module")
def reports():
    return run(SUBJECTS, MUTANTS)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_damaged_files_are_refused_or_read(reports, subject):
    report = reports[subject]
    assert report.failures == []
    assert report.refused + report.read == MUTANTS
    assert report.read > 0


def test_a_seed_gives_the_same_mutants(by_format):
    first, again, other = (mutant("csv", by_format["csv"], 7, seed) for seed in (0, 0, 1))
    assert first == again != other


BILLION = "<!DOCTYPE a [<!ENTITY a0 'ha'>" + "".join(
    f"<!ENTITY a{k} '{f'&a{k - 1};' * 10}'>" for k in range(1, 10)
)
QUADRATIC = f"<!DOCTYPE a [<!ENTITY a '{'x' * 10**5}'>"
EXTERNAL = "<!DOCTYPE a [<!ENTITY a SYSTEM 'file:///etc/hostname'>"


@pytest.mark.parametrize(("name", "root"), [("cvat", "annotations"), ("voc", "annotation")])
@pytest.mark.parametrize(
    "declared", [BILLION + "]>&a9;", QUADRATIC + "]>" + "&a;" * 10**4, EXTERNAL + "]>&a;"]
)
def test_an_xml_bomb_is_refused(tmp_path, name, root, declared):
    head, _, uses = declared.partition("]>")
    path = tmp_path / "a.xml"
    path.write_text(f"{head}]><{root}><image name='a.png'>{uses}</image></{root}>")
    with pytest.raises(PointsError, match=r"a\.xml.*declares a document type"):
        raise PointsError(read_points(path, format=name).rejected["a"])


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def test_a_decompression_bomb_is_refused_with_the_limit_named(tmp_path):
    side = 100_000
    packer = zlib.compressobj(9)
    rows = bytes((side // 8 + 1) * 1000)
    first = packer.compress(rows) + packer.flush(zlib.Z_FULL_FLUSH)
    data = first + (packer.compress(rows) + packer.flush(zlib.Z_FULL_FLUSH)) * (side // 1000 - 1)
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    path = tmp_path / "bomb.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )
    assert path.stat().st_size < 2**21
    with pytest.raises(ImageError, match=r"bomb\.png.*100000 x 100000.*limit of 268,435,456"):
        read(path)
    # As points and as masks it rejects its image alone.
    assert "limit of" in read_points(tmp_path, format="point_images").rejected["bomb.png"]


def test_an_array_of_negative_length_is_refused(tmp_path):
    head = npy(np.zeros((3, 4)))[:128].replace(b"(3, 4), }", b"(-3, 9, 4), }")
    (tmp_path / "a.npy").write_bytes(head[:128])
    with pytest.raises(ImageError, match=r"a\.npy: it holds an array of shape \(-3, 9, 4\)"):
        frame_count(tmp_path / "a.npy")


def test_an_array_that_promises_too_much_is_refused(tmp_path):
    head = npy(np.zeros((3, 4)))[:128].replace(b"(3, 4), }", b"(99999, 99999), }")
    (tmp_path / "a.npy").write_bytes(head[:128])
    with pytest.raises(ImageError, match=r"a\.npy"):
        read(tmp_path / "a.npy")

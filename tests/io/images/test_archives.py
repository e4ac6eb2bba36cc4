"""Images in archives: the results of the unpacked folder, and nothing of what an archive may try."""

import gzip
import io
import os
import pickle
import random
import stat
import struct
import tarfile
import threading
import zipfile
import zlib

import numpy as np
import pytest
import tifffile
from tools.folders import one, reasons, scenes, spot, tree, without_command

from pointmask.doctor import examine
from pointmask.errors import ImageError
from pointmask.folder.job import annotate_folder
from pointmask.io.images.array import encode_png
from pointmask.io.images.codecs.limits import VARIABLE
from pointmask.io.images.gunzip import Gunzip
from pointmask.io.images.open import open_source
from pointmask.io.points.points import Points

folder = pytest.fixture(scenes)

PNG = encode_png(spot())


def pack_zip(path, members, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def pack_tar(path, members, mode="w"):
    """Members are (name, bytes) or ready TarInfo objects."""
    with tarfile.open(path, mode) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
    return path


def packed(tmp_path, members):
    """The same members in every kind of archive that is read."""
    return {
        "stored": pack_zip(tmp_path / "stored.zip", members, zipfile.ZIP_STORED),
        "deflated": pack_zip(tmp_path / "deflated.zip", members),
        "tar": pack_tar(tmp_path / "plain.tar", members),
        "tgz": pack_tar(tmp_path / "packed.tgz", members, "w:gz"),
    }


KINDS = ("stored", "deflated", "tar", "tgz")


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_gives_the_bytes_of_its_folder(folder, tmp_path, kind, threads):
    source, points = folder
    stack = np.stack([spot(), spot(10, 10), spot(30, 30)])
    tifffile.imwrite(source / "seq/stack.tif", stack, photometric="minisblack")
    tifffile.imwrite(source / "packed.tif", stack, photometric="minisblack", compression="zlib")
    more = {"seq/stack#1": one(10, 10), "seq/stack#2": one(30, 30), "packed#1": one(10, 10)}
    points = Points({**points.by_image, **more})
    members = [(name, data) for name, data in tree(source).items()]
    random.Random(0).shuffle(members)
    archive = packed(tmp_path, members)[kind]
    assert open_source(archive).names() == open_source(source).names()
    summary = annotate_folder(
        archive, points, tmp_path / "out", threads=threads, report=True, empty_masks=True
    )
    annotate_folder(source, points, tmp_path / "expected", report=True, empty_masks=True)
    assert summary.done == 18
    assert not summary.skipped
    assert without_command(tree(tmp_path / "out")) == without_command(tree(tmp_path / "expected"))


def test_sources_travel_to_other_processes_without_their_files(tmp_path):
    for path in packed(tmp_path, [("a/b.png", PNG)]).values():
        source = pickle.loads(pickle.dumps(open_source(path)))
        with source.open("a/b.png") as file:
            assert np.array_equal(file.decode(), spot())


@pytest.mark.parametrize("kind", KINDS)
def test_what_points_outside_is_refused_and_the_rest_is_done(tmp_path, kind):
    members = [("../evil.png", PNG), ("/etc/evil.png", PNG), ("C:\\evil.png", PNG), ("a\\..\\..\\b.png", PNG)]
    archive = packed(
        tmp_path, [*members, ("good.png", PNG), ("./dotted.png", PNG), ("__MACOSX/._a.png", b"")]
    )[kind]
    source = open_source(archive)
    assert source.names() == ["dotted.png", "good.png"]
    (tmp_path / "alone").mkdir()
    alone = open_source(packed(tmp_path / "alone", members)[kind])
    assert "no image that can be read: ../evil.png points outside the archive" in alone.why_no_image()
    assert ", and 3 more such" in alone.why_no_image()
    assert len(source.refused()) == 4
    assert all("outside" in reason for reason in source.refused().values())
    summary = annotate_folder(archive, Points({"good": one()}), tmp_path / "out/deep")
    assert summary.done == 1
    assert len(summary.skipped) == 4
    assert {path for path in tree(tmp_path / "out") if path.endswith(".png")} == {"deep/masks/good.png"}
    (finding,) = (found for found in examine(archive).findings if found.is_problem)
    assert len(finding.items) == 4


def test_links_and_devices_in_a_tar_are_refused(tmp_path):
    members = [("good.png", PNG)]
    for name, kind in (
        ("sym.png", tarfile.SYMTYPE),
        ("hard.png", tarfile.LNKTYPE),
        ("dev.png", tarfile.CHRTYPE),
    ):
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "good.png"
        members.append(info)
    source = open_source(pack_tar(tmp_path / "a.tar", members))
    assert source.names() == ["good.png"]
    assert {name: reason.split()[2:4] for name, reason in source.refused().items()} == {
        "sym.png": ["a", "link"],
        "hard.png": ["a", "link"],
        "dev.png": ["a", "device"],
    }


def test_links_and_encrypted_members_of_a_zip_are_refused(tmp_path):
    link = zipfile.ZipInfo("link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = pack_zip(tmp_path / "a.zip", [(link, b"good.png"), ("secret.png", PNG), ("good.png", PNG)])
    data = bytearray(path.read_bytes())
    entry = data.index(b"secret.png", data.index(b"PK\x01\x02")) - 46
    data[entry + 8] |= 1
    path.write_bytes(data)
    source = open_source(path)
    assert source.names() == ["good.png"]
    assert "link" in source.refused()["link.png"]
    assert "password" in source.refused()["secret.png"]


def test_a_method_that_is_not_read_is_named(tmp_path):
    source = open_source(pack_zip(tmp_path / "a.zip", [("a.png", PNG)], zipfile.ZIP_BZIP2))
    assert "method 12" in source.refused()["a.png"]


def test_a_later_member_replaces_an_earlier_one(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate"):
        paths = packed(tmp_path, [("a.png", b"old"), ("a.png", PNG)])
    for path in paths.values():
        with open_source(path).open("a.png") as file:
            assert np.array_equal(file.decode(), spot())


@pytest.mark.parametrize("kind", ["deflated", "tgz"])
def test_a_bomb_is_refused_with_the_limit_and_the_rest_is_done(tmp_path, kind, monkeypatch):
    monkeypatch.setenv(VARIABLE, "10000")
    archive = packed(tmp_path, [("bomb.png", bytes(20001)), ("good.png", PNG)])[kind]
    annotate_folder(archive, Points({"bomb": one(), "good": one()}), tmp_path / "out")
    (reason,) = reasons(tmp_path / "out").values()
    assert "20,001 bytes, more than the limit of 20,000" in reason
    assert VARIABLE in reason


def test_a_zip_that_lies_about_a_size_unpacks_no_more_than_it_says(tmp_path):
    path = pack_zip(tmp_path / "a.zip", [("a.png", bytes(10**6))])
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.index(b"PK\x01\x02") + 24, 100)
    path.write_bytes(data)
    with pytest.raises(ImageError, match=r"a\.png is damaged"):
        open_source(path).open("a.png")


def read_all(path):
    """What an archive holds, or the error that says that it is damaged."""
    try:
        source = open_source(path)
        return {name: source._read(name) for name in source.names()}
    except ImageError as error:
        return error


@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_an_error_that_names_the_archive(tmp_path, kind):
    members = [(f"{k}.png", PNG + random.Random(k).randbytes(3000)) for k in range(8)]
    path = packed(tmp_path, members)[kind]
    whole = path.read_bytes()
    expected = dict(members)
    dice = random.Random(1)
    for trial in range(60):
        damaged = bytearray(whole[: len(whole) // 2 if trial % 2 else None])
        for _ in range(3):
            damaged[dice.randrange(len(damaged))] ^= 1 << dice.randrange(8)
        path.write_bytes(damaged)
        os.utime(path, ns=(trial, trial))
        found = read_all(path)
        if trial % 2 or isinstance(found, ImageError):
            assert str(tmp_path) in str(found)
        elif kind != "tar":  # which has no checksum of what it holds
            assert all(data == expected.get(name, data) for name, data in found.items())


def test_a_damaged_header_in_a_tar_does_not_lose_the_rest_in_silence(tmp_path):
    path = pack_tar(tmp_path / "a.tar", [("a.png", PNG), ("b.png", PNG)])
    data = bytearray(path.read_bytes())
    data[data.index(b"b.png")] = 0x7F
    path.write_bytes(data)
    with pytest.raises(ImageError, match=r"a\.tar is damaged at byte \d+"):
        open_source(path).names()


def test_a_tar_header_of_gigabytes_is_refused(tmp_path):
    info = tarfile.TarInfo("long")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 2**33
    path = tmp_path / "a.tar"
    path.write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    with pytest.raises(ImageError, match="header of"):
        open_source(path).names()


def test_other_files_and_archives_are_told_from_folders(tmp_path):
    for name, data, words in (
        ("a.tar.bz2", b"BZh91AY", "bzip2.*pack it again"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c", "7z.*pack it again"),
        ("a.png", PNG, "is a file; give the folder"),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ImageError, match=words):
            open_source(tmp_path / name).names()
    with pytest.raises(ImageError, match="does not exist"):
        open_source(tmp_path / "none.zip").names()
    with pytest.raises(ImageError, match="holds no image"):
        annotate_folder(pack_zip(tmp_path / "empty.zip", []), Points({}), tmp_path / "out")


def test_an_archive_that_changes_is_listed_again(tmp_path):
    path = pack_zip(tmp_path / "a.zip", [("a.png", PNG)])
    source = open_source(path)
    assert source.names() == ["a.png"]
    pack_zip(path, [("longer-name.png", PNG)])
    assert source.names() == ["longer-name.png"]
    with pytest.raises(ImageError, match=r"does not hold a\.png any more"):
        source.open("a.png")


# gzip


@pytest.fixture
def zipped(tmp_path):
    """Two gzip members and padding, and what they hold."""
    data = random.Random(0).randbytes(50_000) + bytes(200_000) + b"0123456789" * 30_000
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(data[:120_001]) + gzip.compress(data[120_001:]) + bytes(512))
    return path, data


def test_gunzip_reads_anywhere(zipped):
    path, data = zipped
    reader = Gunzip(path, span=10_000)
    dice = random.Random(1)
    for _ in range(200):
        offset, size = dice.randrange(len(data) + 1000), dice.choice([0, 1, 512, 70_000])
        assert reader.read_at(offset, size) == data[offset : offset + size]


def test_gunzip_in_threads(zipped):
    path, data = zipped
    reader = Gunzip(path, span=10_000)
    wrong = []

    def read(seed):
        dice = random.Random(seed)
        for _ in range(60):
            offset = dice.randrange(len(data))
            if reader.read_at(offset, 1000) != data[offset : offset + 1000]:
                wrong.append(offset)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_gunzip_keeps_a_bounded_number_of_states(tmp_path):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(bytes(2_000_000)))
    reader = Gunzip(path, span=1)
    for offset in range(0, 2_000_000, 1000):
        assert reader.read_at(offset, 1000) == bytes(1000)
    assert len(reader._checkpoints) <= 512
    assert len(reader._recent) <= 32


def test_gunzip_decompresses_nothing_twice_in_order(zipped, monkeypatch):
    path, data = zipped
    produced = []
    pieces = Gunzip._pieces

    def counted(self, cursor, file, end):
        for start, piece in pieces(self, cursor, file, end):
            produced.append(len(piece))
            yield start, piece

    monkeypatch.setattr(Gunzip, "_pieces", counted)
    reader = Gunzip(path)
    for offset in range(0, len(data), 1000):
        reader.read_at(offset, 1000)
    assert sum(produced) == len(data)


@pytest.mark.parametrize(
    "damage", [lambda data: data[: len(data) // 2], lambda data: data[:-520] + b"xxxxxxxx"]
)
def test_gunzip_notices_damage(zipped, damage):
    path, data = zipped
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ImageError, match=r"a\.gz is (cut short|damaged)"):
        Gunzip(path).read_at(0, len(data) + 1)
    assert zlib.crc32(Gunzip(path).read_at(0, 1000)) == zlib.crc32(data[:1000])

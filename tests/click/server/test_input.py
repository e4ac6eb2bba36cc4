"""What is shown of images that are unusual, broken or hostile, and that the page goes on."""

import json
import os
import shutil
import struct
import tarfile
import zipfile
import zlib
from contextlib import suppress

import numpy as np
import pytest
from tools.click.serving import scene, scenes, serving, unpacked
from tools.folders import save
from tools.images import npy_bytes, tiff_bytes

from pointmask import annotate
from pointmask.click.contract.errors import InvalidError, JournalError
from pointmask.click.server.start import default_out, is_shared
from pointmask.errors import ImageError, OutputError, PointmaskError
from pointmask.folder.records.shards import Shard


def png(data, width=10, height=10):
    """A PNG file with any content in its data chunk."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", data) + chunk(b"IEND", b"")


HOSTILE = {
    "nothing.png": b"",
    "text.png": b"this is no picture " * 100,
    "cut.png": png(zlib.compress(b"\0" * 110))[:50],
    "promise.png": png(zlib.compress(b"\0" * 110), 2**20, 2**20),
    "short.png": png(zlib.compress(b"\0" * 20)),
    "bomb.png": png(zlib.compress(b"\0" * 10**8), 10, 10**7),
    "nan.tif": tiff_bytes(np.full((8, 8), np.nan, np.float32)),
    "objects.npy": b"\x93NUMPY\x01\x00"
    + struct.pack("<H", 70)
    + (b"{'descr': '|O', 'fortran_order': False, 'shape': (3, 3), }".ljust(69) + b"\n")
    + b"cos\nsystem\n(S'touch /tmp/owned'\ntR.",
    "huge.npy": b"\x93NUMPY\x01\x00"
    + struct.pack("<H", 80)
    + (b"{'descr': '<f8', 'fortran_order': False, 'shape': (1048576, 1048576), }".ljust(79) + b"\n"),
    "complex.npy": npy_bytes(np.zeros((4, 4), np.complex64)),
    "bands.npy": npy_bytes(np.zeros((4, 4, 4, 4, 4))),
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile") / "images"
    folder.mkdir()
    for name, data in HOSTILE.items():
        (folder / name).write_bytes(data)
    save(folder / "z-good.png", scene())
    with serving(folder) as client:
        yield client


@pytest.mark.parametrize("name", HOSTILE)
def test_x13_what_cannot_be_decoded_is_422_and_others_go_on(hostile, name):
    number = hostile.server.desk.listing.number(name)
    for path in (f"frame/{number}/0", f"value/{number}/0?row=0&col=0"):
        answer = hostile.get(f"/api/{path}")
        assert answer.status == 422, answer.body
        assert answer.json["error"]["message"].startswith(name)
    assert hostile.edit("add", image=number, row=1, col=1).status == 422
    good = hostile.server.desk.listing.number("z-good.png")
    assert hostile.get(f"/api/frame/{good}/0").status == 200
    states = {row["name"]: row["state"] for row in hostile.get("/api/images").json["rows"]}
    assert states[name] == "unreadable"


UNUSUAL = {
    "one.npy": np.array([[7]], np.uint8),
    "row.npy": np.arange(4096, dtype=np.uint16)[None],
    "small.npy": np.arange(9, dtype=np.int16).reshape(3, 3) - 4,
    "constant.npy": np.full((20, 20), 300, np.uint16),
    "holes.npy": np.where(np.eye(20) > 0, np.nan, scene(0, (20, 20), [(10, 5)]).astype(np.float64)),
    "infinite.npy": np.where(np.eye(20) > 0, np.inf, 1.0),
    "dead.npy": np.where(np.arange(400).reshape(20, 20) == 7, 1e30, 300.0),
    "extreme.npy": np.array([[1e308, -1e308], [0.0, 1e-320]]),
    "negative.npy": (scene(0, (20, 20), [(10, 5)]).astype(np.int16) - 9000),
    "kelvin.npy": (scene(0, (20, 20), [(10, 5)]) / 30.0).astype(np.float32),
    "wide.npy": scene(0, (20, 20), [(10, 5)]).astype(np.int32) * 1000,
    "wider.npy": scene(0, (20, 20), [(10, 5)]).astype(np.uint64) + 2**60,
    "bits.npy": np.eye(20, dtype=bool),
}


@pytest.fixture(scope="module")
def unusual(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unusual") / "images"
    folder.mkdir()
    for name, pixels in UNUSUAL.items():
        np.save(folder / name, pixels)
    with serving(folder) as client:
        yield client


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_images_are_shown_clicked_and_read_exactly(unusual, name):
    pixels = UNUSUAL[name]
    number = unusual.server.desk.listing.number(name)
    answer = unusual.get(f"/api/frame/{number}/0")
    assert answer.status == 200, answer.body
    facts = answer.json
    assert facts["shape"] == list(pixels.shape)
    low, high = facts["quantiles"]["0"], facts["quantiles"]["100"]
    stored = pixels.astype(np.uint8) * 255 if pixels.dtype == bool else pixels
    finite = stored[np.isfinite(stored)].astype(float)
    assert (low, high) == (finite.min(), finite.max())
    row, col = pixels.shape[0] // 2, pixels.shape[1] // 4
    value = unusual.get(f"/api/value/{number}/0?row={row}&col={col}").json["value"]
    assert stored.dtype.type(value) == stored[row, col] or value in ("nan", "inf")
    samples = unusual.get(f"/api/samples/{facts['content']}/{number}/0")
    assert samples.headers["X-Code"] == facts["code"]["type"]
    assert len(samples.body) == pixels.size * (1 if facts["code"]["type"] == "u8" else 2)
    clicked = unusual.edit("add", image=number, row=row, col=col)
    assert clicked.status == 200, clicked.body
    mask = unpacked(clicked.json["frames"][0]["targets"][0], pixels.shape)
    np.testing.assert_array_equal(mask, annotate(stored, [(row, col)]).mask)


def test_colours_are_seen_by_their_luminance(tmp_path):
    colours = np.random.default_rng(0).integers(0, 255, (30, 40, 3), np.uint8)
    save(tmp_path / "images/c.png", colours)
    with serving(tmp_path / "images") as client:
        facts = client.get("/api/frame/0/0").json
        assert facts["luminance"]
        assert facts["type"] == "float32"


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "one"])
def test_archives_and_single_files_are_read_in_place(tmp_path, kind):
    images = scenes(tmp_path / "images")
    np.save(images / "stack.npy", np.stack([scene(k) for k in range(3)]))
    place = tmp_path / f"set.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(place, "w") as archive:
            for path in sorted(images.iterdir()):
                archive.write(path, f"in/{path.name}")
    elif kind == "one":
        place = images / "stack.npy"
    else:
        with tarfile.open(place, "w:gz" if kind == "tar.gz" else "w") as archive:
            archive.add(images, "in")
    out = default_out(place)
    assert out.parent == place.parent
    assert out.name in ("set-clicks", "stack-clicks")
    with serving(place, out) as client:
        names = [client.server.desk.name(k) for k in range(client.server.desk.listing.count)]
        stack = next(k for k, name in enumerate(names) if name.endswith("stack.npy"))
        assert len(names) == (1 if kind == "one" else 4)
        assert client.get(f"/api/frame/{stack}/2").json["sequence"] == {"index": 2, "length": 3}
        assert client.edit("add", image=stack, frame=2, row=20, col=30).status == 200
        client.server.desk.session.publish()
    line = json.loads((out / "manifest.jsonl").read_text().splitlines()[0])
    assert (line["image"], line["frame"]) == (names[stack], 2)


def test_places_that_cannot_be_used_are_refused_at_the_start(tmp_path):
    images = scenes(tmp_path / "images")
    (tmp_path / "file").touch()
    (tmp_path / "x.txt").touch()
    places = (
        (images, images, OutputError, "is the input"),
        (images, tmp_path / "file", OutputError, "file"),
        (tmp_path / "x.txt", tmp_path / "out", ImageError, "no image that is read"),
    )
    for source, out, kind, words in places:
        with pytest.raises(kind, match=words), serving(source, out):
            pass


@pytest.mark.parametrize("name", ["masks/f0.png", "points.csv", "points.jsonl", "theta.toml", "masks.jsonl"])
@pytest.mark.parametrize("is_review", [False, True])
def test_a_folder_with_files_of_the_user_s_is_refused_before_anything_is_written(tmp_path, name, is_review):
    images, place = scenes(tmp_path / "set/images"), tmp_path / "set" / name
    with serving(images, tmp_path / "first") as client:
        client.edit("add", row=20, col=30)
        client.server.desk.session.publish()
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(b"mine")
    review = {"review": tmp_path / "first"} if is_review else {}
    with (
        pytest.raises(OutputError, match=f"{name} exists, and pointmask did not write it"),
        serving(images, tmp_path / "set", **review),
    ):
        pass
    assert place.read_bytes() == b"mine"
    assert not (tmp_path / "set/clicks.jsonl").exists()
    assert not (tmp_path / "set/manifest.jsonl").exists()


def test_a_copy_for_review_that_was_killed_is_made_to_its_end(tmp_path):
    images = scenes(tmp_path / "images")
    with serving(images, tmp_path / "first") as client:
        client.edit("add", row=20, col=30)
        client.server.desk.session.publish()
    (tmp_path / "copy/masks").mkdir(parents=True)
    data = (tmp_path / "first/masks/f0.png").read_bytes()
    (tmp_path / "copy/masks/f0.png").write_bytes(data)
    with serving(images, tmp_path / "copy", review=tmp_path / "first") as client:
        assert client.get("/api/frame/0/0").json["targets"][0]["point"] == [20, 30]


@pytest.mark.parametrize("is_published", [False, True])
def test_a_folder_that_holds_more_than_its_masks_show_is_not_copied_for_review(tmp_path, is_published):
    images = scenes(tmp_path / "images")
    with serving(images, tmp_path / "first") as client:
        client.edit("add", row=20, col=30)
        if is_published:
            client.server.desk.session.publish()
            client.edit("add", row=40, col=50)
    with (
        pytest.raises(OutputError, match="--publish"),
        serving(images, tmp_path / "copy", review=tmp_path / "first"),
    ):
        pass
    with serving(images, tmp_path / "first", review=tmp_path / "first") as client:
        assert client.get("/api/frame/0/0").json["targets"][0]["point"] == [20, 30]


@pytest.mark.parametrize("label", ["a\x1bb", "x" * 201])
def test_labels_that_no_target_could_have_are_refused_at_the_start(tmp_path, label):
    images = scenes(tmp_path / "images")
    with pytest.raises(InvalidError, match="printable"), serving(images, labels=("fine", label)):
        pass
    assert not (tmp_path / "images-clicks").exists()


@pytest.mark.parametrize("name", ["clicks.jsonl", "manifest.jsonl"])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path, name):
    images, out = scenes(tmp_path / "images"), tmp_path / "out"
    out.mkdir()
    os.mkfifo(out / name)
    with pytest.raises(PointmaskError, match=r"pipe|no plain file"), serving(images, out):
        pass


def test_a_job_of_annotate_that_is_not_finished_is_left_alone(tmp_path):
    images, out = scenes(tmp_path / "images"), tmp_path / "out"
    out.mkdir()
    (out / ".journal.jsonl").write_text('{"image": "f0.png"}\n')
    with pytest.raises(OutputError, match="not finished"), serving(images, out):
        pass


def test_masks_of_another_command_are_reviewed_only_when_asked(tmp_path):
    images = scenes(tmp_path / "images")
    with serving(images, tmp_path / "first") as client:
        client.edit("add", row=20, col=30)
        client.server.desk.session.publish()
    (tmp_path / "first/clicks.jsonl").unlink()
    shutil.copytree(tmp_path / "first", tmp_path / "kept")
    with pytest.raises(OutputError, match="--review"), serving(images, tmp_path / "first"):
        pass
    for out in ("first", "copy"):
        place = tmp_path / ("kept" if out == "copy" else "first")
        with serving(images, tmp_path / out, review=place) as client:
            client.server.desk.note_all()
            assert client.get("/api/images").json["rows"][0]["state"] == "marked"
            assert client.get("/api/queue").json["total"] == 1
            assert client.get("/api/frame/0/0").json["targets"][0]["point"] == [20, 30]
            assert client.edit("add", row=40, col=50).status == 200


def test_points_to_start_from_get_their_masks_when_they_are_shown(tmp_path):
    images = scenes(tmp_path / "images")
    (tmp_path / "points.csv").write_text("image,x,y\nf0.png,30,20\nf1.png,,\nnone.png,3,4\n")
    warnings = []
    with serving(images, points=tmp_path / "points.csv", warn=warnings.append) as client:
        client.server.desk.note_all()
        rows = client.get("/api/images").json["rows"]
        assert [row["state"] for row in rows] == ["marked", "empty", "new"]
        target = client.get("/api/frame/0/0").json["targets"][0]
        assert target["made"] == "seeded"
        np.testing.assert_array_equal(unpacked(target, (64, 80)), annotate(scene(0), [(20, 30)]).mask)
        assert client.edit("set", target=1, verdict="accepted").status == 200
    assert len(warnings) == 1
    assert "name no image here" in warnings[0]
    assert "none.png" in warnings[0]


NO_JOURNALS = (b"\xff" * 50 + b"\n", b'{"seq": 1}\n', b"[" * 10**5 + b"\n", b'{"seq": 1e999}\n', b"{}\n" * 9)


@pytest.mark.parametrize("text", NO_JOURNALS, ids=range(len(NO_JOURNALS)))
def test_x14_a_hostile_journal_ends_the_start_with_a_sentence(tmp_path, text):
    images = scenes(tmp_path / "images")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/clicks.jsonl").write_bytes(text)
    with pytest.raises(PointmaskError, match=r"clicks\.jsonl"), serving(images, tmp_path / "out"):
        pass


def test_x14_every_single_damage_of_a_journal_is_survived(tmp_path):
    """Bytes changed anywhere: the start ends with a sentence, or the page works."""
    images = scenes(tmp_path / "images", 1)
    with serving(images, tmp_path / "out") as client:
        client.edit("add", row=20, col=30)
        client.edit("set", target=1, level=0.3)
        client.post("/api/undo", {})
    whole = (tmp_path / "out/clicks.jsonl").read_bytes()
    random = np.random.default_rng(0)
    for turn in range(25):
        damaged = bytearray(whole)
        for _ in range(1 + turn % 3):
            damaged[random.integers(len(whole))] = int(random.integers(256))
        out = tmp_path / f"out-{turn}"
        out.mkdir()
        (out / "clicks.jsonl").write_bytes(damaged)
        with suppress(JournalError), serving(images, out, warn=str) as client:
            for path in ("frame/0/0", "images", "queue", "summary", "changes?since=0", "crop/0/0/1"):
                assert client.get(f"/api/{path}").status < 500, (turn, path)
            assert client.post("/api/undo", {}).status < 500


def test_a_list_a_shard_and_an_overlap_choose_the_images(tmp_path):
    images = scenes(tmp_path / "images", 12)
    (tmp_path / "list.txt").write_text("f3\nf10\nnone\n")
    warnings = []
    with serving(images, id_list=tmp_path / "list.txt", warn=warnings.append) as client:
        assert [row["name"] for row in client.get("/api/images").json["rows"]] == ["f3.png", "f10.png"]
    assert len(warnings) == 1
    assert "1 ids" in warnings[0]
    with serving(images, tmp_path / "all") as client:
        numbers = [row["id"] for row in client.get("/api/images").json["rows"]]
        assert [client.get(f"/api/frame/{k}/0").json["place"] for k in numbers] == [*range(12)]
    parts = []
    for index in (1, 2):
        with serving(images, tmp_path / f"o{index}", shard=Shard(index, 2), overlap=50.0) as client:
            parts.append({row["name"] for row in client.get("/api/images").json["rows"]})
    names = {f"f{k}.png" for k in range(12)}
    assert parts[0] | parts[1] == names
    assert parts[0] & parts[1] == {name for name in names if is_shared(name, 50.0)}
    assert all(Shard(1, 2).owns(name) or is_shared(name, 50.0) for name in parts[0])


def test_proposals_are_shown_until_they_are_judged(tmp_path):
    images = scenes(tmp_path / "images", 1)
    found = tmp_path / "found"
    mask = np.zeros((64, 80), bool)
    mask[38:43, 48:53] = True
    save(found / "masks/f0.png", mask)
    rows = "f0.png,29.87,20.4,,0.4\nf0.png,50,40,0,0.9\nf0.png,5,5,0,0.1\nf0.png,99,99,0,0.5\n"
    (found / "points.csv").write_text(f"image,x,y,frame,score\n{rows}")
    with serving(images, proposals=found) as client:
        client.server.warm.wait()
        shown = client.get("/api/frame/0/0").json["proposals"]
        assert [(one["point"], one["score"]) for one in shown] == [
            ([40, 50], 0.9),
            ([20, 30], 0.4),
            ([5, 5], 0.1),
        ]
        assert [one["mask"] is None for one in shown] == [False, True, True]
        best, second, last = (one["proposal"] for one in shown)
        ours = client.edit("accept", proposal=best, mask="ours").json["frames"][0]["targets"][0]
        wanted = annotate(scene(0), [(40, 50)]).mask
        np.testing.assert_array_equal(unpacked(ours, (64, 80)), wanted)
        theirs = client.edit("accept", proposal=best, mask="theirs").json["frames"][0]
        assert theirs["removed"] == [ours["target"]]
        assert theirs["targets"][0]["made"] == "predicted"
        np.testing.assert_array_equal(unpacked(theirs["targets"][0], (64, 80)), mask)
        client.post("/api/undo", {})
        assert client.get("/api/frame/0/0").json["targets"][0]["made"] == "click"
        assert client.edit("refuse", proposal=last).status == 200
        assert client.edit("accept", proposal=second, mask="theirs").status == 404
        assert [one["proposal"] for one in client.get("/api/frame/0/0").json["proposals"]] == [second]
    with serving(images, proposals=found) as client:
        assert [one["proposal"] for one in client.get("/api/frame/0/0").json["proposals"]] == [second]

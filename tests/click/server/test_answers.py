"""What each address of the page answers."""

import zlib

import numpy as np
import pytest
from tools.click.serving import scene, unpacked

import pointmask
from pointmask.click.frames.flat import flattened


def test_session_says_what_this_is(page):
    session = page.get("/api/session").json
    assert session["version"] == pointmask.__version__
    assert (session["annotator"], session["labels"], session["read_only"]) == (
        "mei",
        ["plane", "bird"],
        False,
    )
    assert session["images"]["count"] == 6
    assert session["images"]["complete"]
    assert session["warm"]
    assert session["level"] == page.server.desk.session.setup.theta.level


def test_folders_and_images(page):
    tree = page.get("/api/tree?under=0").json
    assert tree["children"] == [{"number": 1, "name": "sub", "images": 2, "marked": 0, "todo": 2}]
    rows = page.get("/api/images?folder=0&from=0&count=500").json
    assert [row["name"] for row in rows["rows"]] == ["f0.png", "f1.png", "f2.png", "stack.npy"]
    assert rows["total"] == 4
    part = page.get("/api/images?folder=1&from=1&count=5").json["rows"]
    assert [(row["name"], row["state"], row["targets"]) for row in part] == [("sub/g1.png", "new", 0)]
    assert page.get("/api/images?folder=0&state=problem").json["rows"] == []
    assert len(page.get("/api/images?folder=0&state=todo&count=2").json["rows"]) == 2


def test_find(page):
    found = page.get("/api/find?text=G1").json
    assert [row["name"] for row in found["rows"]] == ["sub/g1.png"]
    assert not found["more"]
    assert found["numbered"] is None
    assert page.get("/api/find?text=007").json == {"rows": [], "more": False, "numbered": None}
    walked = [page.get(f"/api/find?text={k}").json["numbered"] for k in range(8)]
    assert [one and one["name"] for one in walked] == [
        None,
        *("f0.png", "f1.png", "f2.png", "stack.npy", "sub/g0.png", "sub/g1.png"),
        None,
    ]


def test_next_goes_through_frames_and_folders(page):
    places, at = [], {"id": 0, "frame": 0}
    while at["id"] is not None:
        places.append((at["id"], at["frame"]))
        page.get(f"/api/frame/{at['id']}/{at['frame']}")  # frames are counted when a file is opened
        at = page.get(f"/api/next?from={at['id']}&frame={at['frame']}&step=1&want=any").json
    assert [page.get(f"/api/frame/{image}/0").json["place"] for image in range(6)] == [*range(6)]
    assert places == [(0, 0), (1, 0), (2, 0), (3, 0), (3, 1), (3, 2), (4, 0), (5, 0)]
    assert page.get("/api/next?from=4&frame=0&step=-1").json == {"id": 3, "frame": 2}
    assert page.get("/api/next?from=0&frame=0&step=-1").json == {"id": None, "frame": None}


@pytest.mark.parametrize("place", [(0, 0), (3, 2)])
def test_a_frame_and_its_samples_are_those_of_the_file(page, place):
    image, frame = place
    facts = page.get(f"/api/frame/{image}/{frame}").json
    truth = scene(0 if image == 0 else frame)
    assert facts["shape"] == list(truth.shape)
    assert facts["type"] == "uint16"
    assert facts["code"] == {"type": "u16", "scale": 1, "offset": 0, "exact": True, "missing": None}
    assert facts["quantiles"]["0"] == truth.min()
    assert facts["quantiles"]["100"] == truth.max()
    assert facts["background"]["median"] == np.median(truth)
    address = f"/api/samples/{facts['content']}/{image}/{frame}"
    answer = page.get(address)
    assert answer.headers["Cache-Control"] == "private, max-age=3600, immutable"
    np.testing.assert_array_equal(np.frombuffer(answer.body, "<u2").reshape(truth.shape), truth)
    packed = page.get(f"{address}?deflate=1")
    assert zlib.decompress(packed.body) == answer.body
    part = page.get(f"{address}?top=8&left=16&height=5&width=7")
    assert part.headers["X-Shape"] == "5,7"
    assert part.body == truth[8:13, 16:23].tobytes()
    small = page.get(f"{address}?pool=4")
    assert small.headers["X-Shape"] == "16,20"
    squares = truth.reshape(16, 4, 20, 4).max(axis=(1, 3))
    np.testing.assert_array_equal(np.frombuffer(small.body, "<u2").reshape(16, 20), squares)
    value = page.get(f"/api/value/{image}/{frame}?row=3&col=4").json
    assert value == {"value": str(truth[3, 4]), "type": "uint16"}


def test_a_flat_view_is_another_picture_of_the_same_frame(page):
    facts, flat = page.get("/api/frame/0/0").json, page.get("/api/flat/0/0").json
    assert (flat["shape"], flat["content"], flat["flat"]) == (facts["shape"], facts["content"], True)
    assert flat["type"] == "float32"
    address = f"/api/samples/{facts['content']}/0/0"
    samples = np.frombuffer(page.get(f"{address}?flat=1").body, "<u2").reshape(flat["shape"])
    code, wanted = flat["code"], flattened(scene(0))
    reach = np.clip(wanted, code["offset"] + code["scale"], code["offset"] + 65_535 * code["scale"])
    np.testing.assert_allclose(samples * code["scale"] + code["offset"], reach, atol=code["scale"])
    assert page.get(address).body == scene(0).tobytes()
    assert page.get("/api/frame/0/0").json["quantiles"] == facts["quantiles"]


def test_a_sequence_is_a_file_of_frames_or_a_folder_of_one_shape(page):
    assert page.get("/api/frame/3/1").json["sequence"] == {"index": 1, "length": 3}
    assert page.get("/api/frame/4/0").json["sequence"] == {"index": 0, "length": 2}
    rows = page.get("/api/sequence/3/0").json
    assert rows["length"] == 3
    assert [(row["id"], row["frame"], row["kind"]) for row in rows["rows"]] == [
        (3, 0, ""),
        (3, 1, ""),
        (3, 2, ""),
    ]


def test_a_preview_is_the_mask_of_the_click_and_is_written_nowhere(page):
    before = len(page.journal())
    target = page.post("/api/preview", {"image": 0, "frame": 0, "row": 20, "col": 30}).json["target"]
    wanted = pointmask.annotate(scene(0), [(20, 30)]).targets[0]
    assert (target["area"], target["box"]) == (wanted.area, list(wanted.box))
    assert len(page.journal()) == before


def test_a_click_gives_the_mask_of_annotate(client):
    for row, col in ((20, 30), (40, 50)):
        answer = client.edit("add", row=row, col=col)
        assert answer.status == 200
    masks = [unpacked(target, (64, 80)) for target in client.get("/api/frame/0/0").json["targets"]]
    np.testing.assert_array_equal(
        np.logical_or(*masks), pointmask.annotate(scene(0), [(20, 30), (40, 50)]).mask
    )
    changes = client.get("/api/changes?since=1").json
    assert [(change["image"], change["frame"]) for change in changes["frames"]] == [(0, 0)]
    assert changes["seq"] == answer.json["seq"]


def test_edits_of_every_form(client):
    target = client.edit("add", row=20, col=30, label="plane").json["frames"][0]["targets"][0]["target"]
    forms = (
        ("set", {"level": 0.3}),
        ("set", {"level": None}),
        ("set", {"ring": 1, "label": None, "polarity": "auto", "verdict": "accepted"}),
        ("set", {"row": 21, "col": 30}),
        ("paint", {"set": [[5, 6, 8]], "clear": []}),
        ("superpixel", {"row": 40, "col": 50, "add": True}),
        ("drop", {}),
    )
    for op, fields in forms:
        answer = client.edit(op, target=target, **fields)
        assert answer.status == 200, (op, answer.json)
    assert client.edit("frame", state="empty").json["frames"][0]["state"] == "empty"
    assert client.get("/api/images?folder=0").json["rows"][0]["state"] == "empty"
    assert client.post("/api/undo", {"steps": 2}).json["frames"][0]["targets"]
    assert client.post("/api/redo", {}).json["frames"][0]["removed"] == [target]


def test_marked_images_are_told_apart(client):
    client.edit("add", image=1, row=20, col=30)
    client.edit("set", image=1, target=1, verdict="unsure")
    client.get("/api/frame/0/0")
    rows = client.get("/api/images?folder=0").json["rows"]
    assert [(row["state"], row["targets"]) for row in rows] == [("seen", 0), ("marked", 1), ("new", 0)]
    assert client.get("/api/next?from=0&want=unmarked&step=1").json["id"] == 2
    assert client.get("/api/next?from=0&want=unsure&step=1").json["id"] == 1
    assert [row["id"] for row in client.get("/api/images?state=unsure").json["rows"]] == [1]
    summary = client.get("/api/summary").json
    assert (summary["marked"], summary["todo"], summary["targets"], summary["unsure"]) == (1, 2, 1, 1)
    queue = client.get("/api/queue?state=unsure&order=area&low=0.05").json
    assert [(row["id"], row["target"]) for row in queue["rows"]] == [(1, 1)]


def test_a_crop_is_samples_soft_label_and_mask(client):
    client.edit("add", row=20, col=30)
    answer = client.get("/api/crop/0/0/1?side=33")
    top, left, height, width = map(int, answer.headers["X-Place"].split(","))
    sizes = list(map(int, answer.headers["X-Parts"].split(",")))
    assert (top, left, height, width) == (4, 14, 33, 33)
    assert sizes == [2 * 33 * 33, 33 * 33, -(-33 * 33 // 8)]
    assert sum(sizes) == len(answer.body)
    truth, wanted = scene(0), pointmask.annotate(scene(0), [(20, 30)])
    part = (slice(4, 37), slice(14, 47))
    assert answer.body[: sizes[0]] == truth[part].tobytes()
    soft = np.frombuffer(answer.body[sizes[0] : -sizes[2]], np.uint8).reshape(33, 33)
    np.testing.assert_array_equal(soft, np.rint(255 * wanted.soft[part]))
    bits = np.unpackbits(np.frombuffer(answer.body[-sizes[2] :], np.uint8), count=33 * 33)
    np.testing.assert_array_equal(bits.reshape(33, 33) == 1, wanted.mask[part])
    corner = client.edit("add", row=63, col=79).json["frames"][0]["targets"][-1]["target"]
    assert client.get(f"/api/crop/0/0/{corner}?side=257").headers["X-Place"] == "0,0,64,80"


def test_publishing_is_a_job(client):
    client.edit("add", row=20, col=30)
    job = client.post("/api/jobs", {"kind": "publish"}).json
    while job["state"] in ("waiting", "running"):
        job = client.get(f"/api/jobs/{job['job']}").json
    assert (job["state"], job["result"]) == ("done", {"done": 1, "skipped": 0, "targets": 1})
    assert client.ask("DELETE", f"/api/jobs/{job['job']}").json["state"] == "done"
    assert (client.server.desk.session.setup.out / "manifest.jsonl").is_file()

"""Jobs over HTTP: tracking, filling, calibrating. What they compute is tested without a server."""

import pytest
from tools.click.serving import scene, scenes, serving
from tools.folders import save


@pytest.fixture
def client(tmp_path):
    """A target that moves one pixel a frame, through six frames."""
    for k in range(6):
        save(tmp_path / f"images/f{k}.png", scene(k, places=((20, 30 + k),)))
    (tmp_path / "points.csv").write_text("image,x,y\nf5.png,35,20\n")
    with serving(tmp_path / "images", points=tmp_path / "points.csv") as client:
        client.server.warm.wait()
        yield client


def finished(client, kind, **fields):
    answer = client.post("/api/jobs", {"kind": kind, **fields})
    assert answer.status == 200, answer.body
    job = answer.json
    while job["state"] in ("waiting", "running"):
        job = client.get(f"/api/jobs/{job['job']}").json
    return job


def test_targets_are_carried_to_the_next_given_frame(client):
    assert client.edit("add", row=20, col=30).status == 200
    job = finished(client, "track", image=0, frame=0, targets=[1])
    assert (job["state"], job["result"]) == ("done", {"frames": 4, "changed": 4})
    rows = client.get("/api/sequence/0/0").json["rows"]
    assert [row["kind"] for row in rows] == ["given", *4 * ["carried"], "given"]
    assert client.get("/api/frame/3/0").json["targets"][0]["point"] == [20, 33]
    states = [row["state"] for row in client.get("/api/images").json["rows"]]
    assert states == 6 * ["marked"]
    assert client.post("/api/undo", {}).status == 200
    assert client.get("/api/frame/3/0").json["targets"] == []


def test_what_cannot_be_tracked_is_told(client):
    job = finished(client, "track", image=0, frame=0)
    assert job["state"] == "failed"
    assert "click one" in job["error"]
    client.edit("add", row=20, col=30)
    client.edit("add", row=50, col=60)
    answer = client.post("/api/jobs", {"kind": "track", "image": 0, "frame": 0, "targets": [1]})
    assert answer.status == 400
    assert "carried together" in answer.json["error"]["message"]


def test_masks_of_given_points_are_made_at_once_when_asked(client):
    assert finished(client, "fill")["result"] == {"failed": 0, "problems": []}
    assert [line["op"] for line in client.journal()] == ["open", "add"]
    assert finished(client, "fill")["state"] == "done"
    assert len(client.journal()) == 2


def test_a_calibration_says_what_it_lacks_and_no_theta_is_taken_from_it(client):
    job = finished(client, "calibrate")
    assert job["state"] == "failed"
    assert "are needed" in job["error"]
    assert client.post("/api/theta", {"job": job["job"]}).status == 404


def test_a_style_is_used_for_masks_that_nobody_judged(client):
    client.edit("add", row=20, col=30)
    client.edit("add", image=1, row=20, col=31)
    client.edit("set", image=1, target=1, verdict="accepted")
    before = [client.get(f"/api/frame/{image}/0").json["targets"][0] for image in (0, 1)]
    session = client.get("/api/session").json
    assert session["style"] == 0
    assert session["limits"]["styles"] == [-3, 3]
    answer = client.post("/api/theta", {"style": 1.0}).json
    assert answer["style"] == 1
    remaking = {"state": "running"}
    while remaking["state"] in ("waiting", "running"):
        remaking = client.get(f"/api/jobs/{answer['job']}").json
    after = [client.get(f"/api/frame/{image}/0").json["targets"][0] for image in (0, 1)]
    assert after[0]["area"] > before[0]["area"]
    assert after[1] == before[1]
    for wrong in ({"style": 3.5}, {"style": "halo"}, {"style": 1.0, "job": 1}, {}):
        assert client.post("/api/theta", wrong).status == 400


@pytest.mark.slow
def test_a_calibration_is_accepted_and_masks_that_nobody_judged_are_made_anew(tmp_path):
    images = scenes(tmp_path / "images", 14)
    with serving(images) as client:
        client.server.warm.wait()
        for image in range(12):
            for row, col in ((20, 30), (40, 50)):
                client.edit("add", image=image, row=row, col=col)
            for target in (1, 2):
                client.edit("set", image=image, target=target, ring=1, verdict="accepted")
        judged = client.get("/api/frame/0/0").json["targets"]
        client.edit("add", image=13, row=20, col=30)
        job = finished(client, "calibrate")
        assert job["state"] == "done", job
        assert job["result"]["lines"]
        assert job["result"]["unjudged"] == 1
        before = client.get("/api/session").json["theta"]
        answer = client.post("/api/theta", {"job": job["job"]}).json
        remaking = {"state": "running"}
        while remaking["state"] in ("waiting", "running"):
            remaking = client.get(f"/api/jobs/{answer['job']}").json
        assert remaking["result"]["failed"] == 0
        after = client.get("/api/session").json["theta"]
        assert (after != before) == (answer["theta"] != before)
        assert client.get("/api/frame/0/0").json["targets"] == judged
        assert client.get("/api/frame/13/0").json["targets"][0]["theta"] == after

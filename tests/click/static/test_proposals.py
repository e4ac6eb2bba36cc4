"""Proposals are shown until they are judged: accepted with our mask or theirs, or refused for good."""

import json

import pytest
from tools.click.planted import mask_of, planted

pytestmark = pytest.mark.browser


@pytest.fixture
def proposed(tmp_path):
    """A frame of three targets, all proposed."""
    scene = next(iter(planted(tmp_path / "a", 1, targets=3).values()))
    rows = [f"f0000.tif,{col},{row}" for row, col in scene.points]
    (tmp_path / "found.csv").write_text("image,x,y\n" + "\n".join(rows) + "\n")
    return scene, tmp_path / "found.csv"


def test_proposals_are_accepted_and_refused_by_keys_and_stay_so(tmp_path, proposed, served, visit):
    """T19"""
    scene, found = proposed
    client = served(tmp_path / "a", proposals=found)
    user = visit(client)
    shown = client.get("/api/frame/0/0").json["proposals"]
    assert len(shown) == 3
    assert user.canvas("marks").any()
    told = user.page.locator(".proposals")
    assert told.inner_text().startswith("3 proposals: Y accepts one, Delete refuses it")
    user.press("y")  # the first one
    user.settle()
    assert told.inner_text().startswith("2 proposals")
    first = tuple(shown[0]["point"])
    assert user.points("f0000.tif") == [first]
    assert (user.server_mask("f0000.tif", scene.image.shape) == mask_of(scene.image, [first])).all()
    user.press("Escape", ".", ".")  # the target, then the next proposal
    user.press("Delete")
    user.settle()
    left = client.get("/api/frame/0/0").json["proposals"]
    assert len(left) == 1
    user.page.reload()
    user.on_image("f0000.tif")
    user.press("y")
    user.settle()
    assert sorted(user.points("f0000.tif")) == sorted([first, tuple(left[0]["point"])])
    assert client.get("/api/frame/0/0").json["proposals"] == []
    assert told.is_hidden()
    lines = map(json.loads, (client.server.desk.session.setup.out / "clicks.jsonl").read_text().splitlines())
    assert sum(line["op"] == "add" for line in lines) == 2


def test_one_key_goes_through_the_proposals_of_all_images(tmp_path, served, visit):
    scenes = planted(tmp_path / "a", 4, targets=1)
    with_some = [name for name in scenes if name != "f0001.tif"]
    points = {name: scenes[name].points[0] for name in with_some}
    text = "".join(f"{name},{col},{row}\n" for name, (row, col) in points.items())
    (tmp_path / "found.csv").write_text("image,x,y\n" + text)
    client = served(tmp_path / "a", proposals=tmp_path / "found.csv")
    assert client.get("/api/next?from=2&want=proposed&step=-1").json["id"] == 0
    user = visit(client)
    for name in with_some:
        user.on_image(name)
        user.press("y")  # accepts
        user.settle()
        user.press("y")  # goes on
    user.page.wait_for_selector(".note-box >> text=No image with an open proposal")
    assert {name: tuple(user.points(name)[0]) for name in with_some} == points
    assert not user.points("f0001.tif")

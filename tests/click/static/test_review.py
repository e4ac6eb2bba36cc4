"""The review queue: a key per verdict, without the mouse; the contact sheet; what is counted."""

import pytest
from tools.click.planted import planted

pytestmark = pytest.mark.browser

TARGETS = 30


@pytest.fixture
def marked(tmp_path, served):
    """A folder of 30 targets with masks, and the client of its server."""
    scenes = planted(tmp_path / "a", 10, targets=3)
    client = served(tmp_path / "a")
    for image, scene in enumerate(scenes.values()):
        for row, col in scene.points:
            assert client.edit("add", image, row=row, col=col).status == 200
    return client


def targets_of(client):
    """All targets that there are, by image and number."""
    session = client.server.desk.session
    frames = (session.frame(name, frame) for name, frame in session.marked())
    return {(frame.image, target.target): target for frame in frames for target in frame.targets}


def queued(user, place):
    """Wait until a place of the queue is on the screen with its frame."""
    user.page.wait_for_function(
        "place => document.querySelector('.review')?.dataset.place === place", arg=str(place)
    )
    user.settle()


def test_thirty_targets_are_reviewed_without_the_mouse(marked, visit):
    """T15, U3: least sure first; every fifth is removed, every seventh unsure, one is corrected."""
    user = visit(marked)
    before = targets_of(marked)
    assert len(before) == TARGETS
    order = sorted(before, key=lambda key: before[key].confidence)
    user.press("j")
    expected = {}
    for place in range(TARGETS):
        queued(user, place)
        shown = user.page.locator(".review").get_attribute("data-target")
        image, target = shown.rsplit(" ", 1)
        key = image, int(target)
        # Of equal confidence, either may come first.
        assert before[key].confidence == before[order[place]].confidence, "the queue jumps"
        if place % 5 == 4:
            user.press("Delete")
            expected[key] = "removed"
        elif place % 7 == 6:
            user.press("u")
            expected[key] = "unsure"
        elif place == 8:
            user.press("]")
            user.settle()
            user.press("Enter")
            expected[key] = "changed"
        else:
            user.press("Enter" if place % 2 else "Space")
            expected[key] = "accepted"
    user.settle()
    after = targets_of(marked)
    assert len(expected) == TARGETS
    for key, verdict in expected.items():
        assert (after[key].verdict if key in after else "removed") == verdict
    line = user.page.locator(".progress-line").inner_text()
    assert f"{TARGETS} of {TARGETS} done" in line
    changed = sum(verdict in ("removed", "changed") for verdict in expected.values())
    assert f"changed: {changed} of the last {TARGETS}" in line
    user.press("z")  # the last verdict is taken back, as everywhere
    user.settle()
    assert list(targets_of(marked).values()) != list(after.values())


def test_a_key_that_is_held_down_accepts_one_target_and_no_more(marked, visit):
    user = visit(marked)
    user.press("j")
    queued(user, 0)
    for _ in range(5):  # from the second on they are repetitions, as a keyboard sends them
        user.page.keyboard.down("Enter")
        user.page.wait_for_timeout(120)
    user.page.keyboard.up("Enter")
    queued(user, 1)
    assert sum(target.verdict is not None for target in targets_of(marked).values()) == 1


def test_masks_of_given_points_are_made_when_asked_and_then_come_in_order(tmp_path, served, visit):
    scenes = planted(tmp_path / "a", 4, targets=3)
    rows = [f"{name},{col},{row}" for name, scene in scenes.items() for row, col in scene.points]
    (tmp_path / "points.csv").write_text("\n".join(["image,x,y", *rows]))
    client = served(tmp_path / "a", points=tmp_path / "points.csv")
    numbers = client.get("/api/summary").json
    assert (numbers["targets"], numbers["unmade"]) == (12, 12)
    user = visit(client)
    user.press("j")
    queued(user, 0)
    told = user.page.locator(".unmade")
    assert "12 masks of given points are not made yet" in told.inner_text()
    told.get_by_role("button", name="Make them now").click()
    told.wait_for(state="hidden")
    queued(user, 0)
    confidences = [target.confidence for target in targets_of(client).values()]
    assert len(confidences) == 12
    shown = user.page.locator(".review").get_attribute("data-target").rsplit(" ", 1)
    assert targets_of(client)[shown[0], int(shown[1])].confidence == min(confidences)
    numbers = client.get("/api/summary").json
    assert (numbers["targets"], numbers["unmade"]) == (12, 0)


def test_two_of_a_contact_sheet_are_picked_out_and_the_rest_accepted(marked, visit):
    """T16"""
    user = visit(marked, fragment="")
    user.press("j")
    queued(user, 0)
    user.press("g")
    tiles = user.page.locator(".sheet-tile")
    tiles.nth(23).wait_for()
    assert tiles.count() == 24
    user.press("ArrowRight", "x", "ArrowRight", "ArrowRight")
    tiles.nth(7).click()
    user.press("Enter")
    queued(user, 1)  # those picked out come one by one
    verdicts = [target.verdict for target in targets_of(marked).values()]
    assert verdicts.count("accepted") == 22
    assert verdicts.count(None) == TARGETS - 22


def test_the_queue_is_narrowed_by_confidence_and_says_when_nothing_is_left(marked, visit):
    user = visit(marked)
    low = sorted(target.confidence for target in targets_of(marked).values())
    user.press("j")
    queued(user, 0)
    high = user.page.get_by_label("Greatest confidence")
    high.fill(f"{low[9]:.2f}")
    high.press("Tab")
    wanted = sum(confidence <= round(low[9], 2) for confidence in low)
    user.page.wait_for_function(
        "n => document.querySelector('.progress-line').textContent.includes(`of ${n} done`)", arg=wanted
    )
    high.fill("0")
    high.press("Tab")
    user.page.get_by_text("Nothing to review here").wait_for()


def test_a_target_of_the_queue_opens_in_the_workspace(marked, visit):
    user = visit(marked)
    user.press("j")
    queued(user, 0)
    image, target = user.page.locator(".review").get_attribute("data-target").rsplit(" ", 1)
    user.press("o")
    user.on_image(image)
    assert user.page.locator(".target.selected").get_attribute("data-target") == target


def test_a_review_that_was_asked_for_is_what_opens_and_its_buttons_are_in_sight(marked, visit):
    user = visit(marked, begin=False, viewport={"width": 900, "height": 700})
    user.page.goto(f"{user.url}#/review&token={marked.token}")
    queued(user, 0)
    user.page.get_by_text("When to stop").click()
    buttons = user.page.locator(".review-facts button")
    for i in range(buttons.count()):
        box = buttons.nth(i).bounding_box()
        assert box["y"] + box["height"] <= 700
    reviewed = "() => [...document.querySelectorAll('.stop tbody tr')].map((tr) => +tr.cells[2].textContent)"
    assert sum(user.page.evaluate(reviewed)) == 0
    buttons.first.click()
    user.page.wait_for_function(f"() => ({reviewed})().reduce((a, b) => a + b, 0) === 1")

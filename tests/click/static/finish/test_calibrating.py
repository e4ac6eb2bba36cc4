"""The drawing style of corrected masks is taught on the page."""

import re
from functools import partial

import numpy as np
import pytest
from tools.click.planted import planted
from tools.click.serving import THETA

from pointmask import Theta, annotate
from pointmask.click.jobs import calibration
from pointmask.io.clicks import last_theta

pytestmark = pytest.mark.browser

JUDGED, OPEN = 8, 2
WIDE = 0.2


@pytest.fixture
def corrected(tmp_path, served, monkeypatch):
    """Frames of two targets: all but the first and the last two are corrected to wider masks."""
    quick = partial(calibration.calibrate_session, budget=60)
    monkeypatch.setattr(calibration, "calibrate_session", quick)
    scenes = planted(tmp_path / "a", JUDGED + OPEN, shape=(64, 80), targets=2)
    client = served(tmp_path / "a")
    for image, scene in enumerate(scenes.values()):
        for row, col in scene.points if image else ():
            assert client.edit("add", image, row=row, col=col).status == 200
        for target in (1, 2) if 1 <= image < JUDGED else ():
            assert client.edit("set", image, target=target, level=WIDE).status == 200
    return client, scenes


def test_a_style_is_taught_by_corrected_masks_and_used_for_those_that_nobody_judged(corrected, visit):
    """U5"""
    client, scenes = corrected
    session, user, names = client.server.desk.session, visit(client), list(scenes)
    for row, col in scenes[names[0]].points:  # the last corrections, by keys
        user.click(row, col)
        user.press("Shift+BracketRight", "Shift+BracketRight")
    user.settle()
    levels = [target.level for target in user.standing(names[0]).targets]
    assert levels == [pytest.approx(WIDE)] * 2
    before = {name: session.frame(name, 0).targets for name in names}
    user.page.get_by_role("link", name="Finish").click()
    user.page.get_by_role("button", name="Calibrate", exact=True).click()
    told = user.page.locator(".found")
    use = told.get_by_role("button", name="Use it")
    use.wait_for(timeout=60_000)
    lines = told.inner_text()
    assert "pooled IoU" in lines
    changing = int(re.search(r"(\d) of 4 masks that nobody has looked at would change\.", lines)[1])
    assert changing > 0
    told.locator(".before-after li").nth(changing - 1).wait_for()
    assert {name: session.frame(name, 0).targets for name in names} == before, "shown, not yet used"
    use.click()
    user.page.get_by_text("Masks that nobody had looked at were made anew.").wait_for()
    theta = Theta.from_toml(last_theta(session.setup.out))
    assert theta != THETA
    for name in names[:JUDGED]:
        assert session.frame(name, 0).targets == before[name]
    for name in names[JUDGED:]:
        scene = scenes[name]
        made = user.server_mask(name, scene.image.shape)
        assert np.array_equal(made, np.asarray(annotate(scene.image, scene.points, theta=theta).mask))


def test_accepted_masks_alone_teach_nothing_and_the_page_says_so(tmp_path, served, visit):
    scenes = planted(tmp_path / "a", JUDGED, shape=(64, 80), targets=2)
    client = served(tmp_path / "a")
    for image, scene in enumerate(scenes.values()):
        for target, (row, col) in enumerate(scene.points, 1):
            assert client.edit("add", image, row=row, col=col).status == 200
            assert client.edit("set", image, target=target, verdict="accepted").status == 200
    user = visit(client)
    user.page.get_by_role("link", name="Finish").click()
    user.page.get_by_role("button", name="Calibrate", exact=True).click()
    user.page.get_by_text("none of the 16 accepted masks was corrected").wait_for()

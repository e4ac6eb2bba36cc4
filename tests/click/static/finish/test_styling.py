"""How large masks are drawn is set on the page, for those that nobody has judged."""

import pytest
from tools.click.planted import planted

pytestmark = pytest.mark.browser


def test_the_style_is_turned_and_masks_that_nobody_judged_follow(tmp_path, served, visit):
    scenes = planted(tmp_path / "a", 2, shape=(64, 80), targets=1)
    client = served(tmp_path / "a")
    for image, scene in enumerate(scenes.values()):
        ((row, col),) = scene.points
        assert client.edit("add", image, row=row, col=col).status == 200
    assert client.edit("set", 1, target=1, verdict="accepted").status == 200
    session, user = client.server.desk.session, visit(client)
    before = [session.frame(name, 0).targets[0] for name in scenes]
    user.page.get_by_role("link", name="Finish").click()
    slider = user.page.get_by_role("slider", name="Drawing style")
    slider.fill("0.8")
    user.page.get_by_text("+0.80 px").wait_for()
    user.page.get_by_role("button", name="Draw so").click()
    user.page.get_by_text("Masks that nobody had looked at were made anew.").wait_for()
    after = [session.frame(name, 0).targets[0] for name in scenes]
    assert session.setup.theta.style == 0.8
    assert after[0].area > before[0].area
    assert after[1] == before[1]

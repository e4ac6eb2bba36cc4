"""Ways to the page and on from it: through a prefix, over a slow link, many files, many pages."""

import shlex

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner
from tools.click.planted import mask_of, planted
from tools.click.proxy import behind_prefix

from pointmask.cli import main

pytestmark = pytest.mark.browser


def test_the_page_works_under_a_prefix(tmp_path, served, visit):
    """T24, X17: clicks, images, reload and review, with no address that begins at the root."""
    scenes = planted(tmp_path / "a", 2)
    client = served(tmp_path / "a")
    with behind_prefix(client.port, "/user/mei/proxy/8765/") as address:
        user = visit(client, url=address)
        for name, scene in scenes.items():
            user.on_image(name)
            user.click(*scene.points[0])
            user.press("d")
        for name, scene in scenes.items():
            expected = mask_of(scene.image, scene.points[:1])
            assert np.array_equal(user.server_mask(name, scene.image.shape), expected)
        user.page.reload()
        user.on_image("f0001.tif")
        user.press("j")
        user.page.locator(".review[data-place='0']").wait_for()
        assert user.page.url.startswith(address)


def test_over_a_slow_link_the_marker_is_there_at_once_and_edits_keep_their_order(tmp_path, served, visit):
    """T25: 50 ms each way, and only the latest place of a drag is sent."""
    scene = next(iter(planted(tmp_path / "a", 1, targets=3).values()))
    user = visit(served(tmp_path / "a"))
    link = user.page.context.new_cdp_session(user.page)
    slow = {"offline": False, "latency": 100, "downloadThroughput": 1.25e6, "uploadThroughput": 1.25e6}
    link.send("Network.enable")
    link.send("Network.emulateNetworkConditions", slow)
    sent = []
    user.page.on("request", lambda asked: sent.append(asked.post_data_json) if "edits" in asked.url else None)
    for row, col in scene.points:
        user.click(row, col, wait=False)
    user.painted()
    assert user.page.locator(".saving").get_attribute("data-state") == "sending"
    cover = user.canvas("marks")
    assert ((cover[..., 0] == 255) & (cover[..., 1] == 79)).sum() > 3 * 20  # three markers
    user.settle()
    assert user.points("f0000.tif") == list(scene.points)
    sent.clear()
    row, col = scene.points[0]
    user.drag(user.place(row, col), user.place(row - 6, col - 6), steps=30)
    assert user.points("f0000.tif")[0] == (row - 6, col - 6)
    assert len(sent) < 7  # of some thirty places
    user.press("z")
    user.settle()
    assert user.points("f0000.tif")[0] == (row, col)


def test_keys_pressed_faster_than_a_slow_link_answers_are_steps_that_all_count(tmp_path, served, visit):
    planted(tmp_path / "a", 6)
    user = visit(served(tmp_path / "a"))
    link = user.page.context.new_cdp_session(user.page)
    slow = {"offline": False, "latency": 80, "downloadThroughput": 1.25e6, "uploadThroughput": 1.25e6}
    link.send("Network.enable")
    link.send("Network.emulateNetworkConditions", slow)
    user.press("d", "d", "d", "d", "a")
    user.on_image("f0003.tif")
    user.press("End", "a", "Home", "d")
    user.on_image("f0001.tif")
    user.page.wait_for_timeout(400)
    assert user.page.locator(".stage-box").get_attribute("data-image") == "f0001.tif#0"


def test_many_images_are_scrolled_and_found_without_being_listed(tmp_path, served, visit):
    """T29, in small: what is out of sight is not there."""
    frame = np.random.default_rng(0).integers(0, 9, (8, 8)).astype(np.uint8)
    (tmp_path / "a").mkdir()
    tifffile.imwrite(tmp_path / "a" / "f00000.tif", frame)
    data = (tmp_path / "a" / "f00000.tif").read_bytes()
    for k in range(1, 3000):
        (tmp_path / "a" / f"f{k:05d}.tif").write_bytes(data)
    user = visit(served(tmp_path / "a"))
    assert user.page.locator(".tree .image").count() < 100
    user.page.locator(".tree").evaluate("e => { e.scrollTop = 2500 * 28; }")
    user.page.locator(".tree .image", has_text="f02505.tif").click()
    user.on_image("f02505.tif")
    user.press("g")
    user.page.keyboard.type("02999")
    user.page.keyboard.press("Enter")
    user.on_image("f02999.tif")
    assert user.page.locator(".tree .current").inner_text().startswith("f02999.tif")
    user.press("g")
    user.page.keyboard.type("1234")
    user.page.locator(".hits li b", has_text="1,234").wait_for()
    user.page.keyboard.press("Enter")
    user.on_image("f01233.tif")


def test_pages_of_a_file_are_frames_that_are_marked_apart(tmp_path, served, visit):
    """T31"""
    scenes = list(planted(tmp_path / "parts", 3).values())
    (tmp_path / "a").mkdir()
    tifffile.imwrite(
        tmp_path / "a" / "stack.tif", np.stack([scene.image for scene in scenes]), photometric="minisblack"
    )
    user = visit(served(tmp_path / "a"))
    for k, scene in enumerate(scenes):
        user.on_image("stack.tif", k)
        user.click(*scene.points[0])
        user.press("d")
    assert [user.points("stack.tif", k) for k in range(3)] == [[scene.points[0]] for scene in scenes]
    user.press("Home")
    user.on_image("stack.tif", 0)
    user.press("g")
    user.page.keyboard.type("stack.tif#2")
    user.page.keyboard.press("Enter")
    user.on_image("stack.tif", 2)


def test_a_page_of_another_port_reads_nothing(tmp_path, served, visit, browser):
    """T23, X5: neither by fetch, nor by an image tag, nor in a frame."""
    planted(tmp_path / "a", 1)
    client = served(tmp_path / "a")
    other = served(tmp_path / "a", out=tmp_path / "other")
    page = visit(other, allowed=("",)).page
    target = f"http://127.0.0.1:{client.port}/"
    found = page.evaluate(
        """async (target) => {
          const ask = (how) => fetch(target + "api/session", how).then((a) => a.type, () => "refused");
          return [await ask({}), await ask({ mode: "no-cors" })];
        }""",
        target,
    )
    assert found[0] == "refused"
    assert found[1] in ("refused", "opaque")


def test_an_older_browser_is_told_in_a_sentence(tmp_path, served, visit):
    """B"""
    planted(tmp_path / "a", 1)
    user = visit(served(tmp_path / "a"), begin=False)
    user.page.add_init_script("delete AbortSignal.timeout")
    user.page.goto(user.url)
    user.page.get_by_text("needs a browser of 2024 or later").wait_for()
    assert user.page.locator(".workspace").count() == 0


def test_clicks_are_kept_while_the_kernels_are_compiled(tmp_path, served, visit):
    """3.4: the page says so, without an alarm, and goes on by itself."""
    scene = next(iter(planted(tmp_path / "a", 1).values()))
    client = served(tmp_path / "a")
    client.server.warm.wait()
    client.server.warm.clear()
    user = visit(client, allowed=("503", "Service Unavailable"))
    user.page.get_by_text("First start on this machine").wait_for()
    user.click(*scene.points[0], wait=False)
    user.page.wait_for_timeout(2500)  # longer than the server holds a click back
    assert not user.page.locator(".alarm").is_visible()
    assert user.points("f0000.tif") == []
    client.server.warm.set()
    user.settle()
    assert user.points("f0000.tif") == [scene.points[0]]


def test_the_commands_that_come_next_run_as_they_are_written(tmp_path, served, visit):
    (scene,) = planted(tmp_path / "some images", 1).values()
    user = visit(served(tmp_path / "some images"))
    user.click(*scene.points[0])
    user.page.get_by_role("link", name="Finish").click()
    user.page.get_by_role("button", name="Publish now").click()
    user.page.get_by_text("Published:").wait_for()
    check, convert, train = user.page.locator(".command code").all_inner_texts()
    for line in (check, convert):
        done = CliRunner().invoke(main, shlex.split(line)[1:])
        assert done.exit_code == 0, done.output
    arguments = shlex.split(train)
    assert arguments[:2] == ["pointmask", "train"]
    done = CliRunner().invoke(main, [*arguments[1:], "--help"])  # training itself takes minutes
    assert done.exit_code == 0, done.output

"""How frames look: crisp, to the count, nothing dim lost, and the view kept."""

import numpy as np
import pytest
import tifffile
from tools.click.planted import planted

pytestmark = pytest.mark.browser

NOISE = np.random.default_rng(0)


def write(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, image)


def test_at_16x_every_pixel_is_a_uniform_block(tmp_path, served, visit):
    """T3"""
    frame = NOISE.integers(0, 65536, (40, 50), np.uint16)
    write(tmp_path / "a" / "f.tif", frame)
    for ratio in (1, 1.5):
        user = visit(served(tmp_path / "a", out=tmp_path / f"out{ratio}"), device_scale_factor=ratio)
        user.page.locator("input[value=type]").check(force=True)
        user.zoom_to(16, 20, 25)
        v, canvas = user.view, user.canvas()[..., 0]
        seen = 0
        for row in range(40):
            for col in range(50):
                y, x = v["y"] + 16 * row, v["x"] + 16 * col
                if y < 0 or x < 0 or y + 16 > canvas.shape[0] or x + 16 > canvas.shape[1]:
                    continue
                block = canvas[int(y) : int(y) + 16, int(x) : int(x) + 16]
                assert (block == block[0, 0]).all()
                assert abs(int(block[0, 0]) - int(frame[row, col]) // 256) <= 1
                seen += 1
        assert seen > 500


def test_one_bright_pixel_is_still_there_when_four_are_one(tmp_path, served, visit):
    """T3"""
    frame = np.full((2400, 1700), 1000, np.uint16)
    frame[1001, 777] = 3000
    write(tmp_path / "a" / "f.tif", frame)
    user = visit(served(tmp_path / "a"))
    user.page.locator("input[value=full]").check(force=True)
    user.painted()
    v = user.view
    pool = round(1 / v["scale"])
    assert pool == 4
    bright = np.argwhere(user.canvas()[..., 0] > 250)
    assert bright.tolist() == [[v["y"] + 1001 // pool, v["x"] + 777 // pool]]
    assert "brightest of 4" in user.page.locator(".badge:visible").inner_text()


def test_a_click_on_a_pooled_pixel_means_the_one_that_is_shown(tmp_path, served, visit):
    frame = NOISE.integers(1000, 1010, (2400, 1700)).astype(np.uint16)
    frame[1001:1003, 777:779] = 3000
    frame[1001, 778] = 3100
    write(tmp_path / "a" / "f.tif", frame)
    user = visit(served(tmp_path / "a"))
    v, pool = user.view, round(1 / user.view["scale"])
    assert pool == 4
    user.page.mouse.click(v["left"] + v["x"] + 778 // pool + 0.5, v["top"] + v["y"] + 1001 // pool + 0.5)
    user.settle()
    assert user.points("f.tif") == [(1001, 778)]


def test_a_step_of_one_count_is_seen_and_turning_the_window_asks_nothing_of_the_server(
    tmp_path, served, visit
):
    """T4"""
    frame = np.full((64, 80), 12_000, np.uint16)
    frame[:, 40:] = 12_001
    frame[0, 0], frame[0, 1] = 0, 65535
    write(tmp_path / "a" / "f.tif", frame)
    user = visit(served(tmp_path / "a"))
    low, high = user.page.locator(".fields input").all()
    low.fill("11998")
    low.press("Enter")
    high.fill("12002")
    high.press("Enter")
    user.painted()
    user.page.wait_for_timeout(2200)  # the page's own questions are over, and not due for two seconds
    user.hover(30, 30)
    user.page.wait_for_timeout(300)  # and so is that for the mask under the pointer
    v = user.view
    canvas = user.canvas()[..., 0].astype(int)
    middle = int(v["y"] + 30 * v["scale"])
    left, right = (canvas[middle, int(v["x"] + (col + 0.5) * v["scale"])] for col in (20, 60))
    assert right - left >= 50
    asked = []
    user.page.on("request", lambda request: asked.append(request.url))
    x, y = user.place(30, 30)
    user.page.mouse.move(x, y)
    user.page.mouse.down(button="right")
    for k in range(30):
        user.page.mouse.move(x + 3 * k, y + k)
    user.page.mouse.up(button="right")
    user.painted()
    assert [url for url in asked if "api/changes" not in url] == []
    assert user.canvas()[..., 0].astype(int)[middle, 300] != canvas[middle, 300]


def test_holding_v_leaves_the_image_alone(tmp_path, served, visit):
    """T13"""
    scenes = planted(tmp_path / "a", 1)
    user = visit(served(tmp_path / "a"))
    bare = user.canvas()
    for row, col in next(iter(scenes.values())).points:
        user.click(row, col)
    user.hover(10, 10)
    user.painted()
    assert user.canvas("marks").any()
    user.page.keyboard.down("v")
    user.painted()
    assert not user.canvas("marks").any()
    assert np.array_equal(user.canvas(), bare)
    user.page.keyboard.up("v")
    user.painted()
    assert user.canvas("marks").any()


def test_view_and_window_stay_for_frames_of_one_shape_and_fit_for_others(tmp_path, served, visit):
    """T14"""
    for k in range(2):
        write(tmp_path / "a" / f"f{k}.tif", NOISE.integers(1000 + 500 * k, 2000, (64, 80)).astype(np.uint16))
    write(tmp_path / "a" / "f2.tif", NOISE.integers(0, 9, (30, 90)).astype(np.uint16))
    user = visit(served(tmp_path / "a"))
    user.zoom_to(16, 50, 60)
    user.press("l")
    window = [field.input_value() for field in user.page.locator(".fields input").all()]
    view = user.view
    user.press("d")
    user.on_image("f1.tif")
    assert user.view == view
    assert [field.input_value() for field in user.page.locator(".fields input").all()] == window
    user.press("d")
    user.on_image("f2.tif")
    v = user.view
    assert 90 * v["scale"] <= v["width"]
    assert abs(2 * v["x"] + 90 * v["scale"] - v["width"]) <= 2


def test_the_read_out_is_the_file_s_own_number(tmp_path, served, visit):
    """T32"""
    frame = NOISE.normal(290, 0.5, (40, 50)).astype(np.float32)
    frame[3, 4] = np.nan
    frame[5, 6] = 1e30
    write(tmp_path / "a" / "kelvin.tif", frame)
    user = visit(served(tmp_path / "a"))
    user.hover(20, 30)
    user.page.wait_for_function(
        "wanted => document.querySelector('.status .value').textContent.includes(wanted)",
        arg=str(frame[20, 30]),
    )
    user.hover(3, 4)
    user.page.wait_for_function("() => /nan/i.test(document.querySelector('.status .value').textContent)")
    colour = user.canvas()[
        int(user.view["y"] + 3.5 * user.view["scale"]), int(user.view["x"] + 4.5 * user.view["scale"])
    ]
    assert len(set(colour[:3].tolist())) == 3  # no grey


def test_the_flat_view_takes_a_slope_away_and_touches_nothing_else(tmp_path, served, visit):
    """V11"""
    for k in range(2):
        slope = 1000 + 200 * np.arange(80) + NOISE.normal(0, 4, (64, 80))
        slope[31:34, 20:23] += 120
        write(tmp_path / "a" / f"f{k}.tif", slope.round().astype(np.uint16))
    user = visit(served(tmp_path / "a"))
    badge = user.page.locator(".badge:has-text('minus the median')")
    user.page.locator("input[value=full]").check(force=True)
    user.page.locator(".stage").focus()
    user.painted()
    bare = user.canvas()
    user.press("c")
    badge.wait_for()
    user.painted()
    v, canvas = user.view, user.canvas()[..., 0].astype(int)
    grey = [
        [canvas[int(y), int(x)] for x in v["x"] + v["scale"] * (np.arange(80) + 0.5)]
        for y in (v["y"] + v["scale"] * (np.arange(64) + 0.5))
    ]
    bright = np.argwhere(np.array(grey) > 180)
    assert (bright.min(0).tolist(), bright.max(0).tolist()) == ([31, 20], [33, 22])
    user.hover(32, 21)
    user.painted()
    assert int(user.page.locator(".status .value").inner_text().split()[-1].replace(",", "")) > 5000
    user.click(32, 21)
    assert user.points("f0.tif") == [(32, 21)]
    user.press("d")
    user.on_image("f1.tif")
    assert badge.is_visible()
    user.press("a")
    user.on_image("f0.tif")
    user.press("c")
    badge.wait_for(state="hidden")
    user.painted()
    assert np.array_equal(user.canvas(), bare)


def test_a_locked_window_is_still_the_same_after_a_reload_and_a_look_at_the_flat_view(
    tmp_path, served, visit
):
    write(tmp_path / "a" / "f.tif", NOISE.integers(1000, 2000, (64, 80)).astype(np.uint16))
    user = visit(served(tmp_path / "a"))
    low, high = user.page.locator(".fields input").all()
    low.fill("1200")
    low.press("Enter")
    user.page.locator(".stage").focus()
    user.press("l")
    window = low.input_value(), high.input_value()
    assert window[0] == "1200"
    user.press("c")
    user.page.locator(".badge:has-text('minus the median')").wait_for()
    user.painted()
    assert low.input_value() != "1200"
    user.press("c")
    user.page.locator(".badge:has-text('minus the median')").wait_for(state="hidden")
    user.painted()
    assert (low.input_value(), high.input_value()) == window
    user.page.reload()
    user.on_image("f.tif")
    assert (low.input_value(), high.input_value()) == window


def test_a_large_frame_is_seen_whole_and_then_in_tiles_to_the_pixel(tmp_path, served, visit):
    """T30"""
    frame = NOISE.integers(1000, 1020, (3000, 2600)).astype(np.uint16)
    frame[2011:2014, 1501:1504] = 4000
    write(tmp_path / "a" / "f.tif", frame)
    user = visit(served(tmp_path / "a"))
    v = user.view
    assert v["scale"] < 1
    user.page.mouse.move(v["left"] + v["x"] + 1502 * v["scale"], v["top"] + v["y"] + 2012 * v["scale"])
    for _ in range(12):
        if user.view["scale"] >= 4:
            break
        user.page.mouse.wheel(0, -120)
        user.painted()
    user.page.locator("input[value=full]").check(force=True)
    user.page.wait_for_timeout(800)
    user.click(2012, 1502)
    assert user.points("f.tif") == [(2012, 1502)]
    v, canvas = user.view, user.canvas()[..., 0]
    bright = np.argwhere(canvas > 200)
    assert bright.min(0).tolist() == [v["y"] + 2011 * v["scale"], v["x"] + 1501 * v["scale"]]
    assert bright.max(0).tolist() == [v["y"] + 2014 * v["scale"] - 1, v["x"] + 1504 * v["scale"] - 1]


def test_a_click_on_the_overview_of_a_large_frame_means_the_pixel_that_is_shown(tmp_path, served, visit):
    """T30"""
    frame = NOISE.integers(1000, 1020, (3000, 2600)).astype(np.uint16)
    frame[2011, 1506] = 4000
    write(tmp_path / "a" / "f.tif", frame)
    user = visit(served(tmp_path / "a"))
    v, pool = user.view, round(1 / user.view["scale"])
    assert pool > 2
    user.page.mouse.click(v["left"] + v["x"] + 1506 // pool + 0.5, v["top"] + v["y"] + 2011 // pool + 0.5)
    user.page.wait_for_selector(".targets li")
    user.settle()
    assert user.points("f.tif") == [(2011, 1506)]


def test_a_noisy_frame_that_is_zoomed_out_is_not_white(tmp_path, served, visit):
    """The brightest of many pixels are brighter than most of the frame."""
    write(tmp_path / "a" / "f.tif", NOISE.normal(5000, 30, (2400, 1700)).astype(np.uint16))
    user = visit(served(tmp_path / "a"))
    v, canvas = user.view, user.canvas()[..., 0]
    assert v["scale"] == 1 / 4
    shown = canvas[int(v["y"]) : int(v["y"]) + 600, int(v["x"]) : int(v["x"]) + 425]
    assert 60 < np.median(shown) < 180
    low = user.page.get_by_label("Low end").input_value()
    user.press("Shift+R")
    user.painted()
    assert user.page.get_by_label("Low end").input_value() != low
    user.press("r")
    user.painted()
    assert user.page.get_by_label("Low end").input_value() == low


def test_the_read_out_does_not_move_the_image_under_the_pointer(tmp_path, served, visit):
    """A click would fall on another pixel than the one that was aimed at."""
    frame = NOISE.normal(1e5, 1e4, (240, 320)).astype(np.float32)
    frame[:, :160] = 1
    write(tmp_path / "a" / "f.tif", frame)
    user = visit(served(tmp_path / "a"), viewport={"width": 900, "height": 700})
    before = user.view
    user.click(120, 200)  # a level is told, too
    for col in (3, 200):
        user.hover(40, col)
        user.painted()
        assert user.page.locator(".status .place").inner_text().split()[1] == str(col)
        assert user.view == before

"""The widget's script in a browser, against a model that behaves as a notebook's does."""

from base64 import b64encode

import numpy as np
import pytest
from tools.click.browser import PLAIN, Watch

import pointmask
from pointmask.notebook import bundle
from pointmask.notebook.clicker import Clicker

pytestmark = pytest.mark.browser

# What a notebook gives: values by name, handlers of changes, and a kernel that answers what is saved.
MODEL = """
async (given) => {
  const octets = Uint8Array.from(atob(given.samples), (one) => one.charCodeAt(0));
  const handlers = {};
  const tell = (name) => { for (const handler of handlers["change:" + name] ?? []) handler(); };
  const values = { ...given, samples: new DataView(octets.buffer), problem: "" };
  globalThis.model = {
    get: (name) => values[name],
    set: (name, value) => { values[name] = value; tell(name); },
    on: (name, handler) => { (handlers[name] ??= []).push(handler); },
    off: (name, handler) => { handlers[name] = handlers[name].filter((other) => other !== handler); },
    save_changes: async () => {
      const answer = await globalThis.kernel(values.points);
      for (const name of ["points", "targets"]) { values[name] = answer[name]; tell(name); }
    },
  };
  const widget = (await import("./widget.js")).default;
  globalThis.stop = widget.render({ model: globalThis.model, el: document.body });
}
"""


def scene():
    image = np.random.default_rng(0).normal(1000, 4, (60, 80))
    for row, col in ((20, 30), (40, 60), (40, 66)):
        image[row : row + 3, col : col + 3] += 90
    return np.rint(image).astype(np.uint16)


class Cell:
    """A page that shows the widget of a `Clicker`."""

    def __init__(self, page, clicker):
        self.page, self.clicker = page, clicker
        widget = clicker.widget
        page.expose_function("kernel", self.answer)
        page.route(PLAIN, lambda route: route.fulfill(body=self.html(), content_type="text/html"))
        page.route(
            f"{PLAIN}widget.js",
            lambda route: route.fulfill(body=bundle.script(), content_type="text/javascript"),
        )
        page.goto(PLAIN)
        given = {name: getattr(widget, name) for name in ("frame", "points", "targets")}
        page.evaluate(MODEL, {**given, "samples": b64encode(widget.samples).decode()})
        page.wait_for_function("document.querySelector('.stage')?.dataset.view")

    def html(self):
        return f"<!doctype html><title>x</title><style>{bundle.style()}</style><body>"

    def answer(self, points):
        self.clicker.widget.points = points
        return {"points": self.clicker.widget.points, "targets": self.clicker.widget.targets}

    def place(self, row, col):
        """CSS place of the middle of a pixel."""
        scale, x, y, ratio = map(float, self.page.get_attribute(".stage", "data-view").split())
        box = self.page.locator(".stage").bounding_box()
        return box["x"] + (x + (col + 0.5) * scale) / ratio, box["y"] + (y + (row + 0.5) * scale) / ratio

    def click(self, row, col, button="left"):
        self.page.mouse.click(*self.place(row, col), button=button)

    def wait_for(self, *points):
        wanted = [list(point) for point in points]
        self.page.wait_for_function(
            "(wanted) => JSON.stringify(model.get('targets').map((one) => one.point))"
            " === JSON.stringify(wanted)",
            arg=wanted,
        )
        assert self.clicker.points == points


@pytest.fixture(params=[1, 1.5])
def cell(browser, request):
    pytest.importorskip("anywidget")
    context = browser.new_context(device_scale_factor=request.param)
    page = context.new_page()
    watch = Watch(page, PLAIN)
    yield Cell(page, Clicker(scene()))
    watch.check()
    context.close()


def test_clicks_become_the_masks_of_annotate_and_are_drawn(cell):
    cell.click(21, 31)
    cell.wait_for((21, 31))
    cell.click(41, 61)
    cell.click(40, 67)
    cell.wait_for((21, 31), (41, 61), (40, 67))
    truth = pointmask.annotate(scene(), cell.clicker.points)
    np.testing.assert_array_equal(cell.clicker.annotation.instances, truth.instances)
    assert "target 3 at x 67, y 40" in cell.page.inner_text(".said")
    cell.page.wait_for_timeout(100)
    painted = cell.page.evaluate(
        "() => { const c = document.querySelector('canvas.marks');"
        " return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.filter((_, k) => k % 4 === 3)"
        ".some((alpha) => alpha > 0); }"
    )
    assert painted


def test_points_are_moved_by_drag_and_arrows_and_removed(cell):
    cell.click(21, 31)
    cell.wait_for((21, 31))
    cell.page.mouse.move(*cell.place(21, 31))
    cell.page.mouse.down()
    cell.page.mouse.move(*cell.place(30, 40), steps=3)
    cell.page.mouse.move(*cell.place(41, 61), steps=3)
    cell.page.mouse.up()
    cell.wait_for((41, 61))
    cell.page.keyboard.press("ArrowUp")
    cell.wait_for((40, 61))
    cell.click(21, 31)
    cell.wait_for((40, 61), (21, 31))
    cell.click(40, 61, button="right")
    cell.wait_for((21, 31))
    cell.click(21, 31)
    cell.page.keyboard.press("Delete")
    cell.wait_for()


def test_a_click_on_a_target_selects_it_and_one_on_ground_far_off_removes_nothing(cell):
    cell.click(21, 31)
    cell.wait_for((21, 31))
    cell.click(22, 32)
    cell.click(55, 5, button="right")
    cell.click(41, 61)
    cell.wait_for((21, 31), (41, 61))


def test_python_may_set_the_points(cell):
    cell.click(21, 31)
    cell.wait_for((21, 31))
    cell.clicker.points = [(41, 61)]
    cell.page.evaluate(
        "(answer) => { for (const [name, value] of Object.entries(answer)) model.set(name, value); }",
        {"points": cell.clicker.widget.points, "targets": cell.clicker.widget.targets},
    )
    cell.click(40, 67)
    cell.wait_for((41, 61), (40, 67))


def test_the_value_under_the_pointer_is_told_and_the_window_turns_without_a_word_to_python(cell):
    cell.page.mouse.move(*cell.place(21, 31))
    cell.page.wait_for_function("document.querySelector('.line span').textContent")
    said = cell.page.inner_text(".line span")
    assert said.split() == ["x", "31", "y", "21", "value", str(scene()[21, 31])]
    before = cell.page.evaluate("document.querySelector('canvas.samples').toDataURL()")
    cell.page.mouse.down(button="right")
    cell.page.mouse.move(*cell.place(30, 10), steps=4)
    cell.page.mouse.up(button="right")
    cell.page.wait_for_timeout(100)
    assert cell.page.evaluate("document.querySelector('canvas.samples').toDataURL()") != before
    assert cell.clicker.points == ()
    cell.page.evaluate("stop()")

"""A person at the page: finds image pixels on the screen, clicks, presses keys, reads what is painted."""

import base64
import json

import numpy as np

SAVED = "() => ['saved', 'written'].includes(document.querySelector('.saving')?.dataset.state)"


class User:
    """
    Parameters
    ----------
    page : playwright page
    client : tools.click.serving.Client
        Of the server that the page talks to.
    """

    def __init__(self, page, client):
        self.page, self.client = page, client
        self.url = f"http://127.0.0.1:{client.port}/"

    def open(self, fragment=""):
        """Open the page as the terminal's address does, and wait for the first image."""
        self.page.goto(f"{self.url}#token={self.client.token}{fragment}")
        self.page.wait_for_selector(".stage-box[data-image]")
        self.settle()
        return self

    def settle(self):
        """Wait until all edits are answered and what they changed is painted."""
        self.page.wait_for_function(SAVED)
        self.painted()

    def painted(self):
        """Wait for two pictures, and for what follows them in the panels."""
        self.page.evaluate(
            "() => new Promise((done) => requestAnimationFrame(() => "
            "requestAnimationFrame(() => setTimeout(done))))"
        )

    def on_image(self, name, frame=0):
        """Wait until an image is on the screen."""
        self.page.wait_for_selector(f".stage-box[data-image={json.dumps(f'{name}#{frame}')}]")
        self.painted()

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    @property
    def view(self):
        """Scale, place of pixel (0, 0), device ratio and corner of the stage, in device pixels."""
        return self.page.evaluate(
            """() => {
              const stage = document.querySelector(".view .stage");
              const [scale, x, y, ratio] = stage.dataset.view.split(" ").map(Number);
              const box = stage.getBoundingClientRect();
              const [left, top] = [Math.round(box.left * ratio), Math.round(box.top * ratio)];
              return { scale, x, y, ratio, left, top, width: box.width * ratio, height: box.height * ratio };
            }"""
        )

    def place(self, row, col, across=0.5, down=0.5):
        """CSS pixels of a place within an image pixel."""
        v = self.view
        return (
            (v["left"] + v["x"] + (col + across) * v["scale"]) / v["ratio"],
            (v["top"] + v["y"] + (row + down) * v["scale"]) / v["ratio"],
        )

    def hover(self, row, col):
        self.page.mouse.move(*self.place(row, col))

    def click(self, row, col, button="left", keys=(), wait=True):
        self.hover(row, col)
        for key in keys:
            self.page.keyboard.down(key)
        self.page.mouse.down(button=button)
        self.page.mouse.up(button=button)
        for key in keys:
            self.page.keyboard.up(key)
        if wait:
            self.settle()

    def drag(self, start, end, button="left", steps=4, wait=True):
        """From a place to another, in CSS pixels."""
        self.page.mouse.move(*start)
        self.page.mouse.down(button=button)
        self.page.mouse.move(*end, steps=steps)
        self.page.mouse.up(button=button)
        if wait:
            self.settle()

    def zoom_to(self, scale, row, col):
        """Zoom with the wheel until an image pixel is as many device pixels wide, near a pixel."""
        for _ in range(30):
            now = self.view["scale"]
            if now == scale:
                self.painted()
                return
            self.hover(row, col)
            self.page.mouse.wheel(0, -120 if now < scale else 120)
            self.painted()
        raise AssertionError(f"the scale stays at {self.view['scale']}")

    def canvas(self, name="samples"):
        """Pixels of a canvas, (H, W, 4)."""
        width, height, data = self.page.evaluate(
            """(name) => {
              const canvas = document.querySelector(`.view .stage canvas.${name}`);
              const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
              const part = 32768;
              let text = "";
              for (let i = 0; i < data.length; i += part) {
                text += String.fromCharCode(...data.subarray(i, i + part));
              }
              return [canvas.width, canvas.height, btoa(text)];
            }""",
            name,
        )
        return np.frombuffer(base64.b64decode(data), np.uint8).reshape(height, width, 4)

    def filled_mask(self, shape):
        """The mask as the overlay fills it, read pixel by pixel from the canvas."""
        v, cover = self.view, self.canvas("marks")
        mask = np.zeros(shape, bool)
        for row in range(shape[0]):
            for col in range(shape[1]):
                # At its corner: ticks and crosses lie in the middle.
                y = int(v["y"] + row * v["scale"])
                x = int(v["x"] + col * v["scale"])
                if 0 <= y < cover.shape[0] and 0 <= x < cover.shape[1]:
                    mask[row, col] = tuple(cover[y, x, :3]) == (31, 224, 192) or (
                        80 <= cover[y, x, 3] <= 95 and cover[y, x, 1] > 200
                    )
        return mask

    @property
    def note(self):
        return self.page.locator(".note-box").last.inner_text()

    def standing(self, name, frame=0):
        """How the server knows a frame."""
        return self.client.server.desk.session.frame(name, frame)

    def points(self, name, frame=0):
        return [target.point for target in self.standing(name, frame).targets]

    def server_mask(self, name, shape, frame=0):
        """Union of the masks that the server keeps."""
        mask = np.zeros(shape, bool)
        for target in self.standing(name, frame).targets:
            top, left, pixels = target.crop(shape)
            mask[top : top + pixels.shape[0], left : left + pixels.shape[1]] |= pixels
        return mask

"""Chromium for the tests of the click page: the distribution's own, nothing is downloaded."""

import mimetypes
import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[3] / "annotator" / "pointmask" / "click" / "static"
PLAIN = "http://page.test/"


def chromium():
    """Path of the browser; skips the test where there is none."""
    path = (
        os.environ.get("POINTMASK_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    )
    if not path:
        pytest.skip("there is no Chromium: install the package chromium or name it with POINTMASK_CHROMIUM")
    return path


@contextmanager
def launched():
    """A browser without a window."""
    path = chromium()
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        try:
            yield browser
        finally:
            browser.close()


class Watch:
    """What no page may do: errors on the console, reports of the content policy, requests to other hosts."""

    def __init__(self, page, origin, *, allowed=()):
        # The tests read canvases back, which the page itself does not.
        self.origin, self.allowed, self.faults = origin, ("willReadFrequently", *allowed), []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.faults.append(f"exception: {error.stack or error}"))
        page.on("dialog", self._dialog)
        page.on("request", self._request)

    def _console(self, message):
        if message.type in ("error", "warning") and not any(text in message.text for text in self.allowed):
            self.faults.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _dialog(self, dialog):
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _request(self, request):
        if not request.url.startswith((self.origin, "blob:", "data:")):
            self.faults.append(f"request elsewhere: {request.url}")

    def check(self):
        assert not self.faults, "\n".join(self.faults)


def serve_modules(context):
    """Answer all requests of a context with the page's own files, without a server behind them."""

    def answer(route):
        name = route.request.url.removeprefix(PLAIN)
        file = STATIC / name.removeprefix("static/")
        if name == "":
            route.fulfill(
                body="<!doctype html><html lang=en><title>t</title><body></body>", content_type="text/html"
            )
        elif name.startswith("static/") and file.is_file():
            kind = mimetypes.guess_type(file.name)[0] or "text/plain"
            route.fulfill(body=file.read_bytes(), content_type=kind)
        else:
            route.fulfill(status=404, body="")

    context.route("**/*", answer)

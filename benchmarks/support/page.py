"""The click page in a process of its own, and Chromium in front of it."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from playwright.sync_api import Page

HOOKS = """
// When something was asked for, when it was drawn, and when the screen had it.
window.timed = { asked: 0, answered: 0, drawn: 0, first: 0, pictures: 0, beats: 0, firstBeat: 0 };
const note = (name, time = performance.now()) => { window.timed[name] = time; };
const start = (event) => {
  const rest = { answered: 0, drawn: 0, first: 0, pictures: 0, beats: 0, firstBeat: 0 };
  Object.assign(window.timed, { asked: event.timeStamp, ...rest });
  window.renders = [];
};
// Outlines are rectangles, and the ticks at a click are 8: a picture with more than these has the mask too.
window.renders = [];
let standing = 0;
const clear = CanvasRenderingContext2D.prototype.clearRect;
CanvasRenderingContext2D.prototype.clearRect = function (...rest) {
  if (this.canvas.className === "marks") window.renders.push({ at: performance.now(), rects: 0 });
  return clear.apply(this, rest);
};
const rect = Path2D.prototype.rect;
Path2D.prototype.rect = function (...rest) {
  const last = window.renders.at(-1);
  if (last) { last.rects += 1; last.at = performance.now(); }
  return rect.apply(this, rest);
};
const masked = () => {
  const found = window.renders.find(({ rects, at }) => rects > standing + 8 || at >= window.timed.answered);
  standing = window.renders.at(-1)?.rects ?? 0;
  return found?.at ?? NaN;
};
addEventListener("pointerup", start, true);
addEventListener("keydown", start, true);
const beat = () => { window.timed.beats += 1; requestAnimationFrame(beat); };
requestAnimationFrame(beat);
for (const name of ["stroke", "fill", "fillRect", "putImageData", "drawImage"]) {
  const original = CanvasRenderingContext2D.prototype[name];
  CanvasRenderingContext2D.prototype[name] = function (...rest) {
    const result = original.apply(this, rest);
    note("drawn");
    if (!window.timed.first) { note("first"); window.timed.firstBeat = window.timed.beats; }
    if (name === "putImageData") note("pictures");
    return result;
  };
}
const json = Response.prototype.json;
Response.prototype.json = async function () {
  const value = await json.call(this);
  if (this.ok && this.url.endsWith("api/edits")) { note("answered"); window.timed.answer = value; }
  return value;
};
const beats = (count, done) => requestAnimationFrame(() => (count > 1 ? beats(count - 1, done) : done()));
window.settled = () => new Promise((done) => {
  const look = () => {
    const { drawn } = window.timed;
    const told = () => ({ ...window.timed, masked: masked(), now: performance.now() });
    beats(2, () => (window.timed.drawn === drawn ? done(told()) : look()));
  };
  look();
});
window.after = (name) => new Promise((done) => {
  const look = () => (window.timed[name] ? done() : requestAnimationFrame(look));
  look();
});
"""


@dataclass
class Running:
    """A running page: its address, its process, and the seconds until the address was there."""

    address: str
    process: psutil.Process
    seconds: float
    said: str


@contextmanager
def served(images: Path, out: Path, *words: str) -> Iterator[Running]:
    """Run ``pointmask click`` on a free port until the block ends."""
    command = [sys.executable, "-m", "pointmask", "click", str(images), "--out", str(out)]
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--no-browser", "--port", "0", *words],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    try:
        said = ""
        while not (found := re.search(r"http://\S+", said)):
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"the page did not start: {said}")
            said += line
        yield Running(found[0], psutil.Process(process.pid), time.perf_counter() - started, said)
    finally:
        process.kill()
        process.communicate()


@contextmanager
def browser(width: int = 1200, height: int = 900) -> Iterator["Page"]:
    """Open a tab of Chromium without a window; nothing is downloaded."""
    from playwright.sync_api import sync_playwright

    path = (
        os.environ.get("POINTMASK_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    )
    if path is None:
        raise SystemExit("there is no Chromium: install the package chromium, or set POINTMASK_CHROMIUM")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = chromium.new_page(viewport={"width": width, "height": height})
        page.add_init_script(HOOKS)
        yield page
        chromium.close()


def painted(page: "Page", after: str) -> dict[str, float]:
    """
    Wait until nothing is drawn any more.

    Parameters
    ----------
    page : Page
    after : {"answered", "pictures"}
        What must have happened before: an edit was answered, or an image was drawn.

    Returns
    -------
    dict
        The times that the page noted, in milliseconds. ``drawn`` is the last call that draws, ``first`` the
        first one, ``masked`` the first picture with the new mask, and ``now`` the second beat of the display
        after the last call.
    """
    times: dict[str, float] = page.evaluate("(name) => after(name).then(() => settled())", after)
    return times

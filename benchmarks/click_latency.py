"""Measure how long a click on the page takes until its mask is there, and what a million files cost.

python benchmarks/click_latency.py

Five hundred clicks on made-up frames of 640 x 512 pixels and 16 bits, ten per frame, in Chromium without a
window or a GPU, against ``pointmask click`` in a process of its own; then one image in front of a million
empty files, in one folder and in a thousand. Times are taken in the page: from the event's own time stamp to
the first picture with the mask. *Painted* is the second beat of the display after the last call that draws.
One click in three comes at once with the pointer, as no hand does; one holds the button down, as people with
a mouse do; one comes after the pointer has rested, as on a touchpad: the page has asked for these two before.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
from support.page import Running, browser, painted, served
from support.results import FOLDER, save

from pointmask.io.images.array import encode_png

if TYPE_CHECKING:
    from playwright.sync_api import Page, Response

SHAPE = (512, 640)
SPACING = 48  # px between targets: their windows overlap, their masks do not
PER_FRAME = 10
SHARES = (50, 95, 99)
PRESS = 70  # ms that the button is down; people take 60 to 120
REST = 120  # ms that the pointer rests on a target before it is clicked
KINDS = ("mask", "mask, pressed", "mask, rested")
NAMES = ("marker", *KINDS, "mask painted", "next frame", "server")
IMAGES = "(await (await fetch('api/session', {headers: {'X-Pointmask-Token': t}})).json()).images"


def main() -> None:
    """Measure, print and write ``click_latency.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clicks", type=int, default=500)
    parser.add_argument("--files", type=int, default=1_000_000, help="0 leaves the large folders out")
    parser.add_argument("--folder", type=Path, help="where to make the data; a memory file system by default")
    parser.add_argument("--results", type=Path, default=FOLDER)
    options = parser.parse_args()
    memory = Path("/dev/shm")
    place = options.folder or (memory if memory.is_dir() else None)
    figures: dict[str, Any] = {"load_before": os.getloadavg()[0], "cores": psutil.cpu_count()}
    with tempfile.TemporaryDirectory(dir=place) as scratch:
        figures |= clicks(Path(scratch), options.clicks)
        if options.files:
            figures["one folder"] = large(Path(scratch) / "flat", 1, options.files)
            figures["a thousand folders"] = large(Path(scratch) / "deep", 1000, options.files // 1000)
    figures["load_after"] = os.getloadavg()[0]
    for name, value in figures.items():
        print(f"{name:24} {value}")
    save("click_latency", figures, options.results)


def scene(seed: int) -> tuple[np.ndarray[Any, Any], list[tuple[int, int]]]:
    """Return a noisy frame and the places of its targets."""
    random = np.random.default_rng(seed)
    image = random.normal(8000.0, 25.0, SHAPE)
    grid = [
        (row, col) for row in range(100, SHAPE[0] - 60, SPACING) for col in range(100, SHAPE[1] - 60, SPACING)
    ]
    places = [grid[k] for k in random.choice(len(grid), PER_FRAME, replace=False)]
    rows, cols = np.mgrid[: SHAPE[0], : SHAPE[1]]
    for row, col in places:
        part = (slice(row - 9, row + 10), slice(col - 9, col + 10))
        spread = random.uniform(0.8, 2.5)
        blob = np.exp(-((rows[part] - row) ** 2 + (cols[part] - col) ** 2) / (2 * spread**2))
        image[part] += random.uniform(150, 900) * blob
    return image.round().astype(np.uint16), places


def clicks(scratch: Path, number: int) -> dict[str, Any]:
    """Click on targets, ten per frame, and go on to the next frame with a key."""
    folder = scratch / "frames"
    folder.mkdir()
    frames = -(-number // PER_FRAME)
    places = []
    for k in range(frames):
        image, targets = scene(k)
        (folder / f"f{k:04}.png").write_bytes(encode_png(image))
        places.append(targets)
    times: dict[str, list[float]] = {name: [] for name in NAMES}
    late_markers = 0
    with served(folder, scratch / "out") as running, browser() as page:
        page.on("response", lambda answer: _note_server(times["server"], answer))
        page.goto(running.address)
        to_css = calibrated(page)
        for k, targets in enumerate(places):
            for place in targets[: number - k * PER_FRAME]:
                kind = KINDS[len(times["marker"]) % len(KINDS)]
                page.mouse.move(*to_css(*place))
                if kind == "mask, rested":
                    page.wait_for_timeout(REST)
                page.mouse.click(*to_css(*place), delay=PRESS if kind == "mask, pressed" else 0)
                seen = painted(page, "answered")
                times["marker"].append(seen["first"] - seen["asked"])
                late_markers += seen["firstBeat"] > 1
                times[kind].append(seen["masked"] - seen["asked"])
                times["mask painted"].append(seen["now"] - seen["asked"])
            if k + 1 < frames:
                page.keyboard.press("KeyD")
                seen = painted(page, "pictures")
                times["next frame"].append(seen["pictures"] - seen["asked"])
        peak = running.process.memory_info().rss
    told = {name: _quantiles(values) for name, values in times.items()}
    return {
        "ms": told,
        "clicks": number,
        "markers after the first beat": late_markers,
        "server_mib": peak >> 20,
    }


def calibrated(page: "Page") -> Callable[[int, int], tuple[float, float]]:
    """Click once, learn from the answer where pixels are on the screen, and take the click back."""
    painted(page, "pictures")
    box = page.locator(".stage").bounding_box()
    x, y = round(box["x"] + box["width"] / 2) + 0.5, round(box["y"] + box["height"] / 2) + 0.5
    page.mouse.click(x, y)
    painted(page, "answered")
    row, col = page.evaluate("timed.answer.frames[0].targets[0].point")
    text = page.locator(".zoom").inner_text()
    scale = float(text.split()[-1].rstrip("x×"))
    page.keyboard.press("KeyZ")
    time.sleep(0.5)
    return lambda r, c: (x + (c - col) * scale, y + (r - row) * scale)


def _note_server(times: list[float], answer: "Response") -> None:
    if answer.url.endswith("/api/edits"):
        times.append(float(answer.headers.get("x-time", "nan")))


def large(root: Path, folders: int, files: int) -> dict[str, float]:
    """Open a folder of many files, the first of which is an image."""
    for k in range(folders):
        folder = root if folders == 1 else root / f"seq{k:04}"
        folder.mkdir(parents=True)
        for n in range(files):
            os.close(os.open(folder / f"f{n:07}.png", os.O_CREAT | os.O_WRONLY))
    first = root / ("f0000000.png" if folders == 1 else "seq0000/f0000000.png")
    first.write_bytes(encode_png(scene(0)[0]))
    with browser() as page:
        started = time.perf_counter()
        with served(root, root.with_name(f"{root.name}-out")) as running:
            page.goto(running.address)
            painted(page, "pictures")
            usable = time.perf_counter() - started
            used = running.process.cpu_times()
            token = running.address.partition("token=")[2]
            while not page.evaluate(f"async (t) => ({IMAGES}).complete", token):
                time.sleep(0.1)
            listed = time.perf_counter() - started
            found = page.evaluate(
                "async (t) => { const at = performance.now(); "
                "await (await fetch('api/find?text=9999.png', {headers: {'X-Pointmask-Token': t}})).json(); "
                "return performance.now() - at; }",
                token,
            )
            longest = longest_task(page)
            return {
                "longest_task_ms": longest,
                "address_s": round(running.seconds, 2),
                "first_image_s": round(usable, 2),
                "cpu_until_then_s": round(used.user + used.system, 2),
                "all_listed_s": round(listed, 2),
                "find_ms": round(found, 1),
                "peak_mib": _peak_mib(running),
            }


def longest_task(page: "Page") -> float:
    """Scroll through the names, find some, go to both ends; return the longest task of the page, in ms."""
    page.evaluate(
        "() => { window.tasks = [0]; new PerformanceObserver((list) => "
        "window.tasks.push(...list.getEntries().map((each) => each.duration))).observe({type: 'longtask'}); }"
    )
    for share in (0.2, 0.9, 0.5):
        page.locator(".tree").evaluate(
            "(tree, share) => { tree.scrollTop = share * tree.scrollHeight; }", share
        )
        page.wait_for_timeout(300)
    page.keyboard.press("KeyG")
    page.keyboard.type("0000", delay=60)
    page.locator(".hits [role=option]").first.wait_for()
    page.keyboard.press("Escape")
    for key in ("End", "Home"):
        page.keyboard.press(key)
        page.wait_for_timeout(500)
    return float(page.evaluate("Math.round(Math.max(...window.tasks))"))


def _peak_mib(running: Running) -> int:
    """Return the highest resident memory that the server ever had."""
    status = Path(f"/proc/{running.process.pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) >> 10


def _quantiles(values: list[float]) -> dict[str, float]:
    return {f"p{share}": round(float(np.percentile(values, share)), 2) for share in SHARES}


if __name__ == "__main__":
    main()

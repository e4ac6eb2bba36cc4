"""Measure whether the click page is as quick and as small at the end of a long day as at its beginning.

python benchmarks/click_day.py

A page in Chromium goes through a thousand frames, which also fills the server's memory of decoded frames.
Then come twenty thousand edits, as many as a busy person makes in eight hours, one after another and without
a pause, against ``pointmask click`` in a process of its own: clicks on targets of made-up frames, moves,
levels, labels, undo and redo. What counts are ratios within the run: the processor time of an edit in the
last tenth of the day to that in the first, the server's memory at the end to that after a tenth, and the
page's memory after all frames to that after a tenth of them.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Iterator
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from click_latency import scene
from support.page import Running, browser, served
from support.results import FOLDER, save

from pointmask.io.images.array import encode_png

FRAMES = 1000
DIFFERENT = 20  # frames; the others are copies under names of their own


def main() -> None:
    """Measure, print and write ``click_day.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--edits", type=int, default=20_000)
    parser.add_argument("--frames", type=int, default=FRAMES)
    parser.add_argument("--results", type=Path, default=FOLDER)
    options = parser.parse_args()
    figures: dict[str, Any] = {"load_before": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "frames"
        folder.mkdir()
        places = written(folder, options.frames)
        with served(folder, Path(scratch) / "out") as running:
            figures["page"] = walk(running, options.frames)
            figures["server"] = day(running, places, options.edits)
    figures["load_after"] = os.getloadavg()[0]
    for name, value in figures.items():
        print(f"{name:12} {value}")
    save("click_day", figures, options.results)


def written(folder: Path, frames: int) -> list[list[tuple[int, int]]]:
    """Write frames, and return the places of their targets."""
    made = [scene(k) for k in range(min(DIFFERENT, frames))]
    files = [encode_png(image) for image, _ in made]
    for k in range(frames):
        (folder / f"f{k:05}.png").write_bytes(files[k % len(files)])
    return [made[k % len(made)][1] for k in range(frames)]


def day(running: Running, places: list[list[tuple[int, int]]], edits: int) -> dict[str, float]:
    """Send edits one after another; a frame is left for the next when its targets are done."""
    host, _, token = running.address.removeprefix("http://").partition("/#token=")
    link = HTTPConnection(host)
    headers = {"X-Pointmask-Token": token, "Content-Type": "application/json"}

    def post(path: str, body: dict[str, Any]) -> int:
        link.request("POST", f"/api/{path}", json.dumps(body), headers)
        answer = link.getresponse()
        answer.read()
        return answer.status

    def used() -> float:
        times = running.process.cpu_times()
        return float(times.user + times.system)

    while post("preview", {"image": 0, "frame": 0, "row": 200, "col": 200}) == 503:
        pass
    times, sizes = [used()], [running.process.memory_info().rss >> 20]
    tenth = edits // 10
    for done, (path, body) in zip(range(1, edits + 1), gestures(places), strict=False):
        status = post(path, body)
        if status != 200:
            raise RuntimeError(f"edit {done} was answered with status {status}: {body}")
        if done % tenth == 0:
            times.append(used())
            sizes.append(running.process.memory_info().rss >> 20)
    each = 1000 * np.diff(times) / tenth
    return {
        "edits": edits,
        "cpu_ms_each_in_the_first_tenth": round(float(each[0]), 2),
        "cpu_ms_each_in_the_last_tenth": round(float(each[-1]), 2),
        "slower": round(float(each[-1] / each[0]), 2),
        "mib_after_a_tenth": sizes[1],
        "mib_at_the_end": sizes[-1],
        "larger": round(sizes[-1] / sizes[1], 2),
    }


def gestures(places: list[list[tuple[int, int]]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield edits: each target is clicked, moved, grown and labelled, which is undone and done again."""
    names = (f"day-{k}" for k in count())
    while True:
        for image, targets in enumerate(places):
            for number, (row, col) in enumerate(targets, 1):
                common = {"image": image, "frame": 0}
                one = {**common, "op": "set", "target": number}
                for edit in (
                    {**common, "op": "add", "row": row, "col": col},
                    {**one, "row": row, "col": col + 1},
                    {**one, "level": 0.4},
                    {**one, "label": "target"},
                ):
                    yield "edits", {"edits": [{**edit, "edit": next(names)}]}
                yield "undo", {"steps": 1, "edit": next(names)}
                yield "redo", {"steps": 1, "edit": next(names)}


def walk(running: Running, frames: int) -> dict[str, float]:
    """Go through all frames with a key, and look at the page's memory."""
    sizes = []
    with browser() as page:
        page.goto(running.address)
        page.wait_for_selector(".stage-box[data-image]")
        page.keyboard.press("Home")
        link = page.context.new_cdp_session(page)
        for k in range(frames - 1):
            page.wait_for_selector(f".stage-box[data-image='f{k:05}.png#0']")
            if k in (frames // 10, frames - 2):
                link.send("HeapProfiler.collectGarbage")
                usage = link.send("Runtime.getHeapUsage")
                sizes.append((usage["usedSize"] + usage.get("backingStorageSize", 0)) / 2**20)
            page.keyboard.press("KeyD")
    return {
        "frames": frames,
        "mib_after_a_tenth": round(sizes[0], 1),
        "mib_at_the_end": round(sizes[1], 1),
        "larger": round(sizes[1] / sizes[0], 2),
    }


if __name__ == "__main__":
    main()

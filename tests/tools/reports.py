"""Output folders with a report, and what its tiles show."""

from base64 import b64decode
from io import BytesIO

import numpy as np
from PIL import Image

from pointmask.folder.frame import annotate_one
from pointmask.folder.options import Recipe
from pointmask.folder.records.manifest import dump
from pointmask.folder.report import write_report
from pointmask.io.images.array import encode_png
from pointmask.io.images.file import ImageFile
from pointmask.io.layout import MANIFEST
from pointmask.io.points.points import Point
from pointmask.theta import Theta

THETA = Theta.load("default")


def scene(seed, points, shape=(60, 70)):
    image = np.random.default_rng(seed).normal(1000, 10, shape)
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    for row, col in points:
        image += 400 * np.exp(-((rows - row) ** 2 + (cols - col) ** 2) / 4.0)
    return image.astype(np.uint16)


class Job:
    """An output folder as a folder job leaves it, without running one."""

    def __init__(self, tmp_path):
        self.images, self.out = tmp_path / "images", tmp_path / "out"
        self.images.mkdir()
        self.out.mkdir()
        self.entries = []

    def add(self, name, points, seed=0, **change):
        data = encode_png(scene(seed, points))
        path = self.images / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        marked = [Point(row, col, change.pop("label", None)) for row, col in points]
        entry = annotate_one(ImageFile(BytesIO(data), name), marked, Recipe(THETA)).entry
        for target in entry["targets"]:
            target.update(change)
        self.entries.append(entry)

    def skip(self, name, reason):
        self.entries.append({"image": name, "frame": 0, "status": "skipped", "reason": reason})

    def report(self, **options):
        (self.out / MANIFEST).write_bytes(b"".join(dump(entry) for entry in self.entries))
        path = write_report(self.out, self.images, theta=THETA, polarity="bright", **options)
        assert path == self.out / "report.html"
        return path


def tiles(page):
    return list(page.one("ol").all("li"))


def embedded(node):
    """The picture inside an ``<image>`` element."""
    kind, _, data = node.attributes["href"].partition(",")
    assert kind in ("data:image/png;base64", "data:image/jpeg;base64")
    with Image.open(BytesIO(b64decode(data))) as picture:
        return np.asarray(picture.convert("RGB"))


def place_of(tile):
    x, y = tile.one("span", cls="facts").text.split(" · ")[0].split(", ")
    return int(y.split()[1]), int(x.split()[1])

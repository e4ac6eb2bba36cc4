"""Pages: what a browser would see of them; and output folders with a report."""

from base64 import b64decode
from dataclasses import dataclass, field
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
from PIL import Image

from pointmask.folder.frame import annotate_one
from pointmask.folder.options import Recipe
from pointmask.folder.records.manifest import dump
from pointmask.folder.report.page import write_report
from pointmask.io.images.array import encode_png
from pointmask.io.images.file import ImageFile
from pointmask.io.layout import MANIFEST
from pointmask.io.points.points import Point
from pointmask.theta import Theta

VOID = {"meta", "input", "br", "link", "img", "hr"}


class Page(HTMLParser):
    """Checks that elements close as they open, and that nothing is fetched."""

    def __init__(self, text):
        super().__init__()
        self.open, self.text = [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("src", "href"):
                assert value.startswith(("data:image/png;base64,", "data:image/jpeg;base64,", "#"))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@dataclass
class Node:
    tag: str
    attributes: dict
    children: list = field(default_factory=list)

    def all(self, tag, **wanted):
        """Descendants of a tag, with attributes; a class matches one of its words."""
        for child in self.children:
            if isinstance(child, Node):
                words = child.attributes.get("class", "").split()
                rest = {k: v for k, v in wanted.items() if k != "cls"}
                if (
                    child.tag == tag
                    and rest.items() <= child.attributes.items()
                    and ("cls" not in wanted or wanted["cls"] in words)
                ):
                    yield child
                yield from child.all(tag, **wanted)

    def one(self, tag, **wanted):
        (found,) = self.all(tag, **wanted)
        return found

    @property
    def text(self):
        return "".join(child if isinstance(child, str) else child.text for child in self.children)


class Reader(HTMLParser):
    """Builds a tree; every element must be closed, in order."""

    def __init__(self):
        super().__init__()
        self.stack = [Node("document", {})]

    def handle_starttag(self, tag, attrs):
        assert len({name for name, _ in attrs}) == len(attrs), "no attribute twice"
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.stack[-1].children.append(node)
        if tag not in VOID:
            self.stack.append(node)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.stack.pop()

    def handle_endtag(self, tag):
        assert self.stack.pop().tag == tag

    def handle_data(self, data):
        self.stack[-1].children.append(data)


def parse(path):
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    assert len(reader.stack) == 1
    identifiers = [
        node.attributes["id"]
        for tag in ("image", "path", "form", "ol", "span", "dialog")
        for node in reader.stack[0].all(tag)
        if "id" in node.attributes
    ]
    assert len(identifiers) == len(set(identifiers))
    return reader.stack[0]


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

    def add(self, name, points, seed=0, size=None, **change):
        data = encode_png(scene(seed, points, **(size or {})))
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

"""Pages: what a browser would see of them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


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
                assert value.startswith(("data:image/png;base64,", "#"))
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


VOID = {"meta", "input", "br", "link", "img", "hr"}


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

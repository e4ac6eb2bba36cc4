"""Code of the pages: fenced blocks with their language, and what was said of them in the line before."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
NOTEBOOKS = sorted(DOCS.glob("notebooks/*.ipynb"))

_FENCE = re.compile(r"(?:^<!-- ([^\n]*) -->\n)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block; `said` is the comment in the line before it."""

    language: str
    text: str
    said: str

    @property
    def is_run(self):
        """Whether it is executed; if not, the comment must give the reason."""
        return not self.said.startswith("not run")


def blocks(page):
    """Fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [Block(found[2], found[3], found[1] or "") for found in _FENCE.finditer(text)]


def spans(page):
    """Code within lines of a page."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)


def code_of(notebook):
    """Code cells of a notebook as one program."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")

"""Texts outside of docs/ that are pages too: each is read where it lies, so that there is one text."""

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
FILES = {
    "contributing/index.md": "CONTRIBUTING.md",
    "contributing/changes.md": "CHANGELOG.md",
    "contributing/security.md": "SECURITY.md",
    "contributing/experiments.md": "benchmarks/LOG.md",
}
"""Page to the file that it shows."""

README_PARTS = {
    "quality.md": "Quality and speed",
    "reference/input.md": "Input",
    "reference/output.md": "Output",
    "contributing/map.md": "Layout",
}
"""Page to the heading of the README under which its text stands."""


def on_files(files: Files, *, config: Any, **_: object) -> Files:
    """Add the pages."""
    for page, source in FILES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for page, heading in README_PARTS.items():
        text = re.search(rf"^## {heading}\n(.*?)(?=^## |^MIT licence|\Z)", readme, re.DOTALL | re.MULTILINE)
        assert text is not None, f"README.md has no heading {heading!r}; correct README_PARTS"
        inside = text[1].replace("\n### ", "\n## ").replace("](#how-it-works)", "](how-it-works.md)")
        files.append(File.generated(config, page, content=f"# {heading}\n{inside}"))
    return files

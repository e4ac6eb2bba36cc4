"""Texts outside of docs/ that are pages too: each is read where it lies, so that there is one text."""

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
PAGES = {
    "contributing/index.md": "CONTRIBUTING.md",
    "contributing/changes.md": "CHANGELOG.md",
    "contributing/security.md": "SECURITY.md",
    "contributing/experiments.md": "benchmarks/LOG.md",
}
"""Page to the file that it shows."""


def on_files(files: Files, *, config: Any, **_: object) -> Files:
    """Add the pages, with links to pages of docs/ as seen from theirs."""
    for page, source in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=re.sub(r"\]\(docs/", "](../", text)))
    return files

"""Notebooks as pages: text and code of each, and a link to the file, which is copied as it is."""

import json
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

FOLDER = Path(__file__).parents[1] / "notebooks"


def on_files(files: Files, *, config: Any, **_: object) -> Files:
    """Add a page for each notebook."""
    for path in sorted(FOLDER.glob("*.ipynb")):
        files.append(File.generated(config, f"notebooks/{path.stem}.md", content=page(path)))
    return files


def page(path: Path) -> str:
    """Format a notebook as Markdown, the link to the file below its title."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    parts = []
    for cell in cells:
        text = "".join(cell["source"]).strip()
        parts.append(f"```python\n{text}\n```" if cell["cell_type"] == "code" else text)
    title, _, rest = parts[0].partition("\n")
    return (
        "\n\n".join([title, f"[Download the notebook]({path.name}){{ download }}", rest, *parts[1:]]) + "\n"
    )

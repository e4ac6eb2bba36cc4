"""Result files: one JSON per benchmark, with the command, the machine, the commit and the date."""

import json
import shlex
import sys
from pathlib import Path
from typing import Any

from pointmask.bench.machine import record
from pointmask.io.files import write_whole

FOLDER = Path(__file__).parent.parent / "results"


def save(name: str, figures: dict[str, Any], folder: Path) -> Path:
    """Write ``<folder>/<name>.json`` and say so; returns the path."""
    path = folder / f"{name}.json"
    content = {"command": command(), "machine": record(), **figures}
    write_whole(path, json.dumps(content, indent=2) + "\n")
    print(f"written: {path}")
    return path


def command() -> str:
    """Return the command that is running, as a user would type it in the repository's root."""
    return shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]])

"""``metrics.jsonl``: one line per epoch of a run, cut back to the checkpoint when the run goes on."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

METRICS = "metrics.jsonl"


def add_metrics(path: Path, metrics: Mapping[str, Any]) -> None:
    """Write the line of one epoch."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(metrics) + "\n")


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Read all epochs; half a line at the end, of a run that was killed, is left out."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def cut_metrics(path: Path, epochs: int) -> None:
    """Keep so many epochs."""
    kept = [metrics for metrics in read_metrics(path) if metrics["epoch"] <= epochs]
    write_text(path, "".join(json.dumps(metrics) + "\n" for metrics in kept))


def write_text(path: Path, text: str) -> None:
    """Write a file that is never seen half-written."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)

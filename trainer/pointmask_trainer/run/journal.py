"""Lines of JSON, one per epoch, that a run appends to and cuts back when it goes on from a checkpoint."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Journal:
    """A file of one JSON object per line, each with its ``epoch``.

    Parameters
    ----------
    path : Path
        Made with the first line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, epoch: int, record: Mapping[str, Any]) -> None:
        """Write one line; an empty record writes none."""
        if record:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"epoch": epoch, **record}) + "\n")

    def read(self) -> list[dict[str, Any]]:
        """Return all whole lines; a kill may have cut the last."""
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("}")]

    def cut(self, epochs: int) -> None:
        """Keep the lines up to an epoch: what lies beyond it is done again."""
        if not self.path.exists():
            return
        kept = [json.dumps(line) + "\n" for line in self.read() if line["epoch"] <= epochs]
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        temporary.write_text("".join(kept), encoding="utf-8")
        temporary.replace(self.path)


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

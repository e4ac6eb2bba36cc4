"""Run one command of pointmask in a copy of a case, and hold all that can be seen of it from outside."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .scenes import Place, key_of

SECONDS = 900  # of one command; a training of one epoch on ten images takes a few
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_GENERAL = {"images", "masks"}  # as values of --points, these words occur in messages with their own meaning


@dataclass(frozen=True)
class Outcome:
    """
    What one command did.

    Attributes
    ----------
    folder : Path
        Where it ran: the copy of the case.
    words : tuple of str
        The command without the program.
    status : int
        Exit status; negative for a signal, 124 if it took too long.
    raw : str
        Standard output, then standard error.
    """

    folder: Path
    words: tuple[str, ...]
    status: int
    raw: str

    @cached_property
    def text(self) -> str:
        """
        The output without colours and without the name that was given as ``--points``.

        A file called ``boxes.jsonl`` would otherwise let every message that names it speak of boxes.
        """
        text = _COLOURS.sub("", self.raw)
        given = self.after("--points")
        for name in (given, Path(given).name if "." in given else "") if given else ():
            if name and name not in _GENERAL:
                text = re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", "@", text)
        return text

    def after(self, option: str) -> str | None:
        """Value of an option, or None."""
        words = self.words
        return words[words.index(option) + 1] if option in words[:-1] else None

    @property
    def crashed(self) -> bool:
        """Whether it ended by an error that nobody caught, by a signal, or not in time."""
        return self.status < 0 or self.status == 124 or "Traceback (most recent call last)" in self.raw

    @cached_property
    def masks(self) -> dict[str, NDArray[np.bool_]]:
        """Masks below ``--out``, by the name of their image without its suffix."""
        out = self.after("--out")
        top = self.folder / (out or "") / "masks"
        if out is None or not top.is_dir():
            return {}
        return {key_of(path, top): _mask(path) for path in sorted(top.rglob("*.png"))}

    @cached_property
    def clicks(self) -> dict[str, list[Place]] | None:
        """Where targets were clicked on, (x, y) by image, or None where no manifest says so."""
        path = self.folder / (self.after("--out") or "") / "manifest.jsonl"
        if self.after("--out") is None or not path.is_file():
            return None
        clicks: dict[str, list[Place]] = {}
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            for target in row.get("targets", []):
                y, x = target["point"]
                clicks.setdefault(key_of(Path(row["image"])), []).append((float(x), float(y)))
        return clicks


def _mask(path: Path) -> NDArray[np.bool_]:
    with Image.open(path) as image:
        return np.asarray(image) > 0


def execute(program: Path, words: tuple[str, ...], folder: Path) -> Outcome:
    """Run the program in a folder and wait for its end."""
    environment = {**os.environ, "COLUMNS": "500", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    try:
        done = subprocess.run(
            [str(program), *words],
            cwd=folder,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Outcome(folder, words, 124, f"took over {SECONDS} s")
    return Outcome(folder, words, done.returncode, f"{done.stdout}\n{done.stderr}")


def copy(source: Path, target: Path) -> None:
    """Copy a case so that everything in it can be written to, whatever the rights of the original are."""
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.rglob("*")):
        place = target / path.relative_to(source)
        if path.is_dir():
            place.mkdir(exist_ok=True)
        else:
            shutil.copyfile(path, place)

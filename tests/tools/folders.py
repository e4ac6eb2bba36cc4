"""Small images, folders and comparisons for the tests of the folder job and the command line."""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from pointmask.folder.records.manifest import read_manifest
from pointmask.io.images.array import encode_png
from pointmask.io.points.points import Point, Points
from pointmask.synth.scenes import make_scenes

SIZE = 48


def spot(
    row: int = 20, col: int = 24, shape: tuple[int, int] = (SIZE, SIZE), peak: float = 120.0
) -> np.ndarray:
    """A small bright blob on a faint slope."""
    rows, cols = np.indices(shape)
    blob = peak * np.exp(-((rows - row) ** 2 + (cols - col) ** 2) / 5.0)
    return (40 + rows / 4 + blob).astype(np.uint8)


def save(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_png(array))


def one(row: int = 20, col: int = 24, label: str | None = None) -> tuple[Point, ...]:
    return (Point(row, col, label),)


def tree(out: Path) -> dict[str, bytes]:
    """All files below a folder, hidden ones too."""
    return {
        str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()
    }


def without_command(files: dict[str, bytes]) -> dict[str, bytes]:
    """Files of `tree`, but for what the report tells of commands and dates, and the report's seal."""
    page = files["report.html"]
    assert page.count(b'<p class="command">') == 1
    rest = {name: data for name, data in files.items() if name != ".documents.json"}
    return rest | {"report.html": re.sub(rb'<p class="command">.*?</p>|<br>pointmask [^<]*', b"", page)}


def copies(base: Path, images: int) -> dict[str, tuple[Point, ...]]:
    """Write `scenes` and copies of one of them; return their clicks, and one on an image that is gone."""
    source, points = scenes(base)
    data, found = (source / "01.png").read_bytes(), points.by_image["01.png"]
    names = [f"copy{k:03d}.png" for k in range(images - len(points.by_image))]
    for name in names:
        (source / name).write_bytes(data)
    return {**dict(points), **dict.fromkeys(names, found), "gone.png": found}


@contextmanager
def umask(mask: int) -> Iterator[None]:
    """Make files and folders without these rights, until the block ends."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def other_modes(root: Path, mask: int) -> dict[str, str]:
    """Files and folders below a folder whose rights are not those that the umask leaves, by relative path."""
    found = {}
    for path in root.rglob("*"):
        usual = (0o777 if path.is_dir() else 0o666) & ~mask
        mode = stat.S_IMODE(path.lstat().st_mode)
        if not path.is_symlink() and mode != usual:
            found[str(path.relative_to(root))] = oct(mode)
    return found


def reasons(out: Path) -> dict[str, str]:
    return {entry["image"]: entry["reason"] for entry in read_manifest(out) if entry["status"] == "skipped"}


def scenes(tmp_path: Path) -> tuple[Path, Points]:
    """Twelve scenes, two of them in a subfolder."""
    by_image = {}
    for k, scene in enumerate(make_scenes(12, 3, shape=(64, 64))):
        name = f"seq/{k:02d}.png" if k > 9 else f"{k:02d}.png"
        save(tmp_path / "images" / name, scene.image)
        by_image[name] = tuple(Point(row, col) for row, col in scene.points)
    return tmp_path / "images", Points(by_image)

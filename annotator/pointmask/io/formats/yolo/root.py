"""Where label files, images and the names of classes lie, as tools export them.

======================== ============================================ =========================
root of                  label files                                  names of classes
======================== ============================================ =========================
pointmask, Label Studio  ``labels/a.txt`` beside ``images/``          ``classes.txt``
Ultralytics              ``labels/train/a.txt`` beside ``images/``    ``data.yaml``
Roboflow                 ``train/labels/a.txt``, ``train/images/``    ``data.yaml``
CVAT                     ``obj_train_data/a.txt`` among the images    ``obj.names``
======================== ============================================ =========================
"""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from pointmask.errors import PointsError
from pointmask.io.formats.folders._masks import holds_images
from pointmask.io.formats.parts.decoding import peek
from pointmask.io.formats.parts.text import read_text
from pointmask.io.formats.yolo.lines import words_of
from pointmask.io.images.open import open_source
from pointmask.io.images.source import ImageSource
from pointmask.io.layout import is_tree
from pointmask.io.listing import files_below

CLASSES = "classes.txt"
SUFFIX = ".txt"
_NAME_LISTS = (CLASSES, "obj.names")
_YAMLS = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
_NO_LABELS = re.compile(
    r"(readme|licen[cs]e|classes|predefined_classes|names|labels|notes|train|trainval|val|valid|test)\b.*\.txt",
    re.IGNORECASE,
)
_SNIFFED = 1 << 16
_FILES = 1 << 17  # of a folder, that are looked through for one that is not empty
_KEY = re.compile(r"^(names|kpt_shape)\s*:(.*)$")
_ITEM = re.compile(r"^\s*(?:-|(\d+)\s*:)\s*(.*)$")
_FLOW_ITEM = re.compile(r"""(?:(\d+)\s*:\s*)?("[^"]*"|'[^']*'|[^,"'\[\]{}]+)""")


def root_of(path: Path) -> Path:
    """Return the folder of labels of a root that has one, else the path."""
    return path / "labels" if (path / "labels").is_dir() else path


def no_labels(root: Path) -> set[str]:
    """Return the names of text files below a folder that hold no labels, as their names and content say."""
    if not root.is_dir():
        return set()
    return {
        file.name for file in _texts(root) if _NO_LABELS.fullmatch(file.name) and not is_label_file(file)
    } | {CLASSES}


def is_label_file(file: Path) -> bool:
    """Say whether the first line of a file is a label."""
    return words_of(first_line(file)) is not None


def first_line(file: Path) -> str:
    """Return the first line that is not blank, or an empty text."""
    return peek(file, _SNIFFED).lstrip().partition("\n")[0]


def filled(path: Path, most: int) -> list[Path]:
    """Return the first label files at a path that are not empty; never raises."""
    if not path.is_dir():
        return [path] if path.is_file() and path.suffix.lower() == SUFFIX else []
    if is_tree(path):
        return []
    try:
        files = islice(_texts(path), _FILES)
        return list(islice((file for file in files if file.stat().st_size and first_line(file)), most))
    except OSError:
        return []


def holds_empty_labels(path: Path) -> bool:
    """Say whether a folder called labels holds empty text files alone."""
    if path.name != "labels" and not (path / "labels").is_dir():
        return False
    try:
        files = list(islice(_texts(root_of(path)), _FILES))
        return bool(files) and not any(file.stat().st_size for file in files)
    except OSError:
        return False


def class_names(root: Path) -> list[str]:
    """Return the names of classes that are declared beside labels or in a folder above; none if none are."""
    for folder in _above(root):
        for name in _NAME_LISTS:
            if (folder / name).is_file():
                return [line.strip() for line in read_text(folder / name).splitlines()]
        declared = _declared(folder).get("names")
        if declared:
            return declared
    return []


def key_point_shape(root: Path) -> tuple[int, int] | None:
    """Return ``kpt_shape`` of a ``data.yaml``: how many key points, of how many numbers each."""
    for folder in _above(root):
        shape = _declared(folder).get("kpt_shape", [])
        if len(shape) == 2 and all(value.isdecimal() and len(value) < 4 for value in shape):
            return int(shape[0]), int(shape[1])
    return None


def images_beside(root: Path) -> ImageSource:
    """Return the images of labels: in their twin ``images``, or in the folder itself or its root."""
    folder = root if root.is_dir() else root.parent
    twins = [
        Path(*folder.parts[:place], "images", *folder.parts[place + 1 :])
        for place, part in enumerate(folder.parts)
        if part == "labels"
    ]
    for candidate in (*reversed(twins), folder):
        if holds_images(candidate):
            return open_source(candidate)
    raise PointsError(
        f"{root}: YOLO labels are fractions of the size of images, and none lie beside them; give their "
        "folder with --images"
    )


def _texts(folder: Path) -> Iterator[Path]:
    return files_below(folder, lambda name: name.lower().endswith(SUFFIX))


def _above(root: Path) -> tuple[Path, ...]:
    folder = root if root.is_dir() else root.parent
    folders = (folder, folder.parent)
    # Labels of a subset: their root is one more up.
    return (*folders, folder.parent.parent) if folder.name == "labels" else folders


def _declared(folder: Path) -> dict[str, list[str]]:
    """Return names and kpt_shape of the ``data.yaml`` in a folder, in lines or brackets, numbered or not."""
    file = next((folder / name for name in _YAMLS if (folder / name).is_file()), None)
    found: dict[str, dict[int, str]] = {}
    if file is None:
        return {}
    items: dict[int, str] | None = None
    for line in read_text(file).splitlines():
        key = _KEY.match(line)
        item = _ITEM.match(line)
        if key is not None:
            items = found.setdefault(key[1], {})
            for number, word in _FLOW_ITEM.findall(key[2].partition(" #")[0]):
                if word.strip():
                    items[int(number) if number else len(items)] = _unquoted(word)
        elif item is not None and items is not None:
            items[int(item[1][:6]) if item[1] else len(items)] = _unquoted(item[2].partition(" #")[0])
        elif line.strip() and not line.lstrip().startswith("#"):
            items = None
    return {
        name: [items.get(k, "") for k in range(min(1 + max(items, default=-1), 1 << 16))]
        for name, items in found.items()
    }


def _unquoted(word: str) -> str:
    return word.strip().strip("\"'")

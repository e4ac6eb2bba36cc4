"""A format as another package brings it, for tests: JSON lines of points and masks; and some that are broken.

`install` lays it out as an installed package, with the entry points of its metadata.
"""

import json
from pathlib import Path

MODULE = """
import json

import numpy as np

from pointmask import Format, LabelledTarget, Patch, Point
from pointmask.io.formats.base import EVERYTHING, DocumentFormat
from pointmask.io.formats.parts.per_image import Parsed


class Vendor(DocumentFormat):
    name = "vendor"
    description = "targets of Vendor's camera"
    abilities = frozenset({"read points", "read masks", "write masks"})
    holds = EVERYTHING - {"boxes"}
    suffixes = (".vnd",)
    layout = "file"
    saved_as = "vendor.vnd"

    def sniff(self, path):
        return path.is_file() and path.read_bytes()[:9] == b"VENDOR 1\\n"

    def parsed(self, path, rejected, images):
        for line in path.read_text().splitlines()[1:]:
            fields = json.loads(line)
            targets = [_target(target) for target in fields["targets"]]
            yield Parsed(fields["key"], tuple(fields["shape"]), targets)

    def write_masks(self, images, path, *, source=None, options=None):
        lines = ["VENDOR 1", *(json.dumps(_fields(image)) for image in images)]
        path.write_text("".join(line + "\\n" for line in lines))


def _target(fields):
    point = fields["point"] and Point(*fields["point"])
    patch = fields["mask"] and Patch(*fields["place"], np.array(fields["mask"], bool))
    return LabelledTarget(point, patch, fields["confidence"], fields["label"])


def _fields(image):
    targets = [
        {
            "point": target.point and [target.point.row, target.point.col, target.label],
            "place": target.patch and [target.patch.row, target.patch.col],
            "mask": target.patch and target.patch.pixels.tolist(),
            "confidence": target.confidence,
            "label": target.label,
        }
        for target in image.targets
    ]
    return {"key": image.key, "shape": image.shape, "targets": targets}


class Boastful(Vendor):
    name = "boastful"
    abilities = Vendor.abilities | {"write points"}


class Clumsy(Vendor):
    name = "clumsy"

    def sniff(self, path):
        return path.read_text()[1000] == "V"


class Nameless(Vendor):
    name = "another"


class Mute(Vendor):
    name, description = "mute", ""


class Shapeless(Vendor):
    name, layout = "shapeless", ""


class Saving(Format):
    name, description, saved_as = "saving", "saved, but not written", "saving.txt"


no_class = {}
"""


def install(folder: Path, formats: dict[str, str]) -> None:
    """Write the module ``vendor_formats`` and the metadata of the package ``vendor-camera`` into a folder.

    Parameters
    ----------
    folder : Path
        To be put on the path of modules.
    formats : dict
        Entry points of the group ``pointmask.formats``: name to ``module:attribute``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vendor_formats.py").write_text(MODULE)
    (folder / "vendor_broken.py").write_text("raise RuntimeError('the camera is off')\n")
    metadata = folder / "vendor_camera-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: vendor-camera\nVersion: 1.0\n")
    lines = [f"{name} = {value}\n" for name, value in formats.items()]
    (metadata / "entry_points.txt").write_text("[pointmask.formats]\n" + "".join(lines))


def document(*lines: dict[str, object]) -> str:
    """Return a document of the format, by hand."""
    return "".join(f"{line}\n" for line in ("VENDOR 1", *map(json.dumps, lines)))

"""What is not read, by name: what it looks like, and how it becomes something that is read.

One table; a line is a rule. A file that no format recognises is held against them in their order.
"""

import re
import zipfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pointmask.io.formats.parts.decoding import peek
from pointmask.io.formats.parts.documents import head_keys

_BYTES = 512
_TABLE = "a table with the columns image,x,y"
_WORD = r"[^\s,;\"']+"
_IMAGE = rf"{_WORD}\.(?:png|jpe?g|bmp|tiff?)"


class Unread(NamedTuple):
    """A kind of file that is not read.

    Attributes
    ----------
    what : str
        What it looks like.
    convert : str
        How to convert it: an order to the user.
    suffixes : tuple of str
        One of which its name must have; any if empty.
    start : bytes
        Its first bytes.
    line : str
        Pattern of its first line, whole and whatever the case.
    keys : frozenset of str
        Keys with which a JSON document must begin.
    member : str
        End of the name of a file that a zip archive must hold.
    """

    what: str
    convert: str
    suffixes: tuple[str, ...] = ()
    start: bytes = b""
    line: str = ""
    keys: frozenset[str] = frozenset()
    member: str = ""


def _keys(*names: str) -> frozenset[str]:
    return frozenset(names)


_RULES = (
    Unread("a MATLAB file of version 7.3 (HDF5)", "save it in MATLAB with save(file, 'points', '-v7')",
           (".mat",), b"MATLAB 7.3"),
    Unread("a region of ImageJ",
           "open it in ImageJ, measure it (Ctrl+M) and save the table of results as CSV",
           (".roi",)),
    Unread("a set of regions of ImageJ (RoiSet.zip)",
           "open it in ImageJ's ROI Manager, press Measure and save the table of results as CSV",
           (".zip",), member=".roi"),
    Unread("a workbook of Excel 97 to 2003", "save it as .xlsx or CSV", (".xls",), b"\xd0\xcf\x11\xe0"),
    Unread("a spreadsheet of LibreOffice", "save it as .xlsx or CSV", (".ods", ".fods")),
    Unread("a Parquet table", f"write {_TABLE}: pandas.read_parquet(file).to_csv('points.csv', index=False)",
           start=b"PAR1"),
    Unread("a Feather table", f"write {_TABLE}: pandas.read_feather(file).to_csv('points.csv', index=False)",
           start=b"ARROW1"),
    Unread("an HDF5 file", f"write {_TABLE} with h5py or pandas.read_hdf", start=b"\x89HDF\r\n\x1a\n"),
    Unread("a SQLite database", f"export {_TABLE}: sqlite3 -header -csv FILE 'select ...' > points.csv",
           start=b"SQLite format 3\0"),
    Unread("a pickle of Python, which can run code", f"load it where it was made and write {_TABLE}",
           (".pkl", ".pickle", ".p")),
    Unread("arrays of NumPy in an archive", "save one .npy file per image, each an array (n, 2) of x and y",
           (".npz",)),
    Unread("a TFRecord of TensorFlow", f"write {_TABLE} with tf.data.TFRecordDataset",
           (".tfrecord", ".tfrecords", ".record")),
    Unread("annotations of Caltech's toolbox (vbb)",
           "convert them to COCO with its script vbb2coco or dbEval",
           (".vbb",)),
    Unread("GeoJSON", f"write {_TABLE} in pixels, with rasterio's transform: rowcol(transform, lon, lat)",
           keys=_keys("type", "features")),
    Unread("geographic data",
           f"write {_TABLE} in pixels, with QGIS or rasterio", (".kml", ".kmz", ".shp", ".gpkg")),
    Unread("annotations of V7 Darwin", "export them from V7 as COCO", keys=_keys("item", "annotations")),
    Unread("annotations of SuperAnnotate",
           "convert them to COCO with its SDK: superannotate export --format COCO",
           keys=_keys("metadata", "instances")),
    Unread("a project of Datumaro", "convert it to COCO: datum convert -if datumaro -f coco -i FOLDER",
           keys=_keys("categories", "items")),
    Unread("a table of boxes of MATLAB's Image Labeler, a column per label",
           "write one row per box under the header image,x,y,width,height, with 1 less for x and y, which "
           "MATLAB counts from 1", line=r"\W?imageFilename\b.*"),
    Unread("annotations of BDD100K or Scalabel", "convert them to COCO: python -m scalabel.label.to_coco",
           keys=_keys("name", "labels")),
    Unread("an export of Labelbox", "convert it to COCO with Labelbox' converter (labelbox-json-converter)",
           keys=_keys("data_row", "projects")),
    Unread("a manifest of AWS Ground Truth",
           f"convert it to COCO with Roboflow or a script, or write {_TABLE}",
           keys=_keys("source-ref")),
    Unread("tracks of TrackMate",
           f"write {_TABLE}, with FRAME as frame and POSITION_X and _Y as x and y in pixels",
           line=r".*TRACK_ID.*POSITION_X.*"),
    Unread("body parts of DeepLabCut", f"write {_TABLE} from its CSV", line=r"scorer,.*"),
    Unread("boxes of Open Images, as fractions",
           f"multiply by the size of each image and write {_TABLE}, or convert them to COCO with FiftyOne",
           line=r"ImageID,.*XMin,XMax,YMin,YMax.*"),
    Unread("a source list (photutils, DAOStarFinder, SExtractor) of one image, whose name it does not say",
           "add a column image, such as: table['image'] = 'a.png'",
           line=r"(?!.*\b(image|filename|file)\b).*\b(xcentroid\W+ycentroid|X_IMAGE\W+Y_IMAGE)\b.*"),
    Unread("a catalogue of SExtractor", f"write {_TABLE}, where x is X_IMAGE - 1 and y is Y_IMAGE - 1",
           line=r"#\s+1\s+[A-Z_]+\s.*"),
    Unread("boxes of keras-retinanet, a table without header", "add the header line image,x1,y1,x2,y2,label",
           line=rf"{_IMAGE},\d*,\d*,\d*,\d*,[^,]*"),
    Unread("a training list of YOLOv3 for Keras, boxes behind each image",
           "write one line per box with the header image,x1,y1,x2,y2",
           line=rf"{_IMAGE}\s+\d+,\d+,\d+,\d+,\d+.*"),
    Unread("labels of KITTI", "convert them to COCO or YOLO with FiftyOne or datumaro",
           line=r"[A-Za-z_]+(?:\s+-?\d+(?:\.\d+)?){14,15}"),
    Unread("WIDER FACE's list, of an image, a count and that many boxes", "convert it to COCO with datumaro",
           line=rf"{_WORD}/{_IMAGE}"),
    Unread("four numbers per line that may be two corners or a corner and a size (OTB, LaSOT)",
           "choose --points-format sequence-boxes for left,top,width,height of each frame, or write the "
           "header "
           "image,xmin,ymin,xmax,ymax and the images",
           line=r"\s*-?[\d.]+(?:[,;\t ]+-?[\d.]+){3}\s*"),
    Unread("a table of places without a column of images",
           "call the column with the name of each image's file: image, or add it",
           line=r"(?!.*\b(image|filename|file|name)\b)(?=.*\b(x|xmin|x1|cx)\b)(?=.*\b(y|ymin|y1|cy)\b).*"),
)  # fmt: skip


def named(path: Path) -> str | None:
    """Say what a file looks like that is not read, and how to convert it; None if nothing is known of it."""
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            start = file.read(_BYTES)
    except OSError:
        return None
    line = next(islice(filter(str.strip, peek(path).splitlines()), 1), "")[:2000].strip()
    keys = head_keys(path)
    tests: tuple[Callable[[Unread], bool], ...] = (
        lambda rule: not rule.suffixes or path.suffix.lower() in rule.suffixes,
        lambda rule: start.startswith(rule.start),
        lambda rule: not rule.line or re.fullmatch(rule.line, line, re.IGNORECASE) is not None,
        lambda rule: rule.keys <= keys,
        lambda rule: not rule.member or _holds(path, rule.member),
    )
    rule = next((rule for rule in _RULES if all(test(rule) for test in tests)), None)
    return rule and f"this looks like {rule.what}, which is not read; {rule.convert}"


def _holds(path: Path, ending: str) -> bool:
    try:
        with zipfile.ZipFile(path) as packed:
            return any(name.lower().endswith(ending) for name in packed.namelist())
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return False

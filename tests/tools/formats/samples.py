"""One or more small valid files of every format, for what must hold for all of them.

All of one format's samples say that image ``a`` has its target at row 1, column 2, if they hold points.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pointmask.io.formats.labelled import LabelledImage, LabelledTarget, Patch
from pointmask.io.formats.registry import FORMATS
from pointmask.io.images.array import encode_png
from pointmask.io.points.points import Point
from tools.formats.line_samples import line_samples

SHAPE = (6, 7)


@dataclass(frozen=True)
class Sample:
    """Files by name below a folder.

    Attributes
    ----------
    opened : str
        What is handed to the reader; the folder itself if empty.
    options : Mapping
        For `pointmask.io.formats.read_points`.
    """

    files: Mapping[str, bytes]
    opened: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Write all files and return what a user would name."""
        for name, data in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return folder / self.opened if self.opened else folder


def _single(name: str, content: object) -> Sample:
    if isinstance(content, (dict, list)):
        content = json.dumps(content)
    return Sample({name: content if isinstance(content, bytes) else str(content).encode()}, name)


def labelled() -> list[LabelledImage]:
    """Two images, one of them without targets."""
    blob = np.zeros(SHAPE, np.bool_)
    blob[0:3, 1:4] = True
    blob[0, 1] = False
    target = LabelledTarget(Point(1, 2, "ship"), Patch.crop(blob), 0.75)
    lone = LabelledTarget(None, Patch.crop(np.eye(2, dtype=np.bool_), 4, 5), 0.5, "bird")
    return [LabelledImage("a.png", 0, SHAPE, (target, lone)), LabelledImage("b.png", 0, SHAPE, ())]


def _written(name: str, file: str, folder: Path) -> Sample:
    """What `pointmask` itself writes in a format."""
    path = folder / name / file
    path.parent.mkdir(parents=True)
    form = FORMATS.load(name)
    form.write_masks(iter(labelled()), path)
    if path.is_file():
        return Sample({file: path.read_bytes()}, file)
    if form.needs_images:
        for image in labelled():
            (path / "images").mkdir(exist_ok=True)
            (path / "images" / image.image).write_bytes(encode_png(np.zeros(SHAPE, np.uint8)))
    found = {
        each.relative_to(path).as_posix(): each.read_bytes() for each in path.rglob("*") if each.is_file()
    }
    return Sample(found)


def npy(content: object) -> bytes:
    """A ``.npy`` file of an array or object."""
    file = io.BytesIO()
    np.save(file, content, allow_pickle=True)
    return file.getvalue()


_CVAT_VIDEO = (
    '<?xml version="1.0" encoding="utf-8"?><annotations><version>1.1</version><meta><task><original_size>'
    "<width>7</width><height>6</height></original_size></task><source>a.tif</source></meta>"
    '<track id="0" label="ship"><points frame="0" outside="0" keyframe="1" points="2.50,1.50"/>'
    '<mask frame="0" outside="0" rle="1, 2, 1" left="2" top="1" width="2" height="2"/>'
    '<points frame="1" outside="1" keyframe="1" points="2.50,1.50"/></track></annotations>'
)
_KEYPOINT = {
    "id": "p", "type": "keypointlabels", "original_width": 7, "original_height": 6, "image_rotation": 0,
    "value": {"x": 35.7, "y": 25.0, "width": 0.5, "keypointlabels": ["ship"]},
}  # fmt: skip
_VIA = {"filename": "a.png", "size": 12, "regions": [
    {"shape_attributes": {"name": "point", "cx": 2, "cy": 1}, "region_attributes": {"kind": "ship"}},
]}  # fmt: skip
_VIA_3 = {
    "project": {"pid": "__VIA_PROJECT_ID__"}, "config": {}, "attribute": {"1": {"options": {"0": "ship"}}},
    "file": {"1": {"fid": "1", "fname": "a.png", "type": 2}}, "view": {"1": {"fid_list": ["1"]}},
    "metadata": {"1_Gx7": {"vid": "1", "flg": 0, "z": [], "xy": [1, 2.75, 1.25], "av": {"1": "0"}}},
}  # fmt: skip
_MCLC = {
    "name": "a", "Ymin_f": [0], "Ymax_f": [4], "Xmin_f": [0], "Xmax_f": [5],
    "centroid_label_y": [1], "centroid_label_x": [2], "target_type": ["Point"],
}  # fmt: skip
_COCO = {
    "images": [{"id": 1, "file_name": "a.png", "width": 7, "height": 6}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "keypoints": [2, 1, 2], "num_keypoints": 1},
        {"id": 2, "image_id": 1, "category_id": 1, "bbox": [1, 1, 3, 3]},
        {"id": 3, "image_id": 1, "category_id": 1, "segmentation": [[1, 1, 3, 1, 3, 3]]},
        {"id": 4, "image_id": 1, "category_id": 1, "segmentation": {"size": [6, 7], "counts": [3, 2, 37]}},
    ],
    "categories": [{"id": 1, "name": "ship", "keypoints": ["point"]}],
}  # fmt: skip


_LABELME = {
    "version": "5.5.0", "imagePath": "a.png", "imageData": None, "imageHeight": 6, "imageWidth": 7,
    "shapes": [
        {"label": "ship", "shape_type": kind, "points": points, "group_id": None, "flags": {}}
        for kind, points in (
            ("point", [[2.5, 1.5]]), ("polygon", [[0, 0], [3, 0], [3, 3]]), ("rectangle", [[1, 1], [4, 4]]),
            ("circle", [[2, 2], [3, 3]]), ("rotation", [[1, 1], [4, 1], [4, 4], [1, 4]]),
        )
    ],
}  # fmt: skip


_SIRST = (
    "<annotation><folder>targets</folder><filename>a.png</filename><size><width>7</width><height>6</height></size>"
    "<object><name>Target</name><centroid><yc>2.2</yc><xc>2.9</xc></centroid></object>"
    "<object><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>3</xmax><ymax>3</ymax></bndbox></object></annotation>"
)
_SIRST_EMPTY = (
    "<annotation><folder>backgrounds</folder><filename>b.png</filename>"
    "<object><name>Target</name><pixels><id>0</id></pixels></object></annotation>"
)
_CREATEML = [
    {
        "image": "a.png",
        "annotations": [{"label": "ship", "coordinates": {"x": 2.5, "y": 1.5, "width": 3, "height": 3}}],
    },
    {"image": "b.png", "annotations": []},
]
_VOTT = {
    "asset": {"name": "a.png", "size": {"width": 7, "height": 6}, "state": 2, "type": 1},
    "regions": [
        {
            "type": "RECTANGLE",
            "tags": ["ship"],
            "boundingBox": {"left": 1, "top": 0, "width": 3, "height": 3},
        },
        {"type": "POLYGON", "tags": [], "points": [{"x": 1, "y": 1}, {"x": 4, "y": 1}, {"x": 4, "y": 5}]},
        {"type": "POINT", "tags": ["bird"], "points": [{"x": 1, "y": 1}]},
    ],
}
_SUPERVISELY = {
    "description": "", "tags": [], "size": {"height": 6, "width": 7},
    "objects": [
        {"classTitle": "ship", "geometryType": kind, "points": {"exterior": corners, "interior": []}}
        for kind, corners in (
            ("rectangle", [[1, 0], [3, 2]]), ("point", [[2, 1]]), ("polygon", [[1, 1], [4, 1], [4, 4]]),
        )
    ],
}  # fmt: skip
_RESULTS = [
    {"image_id": "a", "category_id": 1, "bbox": [1, 0, 3, 3], "score": 0.5},
    {"image_id": "a", "category_id": 1, "segmentation": {"size": [6, 7], "counts": [3, 2, 37]}, "score": 0.5},
    {"image_id": 7, "category_id": 1, "keypoints": [2, 1, 2], "score": 0.1},
]
_ABOUT = {"original_width": 7, "original_height": 6, "image_rotation": 0}
_MIN = {
    "image": "/data/upload/1/0a1b2c3d-a.png", "id": 1, "annotator": 1, "annotation_id": 1, "lead_time": 1.5,
    "kp": [{"x": 35.7, "y": 25.0, "width": 0.5, "keypointlabels": ["ship"], **_ABOUT}],
    "rect": [{"x": 0, "y": 0, "width": 50, "height": 50, "rectanglelabels": ["bird"], **_ABOUT}],
    "poly": [{"points": [[1, 1], [50, 1], [50, 50]], "polygonlabels": ["bird"], **_ABOUT}],
}  # fmt: skip


def _png(rows: int | slice, cols: int | slice) -> bytes:
    mask = np.zeros(SHAPE, np.bool_)
    mask[rows, cols] = True
    return encode_png(mask)


def _lines(*entries: object) -> bytes:
    return "".join(json.dumps(entry) + "\n" for entry in entries).encode()


def samples(folder: Path) -> dict[str, list[Sample]]:
    """Samples by format; ``folder`` is for scratch."""
    found = _by_hand()
    lines = line_samples(_png(0, 0), npy(np.array([[2, 1]])))
    found |= {name: [Sample(*parts) for parts in listed] for name, listed in lines.items()}
    for name, file in _WRITTEN.items():
        if name in FORMATS:
            found.setdefault(name, []).append(_written(name, file, folder))
    return found


def _by_hand() -> dict[str, list[Sample]]:
    table = "image,x,y,label,frame\na.png,2,1,ship,\nb.png,,,,\n"
    lines = (
        '{"image": "a.png", "points": [[2, 1], {"x": 2, "y": 1, "label": "ship"}]}\n'
        '{"image": "b.png", "points": [], "frame": 0}\n{"image": "c.png", "x": 1, "y": 2.5}\n'
    )
    task = {"data": {"image": "/data/upload/1/0a1b2c3d-a.png"}, "annotations": [{"result": [_KEYPOINT]}]}
    numbers = {"centroid_label_y": [np.int64(1)], "centroid_label_x": [np.float32(2)]}
    mask, point, image = _png(slice(0, 3), slice(1, 4)), _png(1, 2), _png(0, 0)
    polygon = (
        b"0 .285714 .166667 .428571 .166667 .428571 .333333 .285714 .333333\n1 0.1 0.1 0.9 0.1 0.5 0.9\n"
    )
    done = {
        "image": "a.png", "frame": 0, "status": "done", "shape": list(SHAPE), "mask": "masks/a.png",
        "targets": [{"point": [1, 2], "label": "ship", "area": 9, "box": [0, 1, 3, 4], "confidence": 0.5}],
    }  # fmt: skip
    whole = done | {"targets": [done["targets"][0] | {"rle": "633000b0"}]}
    skipped = {"image": "z.png", "frame": 0, "status": "done", "shape": [3, 3], "targets": []}
    return {
        "csv": [_single("p.csv", table), _single("p.txt", "# by me\nname;col;row\na.png;2;1\n")],
        "jsonl": [_single("p.jsonl", lines)],
        "json": [
            _single("p.json", [{"file_name": "a.png", "points": [[2, 1]]}, {"image": "b.png", "points": []}]),
            _single("p.json", {"a.png": [[2, 1], {"x": 2, "y": 0, "width": 3, "height": 2}], "b.png": []}),
        ],
        "point_images": [Sample({"a.png": point, "b.png": point})],
        "masks": [Sample({"a.png": mask, "b.png": mask}, options={"simulate": "centroid"})],
        "coco": [_single("p.json", _COCO)],
        "cvat": [_single("v.xml", _CVAT_VIDEO)],
        "labelstudio": [_single("p.json", [task])],
        "labelme": [_single("a.json", _LABELME)],
        "sirst": [
            Sample({"a.xml": _SIRST.encode(), "b.xml": _SIRST_EMPTY.encode()}),
            _single("a.xml", _SIRST),
        ],
        "createml": [_single("p.json", _CREATEML)],
        "vott": [
            _single("p-export.json", {"name": "sea", "assets": {"1": _VOTT}}),
            _single("x-asset.json", _VOTT),
        ],
        "supervisely": [_single("a.png.json", _SUPERVISELY)],
        "coco-results": [_single("p.json", _RESULTS)],
        "labelstudio-min": [_single("p.json", [_MIN])],
        "via": [
            _single("p.json", {"a.png12": _VIA}),
            _single("p.json", {"_via_img_metadata": {"a": _VIA}}),
            _single("p.json", _VIA_3),
        ],
        "napari": [
            _single("a.csv", "index,axis-0,axis-1,label\n0.0,1.2,2.4,ship\n"),
            Sample({"a.csv": b"index,axis-0,axis-1,axis-2\n0.0,0.0,1.0,2.0\n"}),
        ],
        "yolo-seg": [Sample({"labels/a.txt": polygon, "images/a.png": image, "classes.txt": b"ship\n"})],
        "native": [
            Sample({"manifest.jsonl": _lines(done, skipped), "masks/a.png": mask}),
            _single("masks.jsonl", _lines(whole, skipped)),
        ],
        "basicirstd": [
            Sample({"img_idx/train_d.txt": b"a\n", "masks/a.png": mask, "masks_coarse/a.png": point})
        ],
        "pal": [
            Sample(
                {
                    f"origin/{folder}/a.png": data
                    for folder, data in (("img", image), ("mask", mask), ("masks_coarse", point))
                }
            )
        ],
        "mclc": [Sample({"a.npy": npy(_MCLC)}), _single("a.npy", npy(_MCLC | numbers))],
    }


_WRITTEN = {
    "coco": "p.json",
    "cvat": "p.xml",
    "labelstudio": "p.json",
    "labelme": "out",
    "voc": "out",
    "yolo": "out",
}
"""Formats that can be written, and the name of the file or folder to write."""


def image_samples() -> dict[str, list[bytes]]:
    """Image files by kind, in some of the ways in which their pixels may be stored."""
    import tifffile

    rng = np.random.default_rng(0)
    grey = rng.integers(0, 255, (9, 11), np.uint8)
    wide = rng.integers(0, 65535, (9, 11), np.uint16)
    colour = rng.integers(0, 255, (9, 11, 3), np.uint8)

    def pillow(array: np.ndarray, kind: str, mode: str | None = None, **options: object) -> bytes:
        file = io.BytesIO()
        image = Image.fromarray(array)
        (image.convert(mode) if mode else image).save(file, kind, **options)
        return file.getvalue()

    def tiff(array: np.ndarray, **options: object) -> bytes:
        file = io.BytesIO()
        tifffile.imwrite(file, array, **options)
        return file.getvalue()

    stack, tiled = np.stack([wide, wide]), np.tile(grey, (4, 4))
    return {
        "png": [pillow(grey, "PNG"), pillow(wide, "PNG"), *(pillow(colour, "PNG", m) for m in ("P", "RGBA"))],
        "bmp": [pillow(grey, "BMP"), pillow(colour, "BMP"), pillow(grey, "BMP", "1")],
        "jpeg": [pillow(grey, "JPEG"), pillow(colour, "JPEG", progressive=True)],
        "tiff": [
            tiff(wide),
            tiff(stack, photometric="minisblack"),
            tiff(colour, photometric="rgb", compression="zlib"),
            tiff(tiled, tile=(16, 16)),
            tiff(grey.astype(np.float32), predictor=False),
            pillow(grey, "TIFF", compression="tiff_lzw"),
        ],
        "npy": [npy(wide), npy(np.asfortranarray(stack)), npy(colour), npy(grey.astype(">f4"))],
        "pgm": [
            b"P5 11 9 4095\n" + (wide % 4096).astype(">u2").tobytes(),
            b"P2\n# c\n11 9\n255\n" + " ".join(map(str, grey.ravel())).encode(),
            pillow(colour, "PPM"),
            pillow(grey, "PPM", "1"),
            b"Pf\n11 9\n-1\n" + grey.astype("<f4").tobytes(),
        ],
        "webp": [pillow(grey, "WEBP", lossless=True), pillow(colour, "WEBP")],
        "jp2": [pillow(wide, "JPEG2000"), pillow(colour, "JPEG2000"), pillow(grey, "JPEG2000", no_jp2=True)],
        "fits": _fits(stack),
        "mat": _mat(stack),
        "mkv": _videos(tiled),
    }


def envi_samples() -> list[Sample]:
    """Headers of ENVI with their data, by band, by row and by pixel."""
    found = []
    for interleave, kind, dtype in (("bsq", 12, "<u2"), ("bil", 4, "<f4"), ("bip", 2, "<i2")):
        head = (
            f"ENVI\ndescription = {{\n x }}\nsamples = 11\nlines = 9\nbands = 2\ndata type = {kind}\n"
            f"interleave = {interleave}\nbyte order = 0\ndata ignore value = 7\n"
        )
        data = (np.arange(198) * 37 % 251).astype(dtype).tobytes()
        found.append(Sample({"a.hdr": head.encode(), "a.img": data}, "a.hdr"))
    return found


def _fits(stack: np.ndarray) -> list[bytes]:
    from astropy.io import fits

    def written(*units: Any) -> bytes:
        file = io.BytesIO()
        fits.HDUList(list(units)).writeto(file)
        return file.getvalue()

    blank = fits.PrimaryHDU(stack.astype(np.int16))
    blank.header["BLANK"] = 7
    return [
        written(fits.PrimaryHDU(stack)),
        written(blank),
        written(fits.PrimaryHDU(), fits.CompImageHDU(stack[0].astype(np.int32))),
    ]


def _mat(stack: np.ndarray) -> list[bytes]:
    from scipy.io import savemat

    def written(**options: bool) -> bytes:
        file = io.BytesIO()
        savemat(file, {"X": stack.transpose(1, 2, 0), "rate": 25.0, "note": "of a test"}, **options)
        return file.getvalue()

    return [written(), written(do_compression=True)]


def _videos(grey: np.ndarray) -> list[bytes]:
    import av

    found = []
    for codec, form in (("ffv1", "gray"), ("mpeg4", "yuv420p")):
        file = io.BytesIO()
        with av.open(file, "w", format="matroska") as container:
            stream = container.add_stream(codec, rate=25, width=44, height=36, pix_fmt=form)
            for _ in range(3):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, "gray").reformat(format=form)))
            container.mux(stream.encode())
        found.append(file.getvalue())
    return found

"""Samples of tables and lines of other programs; see `tools.formats.samples`, which takes them up."""

import io

import numpy as np
import openpyxl
from scipy.io import savemat

Files = dict[str, bytes]

_REGION = (
    '"[{""x"":35.7,""y"":25.0,""width"":0.5,""keypointlabels"":[""ship""],""original_width"":7,'
    '""original_height"":6}]"'
)
_VIA = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes\n"


def workbook(*rows: tuple[object, ...]) -> bytes:
    """An Excel workbook of one sheet."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def mat(**arrays: object) -> bytes:
    """A MATLAB file."""
    file = io.BytesIO()
    savemat(file, arrays)
    return file.getvalue()


def cells(*texts: str) -> np.ndarray:
    """A cell array of texts for `mat`."""
    found = np.empty((1, len(texts)), object)
    found[0, :] = texts
    return found


def line_samples(image: bytes, npy: bytes) -> dict[str, list[tuple[Files, str]]]:
    """Return files, and which of them is opened, by format; ``image`` and ``npy`` are files of these "
    "kinds."""
    boxes = b"1,0,3,3\n0,0,0,0\n"
    return {
        "tensorflow": [
            (
                {"p.csv": b"filename,width,height,class,xmin,ymin,xmax,ymax\na.png,7,6,ship,1,0,4,3\n"},
                "p.csv",
            )
        ],
        "makesense": [
            ({"p.csv": b"ship,1,0,3,3,a.png,7,6\nship,5,5,0,0,b.png,7,6\n"}, "p.csv"),
            ({"p.csv": b"ship,2,1,a.png,7,6\n"}, "p.csv"),
        ],
        "via-csv": [
            (
                {
                    "p.csv": (
                        _VIA
                        + 'a.png,9,"{}",1,0,"{""name"":""point"",""cx"":2,""cy"":1}","{""k"":""ship""}"\n'
                        'a.png,9,"{}",1,0,"{""name"":""rect"",""x"":1,""y"":0,""width"":3,""height"":3}","{}"\n'
                        'b.png,9,"{}",0,0,"{}","{}"\n'
                    ).encode()
                },
                "p.csv",
            )
        ],
        "labelstudio-csv": [
            (
                {
                    "p.csv": (
                        "annotation_id,annotator,id,image,kp,lead_time\n"
                        f"1,1,1,/data/upload/1/0a1b2c3d-a.png,{_REGION},2.0\n"
                        "2,1,2,/data/upload/1/0a1b2c3d-b.png,,2.0\n"
                    ).encode()
                },
                "p.csv",
            )
        ],
        "imagej": [
            ({"p.csv": b" ,Label,X,Y\n1,a.png,2.5,1.5\n"}, "p.csv"),
            (
                {"p.xls": b" \tArea\tLabel\tBX\tBY\tWidth\tHeight\tSlice\n1\t9\ta.png:c\t1\t0\t3\t3\t1\n"},
                "p.xls",
            ),
        ],
        "excel": [
            ({"p.xlsx": workbook(("image", "x", "y"), ("a.png", 2, 1.0), ("b.png", None, None))}, "p.xlsx")
        ],
        "matlab": [
            ({"a.mat": mat(centroid=np.array([[3.0, 2.0]])), "b.mat": mat(centroid=np.zeros((0, 2)))}, ""),
            ({"p.mat": mat(points=np.array([[3.0, 2.0], [1, 1]]), names=cells("a.png", "b.png"))}, "p.mat"),
        ],
        "ds9": [
            (
                {"a.reg": b"# Region file format: DS9\nimage\npoint(3,2) # text={ship}\ncircle(1,1,4)\n"},
                "a.reg",
            ),
            ({"a.reg": b"image\npoint(3,2)\n", "b.reg": b"image\n"}, ""),
        ],
        "visdrone": [({"a.txt": b"1,0,3,3,1,4,0,0\n", "b.txt": b""}, "")],
        "mot": [({"gt.txt": b"1,1,1,0,3,3,1,1,1\n1,2,4,4,1,1,0,1,1\n", "img1/a.png": image}, "gt.txt")],
        "sequence-boxes": [
            ({"groundtruth_rect.txt": boxes, "img/a.png": image, "img/b.png": image}, "groundtruth_rect.txt"),
            (
                {"s/IR_label.json": b'{"exist": [1, 0], "gt_rect": [[1, 0, 3, 3], []]}', "s/img/a.png": image,
                 "s/img/b.png": image},
                "s/IR_label.json",
            ),
        ],
        "dota": [
            ({"a.txt": b"imagesource:x\ngsd:0.1\n1 0 4 0 4 3 1 3 ship 0\n", "b.txt": b"gsd:0.1\n"}, ""),
        ],
        "point-arrays": [({"a.npy": npy}, ""), ({"a.npy": npy}, "a.npy")],
        "point-texts": [({"a.txt": b"2 1\n0,0\n", "b.txt": b""}, "")],
    }  # fmt: skip

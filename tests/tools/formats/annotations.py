"""Annotations by hand, as several tests of formats write and read them."""

import io
import json

import numpy as np

from pointmask.io.formats import read_points, recognise
from pointmask.io.formats.registry import FORMATS


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, (dict, list)):
        content = json.dumps(content)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read_as(path, content, name):
    assert recognise(write(path, content)) == name
    return read_points(path)


def masks_of(name, path):
    rejected = {}
    return list(FORMATS.load(name).read_masks(path, rejected)), rejected


def region(kind, value, **more):
    """One result as Label Studio exports it, of an image of 20 x 10 pixels."""
    size = {"original_width": 20, "original_height": 10, "image_rotation": 0}
    return {"id": "r1", "type": kind, "from_name": "f", "to_name": "image", "value": value, **size, **more}


def keypoint(x, y, **more):
    return region("keypointlabels", {"x": x, "y": y, "width": 0.5, "keypointlabels": ["ship"]}, **more)


def task(image, *results, **more):
    return {"id": 1, "data": {"image": image}, "annotations": [{"id": 3, "result": list(results), **more}]}


def npy(content):
    file = io.BytesIO()
    np.save(file, content, allow_pickle=True)
    return file.getvalue()


MCLC = {
    "name": "a", "Ymin_f": [0], "Ymax_f": [4], "Xmin_f": [0], "Xmax_f": [5],
    "centroid_label_y": [1], "centroid_label_x": [2], "target_type": ["Point"],
}  # fmt: skip
MCLC_EMPTY = dict.fromkeys(MCLC, 0) | {"name": "b", "target_type": "non_target"}

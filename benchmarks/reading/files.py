"""Files of every format that hold the same clicks, written line by line so that writing takes no memory.

A box is 3 x 3 pixels around its click. Formats with a file per image get a folder of files.
"""

import io
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
from numpy.typing import NDArray
from scipy.io import savemat

from reading.clicks import HEIGHT, WIDTH, Clicks

Writer = Callable[[Clicks, Path], Path]
"""Writes into an empty folder, and returns what a user would name."""
_Pair = tuple[int, int]


def rows(name: str, head: str, row: Callable[[str, int, int], str]) -> Writer:
    """Return a writer of a table with a row per click."""

    def write(clicks: Clicks, folder: Path) -> Path:
        lines = (row(image, x, y) for image, pairs in clicks for x, y in pairs)
        return _written(folder / name, [head] if head else [], lines)

    return write


def records(name: str, record: Callable[[str, list[_Pair]], str], ends: tuple[str, str]) -> Writer:
    """Return a writer of JSON with a record per image."""

    def write(clicks: Clicks, folder: Path) -> Path:
        return _joined(folder / name, ends[0], (record(*one) for one in clicks), ends[1])

    return write


def per_image(suffix: str, content: Callable[[str, list[_Pair]], str | bytes]) -> Writer:
    """Return a writer of a file for each image."""

    def write(clicks: Clicks, folder: Path) -> Path:
        for image, pairs in clicks:
            file = (folder / "labels" / image).with_suffix(suffix)
            file.parent.mkdir(parents=True, exist_ok=True)
            data = content(image, pairs)
            file.write_bytes(data if isinstance(data, bytes) else data.encode())
        return folder / "labels"

    return write


def _written(path: Path, head: Iterable[str], lines: Iterable[str]) -> Path:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in head)
        file.writelines(f"{line}\n" for line in lines)
    return path


def _joined(path: Path, start: str, items: Iterable[str], end: str, *, mode: str = "w") -> Path:
    with path.open(mode, encoding="utf-8") as file:
        file.write(start)
        for count, item in enumerate(items):
            file.write(f"{',' if count else ''}\n{item}")
        file.write(end)
    return path


def box(x: int, y: int) -> list[int]:
    """Corner, width and height."""
    return [x - 1, y - 1, 3, 3]


def coco(annotation: Callable[[int, int], dict[str, Any]]) -> Writer:
    """Return a writer of COCO."""

    def write(clicks: Clicks, folder: Path) -> Path:
        path = folder / "coco.json"
        images = (
            json.dumps({"id": count, "file_name": clicks.name(count), "width": WIDTH, "height": HEIGHT})
            for count in range(clicks.images)
        )
        _joined(path, '{"images": [', images, '],\n"categories": [{"id": 1, "name": "ship"}],\n')
        annotations = (
            json.dumps({"id": k, "image_id": image, "category_id": 1, "iscrowd": 0, **annotation(x, y)})
            for image, (_, pairs) in enumerate(clicks)
            for k, (x, y) in enumerate(pairs)
        )
        return _joined(path, '"annotations": [', annotations, "]}\n", mode="a")

    return write


def cvat(shape: Callable[[int, int], str]) -> Writer:
    """Return a writer of CVAT for images."""

    def write(clicks: Clicks, folder: Path) -> Path:
        def lines() -> Iterator[str]:
            for count, (image, pairs) in enumerate(clicks):
                yield f'  <image id="{count}" name="{image}" width="{WIDTH}" height="{HEIGHT}">'
                yield from (shape(x, y) for x, y in pairs)
                yield "  </image>"
            yield "</annotations>"

        head = ['<?xml version="1.0" encoding="utf-8"?>', "<annotations>", "  <version>1.1</version>"]
        return _written(folder / "cvat.xml", head, lines())

    return write


_ABOUT = {"original_width": WIDTH, "original_height": HEIGHT, "image_rotation": 0}


def _percents(x: float, y: float) -> dict[str, float]:
    return {"x": 100 * (x + 0.5) / WIDTH, "y": 100 * (y + 0.5) / HEIGHT}


def _task(image: str, pairs: list[_Pair]) -> str:
    results = [
        {"id": f"p{k}", "type": "keypointlabels", "from_name": "kp", "to_name": "image", **_ABOUT,
         "value": {**_percents(x, y), "width": 0.3, "keypointlabels": ["ship"]}}
        for k, (x, y) in enumerate(pairs)
    ]  # fmt: skip
    return json.dumps({"id": 1, "data": {"image": image}, "annotations": [{"id": 1, "result": results}]})


def _task_of_boxes(image: str, pairs: list[_Pair]) -> str:
    results = [
        {"id": f"p{k}", "type": "rectanglelabels", "from_name": "r", "to_name": "image", **_ABOUT,
         "value": {**_percents(x - 1.5, y - 1.5), "width": 300 / WIDTH, "height": 300 / HEIGHT, "rotation": 0,
                   "rectanglelabels": ["ship"]}}
        for k, (x, y) in enumerate(pairs)
    ]  # fmt: skip
    return json.dumps({"id": 1, "data": {"image": image}, "annotations": [{"id": 1, "result": results}]})


def _minimal(image: str, pairs: list[_Pair]) -> str:
    regions = [{**_percents(x, y), "width": 0.3, "keypointlabels": ["ship"], **_ABOUT} for x, y in pairs]
    return json.dumps({"image": image, "id": 1, "kp": regions, "annotator": 1, "annotation_id": 1})


def _studio_row(image: str, pairs: list[_Pair]) -> str:
    regions = [{**_percents(x, y), "width": 0.3, "keypointlabels": ["ship"], **_ABOUT} for x, y in pairs]
    cell = json.dumps(regions).replace('"', '""')
    return f'1,1,1,{image},"{cell}",2.0'


def _studio_csv(clicks: Clicks, folder: Path) -> Path:
    lines = (_studio_row(*one) for one in clicks)
    return _written(folder / "studio.csv", ["annotation_id,annotator,id,image,kp,lead_time"], lines)


def _via(image: str, pairs: list[_Pair]) -> str:
    regions = [
        {"shape_attributes": {"name": "point", "cx": x, "cy": y}, "region_attributes": {"kind": "ship"}}
        for x, y in pairs
    ]
    fields = {"filename": image, "size": 1, "regions": regions, "file_attributes": {}}
    return f"{json.dumps(image)}: {json.dumps(fields)}"


def _vott(image: str, pairs: list[_Pair]) -> str:
    regions = []
    for x, y in pairs:
        left, top, width, height = box(x, y)
        place = {"left": left, "top": top, "width": width, "height": height}
        regions.append({"id": "r", "type": "RECTANGLE", "tags": ["ship"], "boundingBox": place})
    asset = {"name": image, "size": {"width": WIDTH, "height": HEIGHT}, "state": 2, "type": 1}
    return f"{json.dumps(image)}: {json.dumps({'asset': asset, 'regions': regions})}"


def _createml(image: str, pairs: list[_Pair]) -> str:
    boxes = [
        {"label": "ship", "coordinates": {"x": x + 0.5, "y": y + 0.5, "width": 3, "height": 3}}
        for x, y in pairs
    ]
    return json.dumps({"image": image, "annotations": boxes})


def _native(image: str, pairs: list[_Pair]) -> str:
    targets = [{"point": [y, x], "label": "ship", "area": 9, "confidence": 0.5} for x, y in pairs]
    return json.dumps(
        {"image": image, "frame": 0, "status": "done", "shape": [HEIGHT, WIDTH], "targets": targets}
    )


def _labelme(image: str, pairs: list[_Pair]) -> str:
    shapes = [
        {
            "label": "ship",
            "points": [[x + 0.5, y + 0.5]],
            "group_id": None,
            "shape_type": "point",
            "flags": {},
        }
        for x, y in pairs
    ]
    sizes = {"imageHeight": HEIGHT, "imageWidth": WIDTH}
    name = image.rpartition("/")[2]
    return json.dumps({"version": "5.5.0", "flags": {}, "shapes": shapes, "imagePath": name, **sizes})


def _supervisely(image: str, pairs: list[_Pair]) -> str:
    objects = [
        {"classTitle": "ship", "geometryType": "point", "points": {"exterior": [[x, y]], "interior": []}}
        for x, y in pairs
    ]
    return json.dumps({"size": {"height": HEIGHT, "width": WIDTH}, "objects": objects})


def _xml(item: Callable[[int, int], str]) -> Callable[[str, list[_Pair]], str]:
    def content(image: str, pairs: list[_Pair]) -> str:
        head = f"<annotation><filename>{image.rpartition('/')[2]}</filename>"
        size = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height></size>"
        items = "\n".join(f"<object><name>ship</name>{item(x, y)}</object>" for x, y in pairs)
        return f"{head}{size}\n{items}</annotation>"

    return content


def _lines(line: Callable[[int, int], str], head: str = "") -> Callable[[str, list[_Pair]], str]:
    return lambda _, pairs: head + "".join(f"{line(x, y)}\n" for x, y in pairs)


def _yolo(x: int, y: int) -> str:
    return f"0 {(x + 0.5) / WIDTH:.6f} {(y + 0.5) / HEIGHT:.6f} {3 / WIDTH:.6f} {3 / HEIGHT:.6f}"


def _npy(content: object) -> bytes:
    file = io.BytesIO()
    np.save(file, content, allow_pickle=True)
    return file.getvalue()


def _mclc(image: str, pairs: list[_Pair]) -> bytes:
    xs, ys = zip(*pairs, strict=True)
    return _npy({"name": image, "centroid_label_y": list(ys), "centroid_label_x": list(xs)})


def _mat(_: str, pairs: list[_Pair]) -> bytes:
    file = io.BytesIO()
    savemat(file, {"points": np.array(pairs, np.float64) + 1})
    return file.getvalue()


def _mat_of_all(clicks: Clicks, folder: Path) -> Path:
    names: NDArray[Any] = np.empty((clicks.count, 1), object)
    names[:, 0] = [image for image, pairs in clicks for _ in pairs]
    points = np.array([pair for _, pairs in clicks for pair in pairs], np.float64) + 1
    savemat(folder / "all.mat", {"points": points, "names": names})
    return folder / "all.mat"


def _excel(clicks: Clicks, folder: Path) -> Path:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(("image", "x", "y"))
    for image, pairs in clicks:
        for x, y in pairs:
            sheet.append((image, x, y))
    book.save(folder / "points.xlsx")
    return folder / "points.xlsx"


def _mot(clicks: Clicks, folder: Path) -> Path:
    lines = (
        f"{frame},{k},{x - 1},{y - 1},3,3,1,1,1"
        for frame, (_, pairs) in enumerate(clicks, 1)
        for k, (x, y) in enumerate(pairs, 1)
    )
    return _written(folder / "gt.txt", [], lines)


def _rectangles(clicks: Clicks, folder: Path) -> Path:
    lines = (f"{x - 1},{y - 1},3,3" for _, pairs in clicks for x, y in pairs)
    return _written(folder / "groundtruth_rect.txt", [], lines)


def _anti_uav(clicks: Clicks, folder: Path) -> Path:
    boxes = [box(x, y) for _, pairs in clicks for x, y in pairs]
    (folder / "IR_label.json").write_text(json.dumps({"exist": [1] * len(boxes), "gt_rect": boxes}))
    return folder / "IR_label.json"


def _json_row(image: str, x: int, y: int) -> str:
    return f'{{"image": "{image}", "x": {x}, "y": {y}, "label": "ship"}}'


_VIA_HEAD = (
    "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes"
)

DOCUMENTS: dict[str, tuple[str, Writer]] = {
    "csv, labels": ("csv", rows("p.csv", "image,x,y,label", lambda i, x, y: f"{i},{x},{y},ship")),
    "csv, boxes": ("csv", rows("p.csv", "image,xmin,ymin,xmax,ymax",
                               lambda i, x, y: f"{i},{x - 1},{y - 1},{x + 2},{y + 2}")),
    "csv, percents": ("csv", rows("p.csv", "image,x_percent,y_percent",
                                  lambda i, x, y: ",".join(map(str, (i, *_percents(x, y).values()))))),
    "csv, blanks": ("csv", rows("p.txt", "image x y", lambda i, x, y: f"{i} {x} {y}")),
    "tensorflow": ("tensorflow", rows("p.csv", "filename,width,height,class,xmin,ymin,xmax,ymax",
                   lambda i, x, y: f"{i},{WIDTH},{HEIGHT},ship,{x - 1},{y - 1},{x + 2},{y + 2}")),
    "makesense": ("makesense", rows("p.csv", "", lambda i, x, y: f"ship,{x},{y},{i},{WIDTH},{HEIGHT}")),
    "via-csv": ("via-csv", rows("p.csv", _VIA_HEAD, lambda i, x, y: (
        f'{i},9,"{{}}",1,0,"{{""name"":""point"",""cx"":{x},""cy"":{y}}}","{{""k"":""ship""}}"'))),
    "imagej": ("imagej", rows("p.csv", " ,Label,X,Y", lambda i, x, y: f"1,{i},{x + .5},{y + .5}")),
    "jsonl": ("jsonl", rows("p.jsonl", "", _json_row)),
    "jsonl, per image": ("jsonl", lambda clicks, folder: _written(
        folder / "p.jsonl", [], (json.dumps({"image": i, "points": pairs}) for i, pairs in clicks))),
    "json": ("json", records("p.json", lambda i, pairs: ",\n".join(_json_row(i, x, y) for x, y in pairs),
                             ("[", "]\n"))),
    "json, per image": ("json", records("p.json", lambda i, pairs: f'"{i}": {json.dumps(pairs)}',
                                        ("{", "}\n"))),
    "coco, boxes": ("coco", coco(lambda x, y: {"bbox": box(x, y), "area": 9, "segmentation": []})),
    "coco, keypoints": ("coco", coco(lambda x, y: {"keypoints": [x, y, 2], "num_keypoints": 1})),
    "coco-results": ("coco-results", records("p.json", lambda i, pairs: ",\n".join(
        json.dumps({"image_id": i, "category_id": 1, "bbox": box(x, y), "score": 0.5}) for x, y in pairs),
        ("[", "]\n"))),
    "cvat": ("cvat", cvat(lambda x, y: (
        f'    <points label="ship" source="manual" occluded="0" points="{x + .5:.2f},{y + .5:.2f}" '
        'z_order="0"></points>'))),
    "cvat, boxes": ("cvat", cvat(lambda x, y: (
        f'    <box label="ship" source="manual" occluded="0" xtl="{x - 1}.00" ytl="{y - 1}.00" '
        f'xbr="{x + 2}.00" ybr="{y + 2}.00" z_order="0"></box>'))),
    "labelstudio": ("labelstudio", records("p.json", _task, ("[", "]\n"))),
    "labelstudio, boxes": ("labelstudio", records("p.json", _task_of_boxes, ("[", "]\n"))),
    "labelstudio-min": ("labelstudio-min", records("p.json", _minimal, ("[", "]\n"))),
    "labelstudio-csv": ("labelstudio-csv", _studio_csv),
    "via": ("via", records("p.json", _via, ('{"_via_img_metadata": {', "}}\n"))),
    "vott": ("vott", records("p.json", _vott, ('{"name": "sea", "assets": {', "}}\n"))),
    "createml": ("createml", records("p.json", _createml, ("[", "]\n"))),
    "native": ("native", lambda clicks, folder: _written(
        folder / "masks.jsonl", [], (_native(*one) for one in clicks))),
    "matlab, one file": ("matlab", _mat_of_all),
    "excel": ("excel", _excel),
    "mot": ("mot", _mot),
}  # fmt: skip
"""One file for all images: reader and writer."""

FRAMES: dict[str, tuple[str, Writer]] = {
    "sequence-boxes": ("sequence-boxes", _rectangles),
    "sequence-boxes, Anti-UAV": ("sequence-boxes", _anti_uav),
}
"""One file for all images, with a box in each."""

FOLDERS: dict[str, tuple[str, Writer]] = {
    "labelme": ("labelme", per_image(".json", _labelme)),
    "supervisely": ("supervisely", per_image(".png.json", _supervisely)),
    "voc": ("voc", per_image(".xml", _xml(lambda x, y: (
        f"<bndbox><xmin>{x}</xmin><ymin>{y}</ymin><xmax>{x + 2}</xmax><ymax>{y + 2}</ymax></bndbox>")))),
    "sirst": ("sirst", per_image(".xml", _xml(lambda x, y: (
        f"<centroid><yc>{y + 1}</yc><xc>{x + 1}</xc></centroid>")))),
    "yolo": ("yolo", per_image(".txt", _lines(_yolo))),
    "napari": ("napari", per_image(".csv", _lines(lambda x, y: f"0,{y},{x}", "index,axis-0,axis-1\n"))),
    "point-texts": ("point-texts", per_image(".txt", _lines(lambda x, y: f"{x} {y}"))),
    "point-arrays": ("point-arrays", per_image(".npy", lambda _, pairs: _npy(np.array(pairs)))),
    "matlab": ("matlab", per_image(".mat", _mat)),
    "mclc": ("mclc", per_image(".npy", _mclc)),
    "dota": ("dota", per_image(".txt", _lines(lambda x, y: (
        f"{x - 1} {y - 1} {x + 2} {y - 1} {x + 2} {y + 2} {x - 1} {y + 2} ship 0")))),
    "visdrone": ("visdrone", per_image(".txt", _lines(lambda x, y: f"{x - 1},{y - 1},3,3,1,4,0,0"))),
    "ds9": ("ds9", per_image(".reg", _lines(lambda x, y: f"point({x + 1},{y + 1})",
                                             "# Region file format: DS9\nimage\n"))),
}  # fmt: skip
"""A file per image."""

"""Numbers of tables and JSON get their meaning from names: boxes, fractions, percents, dialects of "
"spreadsheets."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools.folders import save

from pointmask.errors import PointsError
from pointmask.io.formats import read_points, recognise
from pointmask.io.formats.tables.csv import Csv
from pointmask.io.points.points import Point, Points

PLACES = {"a.png": [(15, 33), (75, 49)], "b.png": [(100, 95)]}


def read(tmp_path, content, name="p.csv", **options):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert recognise(path) == {"json": "json", "jsonl": "jsonl"}.get(path.suffix[1:], "csv")
    return read_points(path, **options)


def places(points):
    assert not points.rejected
    return {key: [(p.row, p.col) for p in listed] for key, listed in points}


def rows(header, line, divider=","):
    """A table, each row made by ``line(name, row, col)``."""
    made = [line(name, *place) for name, listed in PLACES.items() for place in listed]
    return "\n".join([header, *(divider.join(map(str, cells)) for cells in made)]) + "\n"


BOXES = {
    "image,x,y,w,h": lambda n, r, c: (n, c - 3, r - 2, 7, 5),
    "label,x,y,width,height,image,image_width,image_height": lambda n, r, c: (
        "t", c - 6, r - 5, 13, 11, n, 160, 120,
    ),
    "image,bbox_x,bbox_y,bbox_width,bbox_height": lambda n, r, c: (n, c - 3, r - 2, 7, 5),
    "image,xmin,ymin,xmax,ymax,label": lambda n, r, c: (n, c - 3, r - 2, c + 4, r + 3, "t"),
    "filename,width,height,x1,y1,x2,y2": lambda n, r, c: (n, 160, 120, c - 3, r - 2, c + 4, r + 3),
    "image,left,top,right,bottom": lambda n, r, c: (n, c - 3, r - 2, c + 4, r + 3),
    "image,left,top,width,height": lambda n, r, c: (n, c - 3, r - 2, 7, 5),
    "file_name,xtl,ytl,xbr,ybr": lambda n, r, c: (n, c - 3, r - 2, c + 4, r + 3),
    "image,x0,y0,x1,y1": lambda n, r, c: (n, c - 3, r - 2, c + 4, r + 3),
}  # fmt: skip


@pytest.mark.parametrize("header", BOXES)
def test_boxes_are_clicked_on_in_the_middle_and_it_is_said_once(tmp_path, header):
    points = read(tmp_path, rows(header, BOXES[header]))
    assert places(points) == PLACES
    said = [line for line in points.notes if "clicked on in the middle" in line]
    assert said == [f"boxes are clicked on in the middle (3 times, first {tmp_path / 'p.csv'}:2)"]


POINTS = {
    "image,x_center,y_center,width,height": lambda n, r, c: (n, c, r, 7, 5),
    "image,cx,cy,w,h": lambda n, r, c: (n, c + 0.25, r - 0.25, 7, 5),
    "img,xcentroid,ycentroid": lambda n, r, c: (n, c, r),
    "image,x,y,xmin,ymin,xmax,ymax": lambda n, r, c: (n, c, r, 0, 0, 7, 7),
    "image,x,y,width,height": lambda n, r, c: (n, c, r, 160, 120),
    "Image Name,X (px),Y (px)": lambda n, r, c: (n, c, r),
    "image,row,col": lambda n, r, c: (n, r, c),
    "image,u,v": lambda n, r, c: (n, c, r),
    "file,pixel_y,pixel_x": lambda n, r, c: (n, r, c),
    "image,target_x,target_y,score": lambda n, r, c: (n, c, r, 0.5),
}


@pytest.mark.parametrize("header", POINTS)
def test_points_beside_sizes(tmp_path, header):
    points = read(tmp_path, rows(header, POINTS[header]))
    assert places(points) == PLACES
    assert any("size of the image" in line for line in points.notes) == (header == "image,x,y,width,height")


@pytest.mark.parametrize(
    ("header", "scale"),
    [
        ("image,x_percent,y_percent", 100),
        ("image,x%,y%", 100),
        ("image,x (%),y (%)", 100),
        ("image,x_norm,y_norm", 1),
        ("image,x_fraction,y_fraction", 1),
    ],
)
def test_percents_and_fractions_that_say_so(tmp_path, header, scale):
    for name in PLACES:
        save(tmp_path / "images" / name, np.zeros((120, 160), np.uint8))
    content = rows(header, lambda n, r, c: (n, (c + 0.5) / 160 * scale, (r + 0.5) / 120 * scale))
    assert places(read(tmp_path, content, images=tmp_path / "images")) == PLACES
    assert "need the images" in read(tmp_path, content).rejected["a.png"]


@pytest.mark.parametrize(
    "header", ["image,x,y", "image,x_center,y_center,width,height", "image,xmin,ymin,xmax,ymax"]
)
def test_fractions_are_refused(tmp_path, header):
    def line(name, row, col):
        x, y = col / 160, row / 120
        return (name, x, y, 0.05, 0.05) if "width" in header else (name, x, y, x + 0.05, y + 0.05)

    content = rows(header, lambda *place: line(*place)[: 1 + header.count(",")])
    with pytest.raises(PointsError, match=r"fractions from 0 to 1.*Multiply.*--points-format yolo"):
        read(tmp_path, content)
    entries = [{"image": n, "x": c / 160, "y": r / 120} for n, listed in PLACES.items() for r, c in listed]
    for name, text in (("p.json", json.dumps(entries)), ("p.jsonl", "\n".join(map(json.dumps, entries)))):
        with pytest.raises(PointsError, match=r"fractions from 0 to 1.*Multiply"):
            read(tmp_path, text, name)


def test_whole_numbers_in_the_corner_and_half_pixels_are_no_fractions(tmp_path):
    assert places(read(tmp_path, "image,x,y\na.png,0,1\nb.png,1,1\n")) == {
        "a.png": [(1, 0)],
        "b.png": [(1, 1)],
    }
    assert places(read(tmp_path, "image,x,y\na.png,0.5,0.25\nb.png,7.5,1\n"))["b.png"] == [(1, 8)]


def test_what_may_be_percent_is_said_where_images_are_larger(tmp_path):
    save(tmp_path / "images" / "a.png", np.zeros((120, 160), np.uint8))
    save(tmp_path / "small" / "a.png", np.zeros((64, 64), np.uint8))
    content = "image,x,y\n" + "".join(f"a.png,{20 + k}.9375,{12 + k}.9167\n" for k in range(8))
    for images, said in ((tmp_path / "images", True), (tmp_path / "small", False), (None, False)):
        notes = read(tmp_path, content, images=images).notes
        assert any("percent of the size" in line for line in notes) == said


def test_an_empty_box_is_no_click(tmp_path):
    points = read(
        tmp_path, "image,x,y,w,h\na.png,0,0,0,0\na.png,4,6,3,3\nb.png,0,0,0,0\nc.png,nan,nan,nan,nan\n"
    )
    assert places(points) == {"a.png": [(7, 5)], "c.png": [], "b.png": []}
    assert any("no click" in line for line in points.notes)
    assert "negative" in read(tmp_path, "image,x,y,w,h\na.png,1,2,-3,4\n").rejected["a.png"]
    assert "wrong order" in read(tmp_path, "image,x1,y1,x2,y2\na.png,9,2,3,4\n").rejected["a.png"]


@pytest.mark.parametrize("nothing", ["", "NaN", "nan", "null", "None", "NA", "N/A"])
def test_nothing_in_both_cells_means_no_target(tmp_path, nothing):
    points = read(tmp_path, f"image,x,y\na.png,3,4\nb.png,{nothing},{nothing}\n")
    assert places(points) == {"a.png": [(4, 3)], "b.png": []}


@pytest.mark.parametrize("cell", ["0", "0.0", "0.", "", "NaN"])
def test_frames_as_pandas_writes_them(tmp_path, cell):
    found = places(read(tmp_path, f",image,x,y,frame\n0,a.png,33.0,15.0,{cell}\n"))
    assert [*found.values()] == [[(15, 33)]]
    assert "frame '0.5'" in read(tmp_path, "image,x,y,frame\na.png,1,2,0.5\n").rejected["a.png"]


def test_a_frame_that_numbers_files_is_superfluous(tmp_path):
    for k in range(3):
        save(tmp_path / "images" / f"s{k}.png", np.zeros((8, 9), np.uint8))
    content = "image,x,y,frame\n" + "".join(f"s{k}.png,{k + 1},2,{k}\n" for k in range(3))
    points = read(tmp_path, content, images=tmp_path / "images")
    assert places(points) == {f"s{k}.png": [(2, k + 1)] for k in range(3)}
    assert any("column frame is superfluous" in line for line in points.notes)
    twice = read(tmp_path, content + "s1.png,5,5,0\n", images=tmp_path / "images")
    assert "s1.png#1" in twice.by_image


DIALECTS = {
    "semicolons, comma": "image;x;y\na.png;33,25;15,4\na.png;49,1;75,0\nb.png;95,25;100,25\n",
    "tabs, comma": "image\tx\ty\na.png\t33,25\t15,4\na.png\t49,1\t75,0\nb.png\t95,25\t100,25\n",
    "sep=;": "sep=;\nimage;x;y\na.png;33;15\na.png;49;75\nb.png;95;100\n",
    "sep=|": '"sep=|"\r\nimage|x|y\r\na.png|33|15\r\na.png|49|75\r\nb.png|95|100\r\n',
    "blanks": "image x y\na.png 33 15\na.png 49 75\nb.png 95 100\n",
    "aligned": "# made by hand\nimage      x    y\na.png     33   15\na.png     49   75\nb.png     95  100\n",
    "blanks and quotes": 'image x y\n"a.png" 33 15\n"a.png" 49 75\n"b.png" 95 100\n',
    "quotes": '"image","x","y"\n"a.png","33","15"\n"a.png","49.2","75"\n"b.png","95"," 100"\n',
}


@pytest.mark.parametrize("name", DIALECTS)
def test_dialects_of_spreadsheets(tmp_path, name):
    points = read(tmp_path, DIALECTS[name])
    assert places(points) == PLACES
    assert any("decimal comma" in line for line in points.notes) == name.endswith("comma")


@pytest.mark.parametrize("cell", ['"1,234"', '"1,234.5"', '"12,5"', "1'234", '"1 234 567"', "1_234"])
def test_separators_of_thousands_are_refused(tmp_path, cell):
    reason = read(tmp_path, f"image,x,y\na.png,{cell},2\n").rejected["a.png"]
    assert "separator of thousands or a decimal comma" in reason or "not a finite number" in reason
    assert "write" in reason
    assert "separator" in read(tmp_path, "image;x;y\na.png;1.234,5;2\n").rejected["a.png"]


GBK = "image,x,y\n红外_000.png,33,15\n红外_001.png,3,4\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gbk", "gb2312"]
)
def test_encodings(tmp_path, encoding):
    points = read(tmp_path, GBK.encode(encoding))
    assert places(points) == {"红外_000.png": [(15, 33)], "红外_001.png": [(4, 3)]}
    assert any("read as GBK" in line for line in points.notes) == encoding.startswith("gb")


@pytest.mark.parametrize("name", ["größe.png", "été.png", "señal.png", "Ångström.png", "naïve.png"])
def test_latin_1_is_named_and_refused(tmp_path, name):
    path = tmp_path / "p.csv"
    path.write_bytes(f"image,x,y\n{name},3,4\n".encode("latin-1"))
    with pytest.raises(
        PointsError, match=r":2: byte .* is not utf-8 \(it looks like Latin-1 or Windows-1252\); save"
    ):
        read_points(path)


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9F00), min_size=2, max_size=8))
def test_any_chinese_word_that_gbk_has_is_read(tmp_path_factory, word):
    path = tmp_path_factory.mktemp("gbk") / "p.csv"
    try:
        path.write_bytes(f"image,x,y\n{word}_1.png,3,4\n".encode("gbk"))
    except UnicodeEncodeError:
        return
    try:
        path.read_bytes().decode()
    except UnicodeDecodeError:
        assert dict(read_points(path)) == {f"{word}_1.png": (Point(4, 3),)}


@given(
    st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9_]{0,8}\.png", fullmatch=True),
        st.lists(st.tuples(st.integers(2, 4000), st.integers(2, 4000)), min_size=1, max_size=4),
        min_size=1, max_size=5,
    ),
    st.sampled_from(";\t"),
)  # fmt: skip
def test_decimal_commas_round_as_points_do(tmp_path_factory, by_image, divider):
    folder = tmp_path_factory.mktemp("comma")
    pairs = [(name, y + 0.25, x - 0.25) for name, listed in by_image.items() for y, x in listed]
    dots = "image,x,y\n" + "".join(f"{n},{x:g},{y:g}\n" for n, y, x in pairs)
    commas = dots.replace(",", divider).replace(".png", "#").replace(".", ",").replace("#", ".png")
    assert places(read(folder, commas)) == places(read(folder, dots))
    Csv().write(
        Points({n: tuple(Point(*p) for p in listed) for n, listed in by_image.items()}), folder / "w.csv"
    )
    assert places(read_points(folder / "w.csv")) == {n: [*listed] for n, listed in by_image.items()}


RECORDS = {
    "box": {"x": 30, "y": 12, "width": 7, "height": 7},
    "w and h": {"x": 30, "y": 12, "w": 7, "h": 7},
    "corners": {"xmin": 30, "ymin": 12, "xmax": 37, "ymax": 19},
    "middle": {"cx": 33, "cy": 15, "w": 7, "h": 7},
    "size of the image": {"x": 33, "y": 15, "width": 160, "height": 120},
    "float frame": {"x": 33, "y": 15, "frame": 0.0},
    "no frame": {"x": 33, "y": 15, "frame": None},
}


@pytest.mark.parametrize("key", ["image", "filename", "file_name"])
@pytest.mark.parametrize("name", RECORDS)
def test_json_gets_its_meaning_from_keys(tmp_path, name, key):
    record = {key: "a.png", **RECORDS[name]}
    for file, content in (("p.jsonl", json.dumps(record)), ("p.json", json.dumps([record]))):
        points = read(tmp_path, content, file)
        assert [*places(points).values()] == [[(15, 33)]]
        assert any("middle" in line for line in points.notes) == (name in ("box", "w and h", "corners"))


def test_json_without_target(tmp_path):
    records = [{"image": "a.png", "x": None, "y": None}, {"image": "b.png", "x": math.nan, "y": math.nan}]
    records.append({"image": "c.png", "x": 0, "y": 0, "width": 0, "height": 0})
    found = places(read(tmp_path, json.dumps([{"image": "d.png", "points": [[1, 2]]}, *records]), "p.json"))
    assert found == {"d.png": [(2, 1)], "a.png": [], "b.png": [], "c.png": []}


def test_a_dict_of_points_and_four_numbers(tmp_path):
    found = read(
        tmp_path, json.dumps({"a.png": [[30, 40]], "b.png": [], "c.png": [[27, 37, 34, 44]]}), "p.json"
    )
    assert dict(found) == {"a.png": (Point(40, 30),), "b.png": ()}
    assert "two corners of a box, or a corner and its size" in found.rejected["c.png"]

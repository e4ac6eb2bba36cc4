"""Tables, arrays and regions of other programs, and what is named because it is not read."""

import io
import re
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tools.folders import save
from tools.formats.line_samples import cells, mat, workbook

from pointmask.advice import install
from pointmask.errors import PointsError
from pointmask.io.formats import read_points, recognise
from pointmask.io.points.points import Point

PAIRS = st.lists(st.tuples(st.integers(2, 9000), st.integers(2, 9000)), min_size=1, max_size=9)


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def places(points):
    assert not points.rejected
    return {key: [(p.row, p.col) for p in listed] for key, listed in points}


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


# arrays and texts per image


@pytest.mark.parametrize("kind", ["uint8", "uint16", "int64", "float32", ">f8"])
def test_arrays_of_points(tmp_path, kind):
    write(tmp_path / "a.npy", npy(np.array([[33, 15], [49, 75]], kind)))
    write(tmp_path / "s" / "b.npy", npy(np.empty((0, 2), kind)))
    write(tmp_path / "c.npy", npy(np.array([], kind)))
    assert recognise(tmp_path) == "point-arrays"
    points = read_points(tmp_path)
    assert places(points) == {"a": [(15, 33), (75, 49)], "c": [], "s/b": []}
    assert any("x, y: column, row" in line for line in points.notes)


def test_arrays_that_are_no_points_reject_their_image(tmp_path):
    write(tmp_path / "a.npy", npy(np.array([[33, 15]])))
    for name, array, words in (
        ("b", np.zeros((2, 5)), r"\(2, 5\), not \(n, 2\).*transpose"),
        ("c", np.ones((5, 3)), "keep x and y alone"),
        ("d", np.array([[np.nan, 1.0]]), "finite"),
        ("e", np.array([[0.25, 0.5]]), "fractions from 0 to 1"),
        ("f", np.array([["a", "b"]]), "not an array of numbers"),
    ):
        write(tmp_path / f"{name}.npy", npy(array))
        with pytest.raises(PointsError, match=words):
            raise PointsError(read_points(tmp_path, format="point-arrays").rejected[name])


@pytest.mark.parametrize("divider", [" ", ",", "\t", ", "])
def test_texts_of_points(tmp_path, divider):
    write(tmp_path / "a.txt", f"33{divider}15\n\n49.2{divider}75\n")
    write(tmp_path / "b.txt", "")
    assert recognise(tmp_path) == "point-texts"
    points = read_points(tmp_path)
    assert places(points) == {"a": [(15, 33), (75, 49)], "b": []}
    assert any("x, y: column, row" in line for line in points.notes)
    write(tmp_path / "b.txt", "0.25 0.5\n")
    assert "fractions from 0 to 1" in read_points(tmp_path).rejected["b"]
    write(tmp_path / "b.txt", "1 2 3\n")
    assert "not two numbers" in read_points(tmp_path, format="point-texts").rejected["b"]


@settings(max_examples=20)
@given(pairs=PAIRS)
def test_all_ways_of_bare_points_agree(tmp_path_factory, pairs):
    folder = tmp_path_factory.mktemp("bare")
    write(folder / "txt" / "a.txt", "".join(f"{x} {y}\n" for x, y in pairs))
    write(folder / "npy" / "a.npy", npy(np.array(pairs)))
    write(folder / "mat" / "a.mat", mat(xy=np.array(pairs) + 1.0))
    write(folder / "reg" / "a.reg", "image\n" + "".join(f"point({x + 1},{y + 1})\n" for x, y in pairs))
    write(folder / "xlsx" / "a.xlsx", workbook(("image", "x", "y"), *(("a", x, y) for x, y in pairs)))
    for name in ("txt", "npy", "mat", "reg/a.reg", "xlsx/a.xlsx"):
        assert places(read_points(folder / name)) == {"a": [(y, x) for x, y in pairs]}, name


# MATLAB


def test_matlab_points_with_names(tmp_path):
    path = write(
        tmp_path / "p.mat", mat(points=np.array([[34.0, 16], [50, 76]]), names=cells("a.png", "b.png"))
    )
    assert recognise(path) == "matlab"
    points = read_points(path)
    assert places(points) == {"a.png": [(15, 33)], "b.png": [(75, 49)]}
    assert any("count from 1" in line for line in points.notes)


def test_matlab_files_that_say_too_little(tmp_path):
    path = write(tmp_path / "a.mat", mat(p=np.ones((3, 2)), q=np.ones((4, 2))))
    with pytest.raises(
        PointsError, match=r"holds p \(3, 2\), q \(4, 2\), of which not one alone .*save x and y"
    ):
        read_points(path)
    assert places(read_points(write(tmp_path / "b.mat", mat(points=np.ones((1, 2)), q=np.ones((4, 2)))))) == {
        "b": [(0, 0)]
    }
    head = b"MATLAB 7.3 MAT-file, Platform: GLNXA64" + bytes(200)
    with pytest.raises(PointsError, match=r"version 7\.3 .*not read; save it in MATLAB with save"):
        read_points(write(tmp_path / "c.mat", head))
    with pytest.raises(PointsError, match=r"d\.mat: not a readable MATLAB file"):
        read_points(write(tmp_path / "d.mat", b"no such thing"))


# Excel


def test_a_workbook_is_a_table(tmp_path):
    rows = (("Image", "X", "Y", "Label"), ("a.png", 33.0, 15, "uav"), ("a.png", "49", 75.2, None), ("b.png",))
    path = write(tmp_path / "p.xlsx", workbook(*rows))
    assert recognise(path) == "excel"
    assert dict(read_points(path)) == {"a.png": (Point(15, 33, "uav"), Point(75, 49)), "b.png": ()}
    with pytest.raises(PointsError, match="found the columns 'name', 'area'; needed are image, x and y"):
        read_points(write(tmp_path / "q.xlsx", workbook(("name", "area"), ("a.png", 3))))


def test_a_workbook_needs_openpyxl(tmp_path, monkeypatch):
    path = write(tmp_path / "p.xlsx", workbook(("image", "x", "y")))
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(PointsError, match=re.escape(f"{install('excel')}, or save it as CSV")):
        read_points(path)


# ImageJ, DS9


@pytest.mark.parametrize("divider", [",", "\t"])
def test_imagej(tmp_path, divider):
    content = " ,Area,Label,X,Y,Slice\n1,9,a.tif:spot,33.5,15.5,1\n2,9,a.tif:0002:spot,49,75,2\n"
    path = write(tmp_path / ("r.csv" if divider == "," else "r.xls"), content.replace(",", divider))
    assert recognise(path) == "imagej"
    points = read_points(path)
    assert places(points) == {"a.tif": [(15, 33)], "a.tif#1": [(75, 49)]}
    assert any("read as pixels" in line for line in points.notes)
    boxes = write(tmp_path / "b.csv", " ,Label,BX,BY,Width,Height\n1,a.png,30,12,7,7\n")
    assert places(read_points(boxes)) == {"a.png": [(15, 33)]}


@pytest.mark.parametrize(
    ("images", "column", "rows", "expected"),
    [
        # a stack that no column Slice numbers: the slice stands behind the last colon
        ([], "", "1,s.tif:1,2.5,1.5\n2,s.tif:2,5.5,4.5\n3,s.tif:roi:12,7.5,6.5\n",
         {"s.tif": [(1, 2)], "s.tif#1": [(4, 5)], "s.tif#11": [(6, 7)]}),
        ([], ",Slice", "1,s.tif:7,2.5,1.5,2\n", {"s.tif#1": [(1, 2)]}),
        # a stack of a folder is called like it, and its slices like their files
        (["a.png", "b.png"], "", "1,images:a,2.5,1.5\n2,images:0007-0009:b,5.5,4.5\n",
         {"a": [(1, 2)], "b": [(4, 5)]}),
        (["a.png", "b.png"], ",Slice", "1,images:a,2.5,1.5,1\n2,images:b,5.5,4.5,2\n",
         {"a": [(1, 2)], "b": [(4, 5)]}),
        ([], ",Slice", "1,images:a.png,2.5,1.5,1\n2,images:b.png,5.5,4.5,2\n",
         {"a.png": [(1, 2)], "b.png": [(4, 5)]}),
        # regions of single images
        (["a.png", "b.png"], "", "1,a.png:b,2.5,1.5\n2,b.png:0012-0034,5.5,4.5\n3,b.png:7,7.5,6.5\n",
         {"a.png": [(1, 2)], "b.png": [(4, 5), (6, 7)]}),
    ],
)  # fmt: skip
def test_labels_of_imagej_name_images_slices_and_regions(tmp_path, images, column, rows, expected):
    for name in images:
        save(tmp_path / "images" / name, np.zeros((9, 9), np.uint8))
    path = write(tmp_path / "r.csv", f" ,Label,X,Y{column}\n{rows}")
    assert recognise(path) == "imagej"
    assert places(read_points(path, images=tmp_path / "images" if images else None)) == expected


def test_ds9(tmp_path):
    content = (
        "# Region file format: DS9 version 4.1\n# Filename: /data/a.fits[SCI]\nglobal color=green\nimage\n"
        "point(34,16) # point=x "
        "text={uav}\ncircle(50,76,3)\n-box(1,1,2,2,0)\nimage;polygon(9,9,11,9,11,11,9,11)\n"
    )
    path = write(tmp_path / "x.reg", content)
    assert recognise(path) == "ds9"
    assert dict(read_points(path)) == {"a.fits": (Point(15, 33, "uav"), Point(75, 49), Point(9, 9))}
    for system in ("fk5", "galactic", "physical"):
        sky = write(tmp_path / "a.reg", f"# Region file format: DS9\n{system}\npoint(202.4,47.2)\n")
        with pytest.raises(PointsError, match=f"in {system} coordinates.*Coordinate System: image"):
            read_points(sky)
    save(tmp_path / "images" / "b.png", np.zeros((90, 90), np.uint8))
    with pytest.raises(PointsError, match="'a', which is not among the images; call the file as"):
        read_points(write(tmp_path / "a.reg", "image\npoint(3,4)\n"), images=tmp_path / "images")


# label tools and libraries


def test_make_sense_without_header(tmp_path):
    path = write(tmp_path / "p.csv", "drone,27,10,13,11,a.png,160,120\ndrone,43,70,13,11,a.png,160,120\n")
    assert recognise(path) == "makesense"
    points = read_points(path)
    assert dict(points) == {"a.png": (Point(15, 33, "drone"), Point(75, 49, "drone"))}
    assert any("clicked on in the middle" in line for line in points.notes)
    assert places(read_points(write(path, "drone,33,15,a.png,160,120\n"))) == {"a.png": [(15, 33)]}


def test_tensorflow(tmp_path):
    path = write(
        tmp_path / "p.csv", "filename,width,height,class,xmin,ymin,xmax,ymax\na.png,160,120,uav,30,12,37,19\n"
    )
    assert recognise(path) == "tensorflow"
    assert dict(read_points(path)) == {"a.png": (Point(15, 33, "uav"),)}


@pytest.mark.parametrize(
    "shape",
    [
        '{"name":"point","cx":33,"cy":15}',
        '{"name":"rect","x":30,"y":12,"width":7,"height":7}',
        '{"name":"circle","cx":33.5,"cy":15.2,"r":3}',
        '{"name":"polygon","all_points_x":[30,37,37,30],"all_points_y":[12,12,19,19]}',
    ],
)
def test_via_csv(tmp_path, shape):
    quoted = shape.replace('"', '""')
    header = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,"
    header += "region_attributes\n"
    content = (
        f'{header}a.png,9,"{{}}",1,0,"{quoted}","{{""type"":""uav""}}"\nb.png,9,"{{}}",0,0,"{{}}","{{}}"\n'
    )
    for text in (content, "#" + content):
        path = write(tmp_path / "p.csv", text)
        assert recognise(path) == "via-csv"
        assert dict(read_points(path)) == {"a.png": (Point(15, 33, "uav"),), "b.png": ()}


@pytest.mark.parametrize(
    "region",
    [
        '{"x":20.9375,"y":12.9167,"width":0.4,"keypointlabels":["uav"]',
        '{"x":18.75,"y":10,"width":4.375,"height":5.8334,"rectanglelabels":["uav"]',
        '{"x":20.9375,"y":12.9167,"radiusX":2,"radiusY":2,"height":1,"ellipselabels":["uav"]',
    ],
)
def test_label_studio_csv(tmp_path, region):
    quoted = (region + ',"original_width":160,"original_height":120}').replace('"', '""')
    path = write(
        tmp_path / "p.csv",
        "annotation_id,annotator,id,image,kp,lead_time\n"
        f'1,1,1,/data/upload/1/ab12cd34-a.png,"[{quoted}]",2.0\n2,1,2,/data/upload/1/ab12cd35-b.png,,2.0\n',
    )
    assert recognise(path) == "labelstudio-csv"
    assert dict(read_points(path)) == {"a.png": (Point(15, 33, "uav"),), "b.png": ()}


# what is not read

UNREAD = {
    "a.roi": (b"Iout\0\xe3", "region of ImageJ.*measure it"),
    "old.xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel 97.*save it as .xlsx"),
    "t.ods": (b"PK\3\4", "LibreOffice.*save it as"),
    "p.parquet": (b"PAR1....", "Parquet.*to_csv"),
    "p.h5": (b"\x89HDF\r\n\x1a\n", "HDF5.*h5py"),
    "p.db": (b"SQLite format 3\0", "SQLite.*-csv"),
    "p.pkl": (b"\x80\x04.", "pickle.*can run code"),
    "p.npz": (b"PK\3\4", r"save one \.npy file per image"),
    "v7.mat": (b"MATLAB 7.3 MAT-file", "7.3.*-v7"),
    "g.json": (b'{"type": "FeatureCollection", "features": []}', "GeoJSON.*rasterio"),
    "s.json": (b'{"metadata": {}, "instances": []}', "SuperAnnotate.*COCO"),
    "b.json": (b'[{"name": "a.png", "labels": []}]', "BDD100K.*COCO"),
    "d.json": (b'{"info": {}, "categories": {}, "items": []}', "Datumaro.*datum convert"),
    "labeler.csv": (b"imageFilename,uav_1,uav_2,uav_3,uav_4\na.png,1,2,3,4\n", "Image Labeler.*from 1"),
    "m.json": (b'{"source-ref": "s3://b/a.png", "boxes": {}}', "Ground Truth"),
    "retina.csv": (
        b"img/a.png,1,2,3,4,uav\n",
        "keras-retinanet.*add the header line image,x1,y1,x2,y2,label",
    ),
    "kitti.txt": (
        b"Car 0.00 0 1.58 587.01 173.33 614.12 200.12 1.65 1.67 3.64 -0.65 1.71 46.7 -1.59\n",
        "KITTI",
    ),
    "wider.txt": (b"0--Parade/0_a.jpg\n1\n449 330 122 149 0 0 0 0 0 0\n", "WIDER FACE.*COCO"),
    "open.csv": (b"ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax\n", "Open Images.*multiply"),
    "dao.csv": (b"id,xcentroid,ycentroid,sharpness\n0,1.5,2.5,.5\n", "photutils.*add a column image"),
    "track.csv": (b"frame,id,x,y\n1,1,30,40\n", "without a column of images.*: image"),
    "trackmate.csv": (b"LABEL,ID,TRACK_ID,QUALITY,POSITION_X,POSITION_Y,FRAME\n", "TrackMate.*write a table"),
}


@pytest.mark.parametrize("name", UNREAD)
def test_what_is_not_read_is_named_with_a_way_round(tmp_path, name):
    content, words = UNREAD[name]
    path = write(tmp_path / name, content)
    with pytest.raises(PointsError, match=rf"(?s){name}: this looks like .*{words}"):
        recognise(path)


def test_a_set_of_regions_is_named(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "RoiSet.zip", "w") as packed:
        packed.writestr("0001-0002.roi", b"Iout")
    with pytest.raises(PointsError, match=r"RoiSet\.zip.*ROI Manager"):
        recognise(tmp_path / "RoiSet.zip")

"""Tables and JSON lines: what is read, what is rejected and how the message helps."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointmask.errors import OutputError, PointsError
from pointmask.io.formats import read_points, recognise
from pointmask.io.formats.registry import FORMATS
from pointmask.io.points.names import clean_key
from pointmask.io.points.points import Point, Points

KEYS = (
    st.one_of(
        st.sampled_from(
            ["a.png", "a", "seq 1/a.png", "#a.png", 'say "a".png', "a,b;c.png", "a.tif#3", "\u2028.png"]
        ),
        st.text(
            st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/\\"), min_size=1, max_size=8
        ),
    )
    .map(str.strip)
    .filter(lambda text: text.strip(". ") != "" and clean_key(text) == text)
)
LABELS = st.none() | st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=5).map(
    str.strip
)
POINTS = st.builds(
    Point, st.integers(-5, 10**6), st.integers(-5, 10**6), LABELS.map(lambda text: text or None)
)
LISTS = st.dictionaries(KEYS, st.lists(POINTS, max_size=4).map(tuple), min_size=1, max_size=5)


def read(tmp_path, content, name="points.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_points(path)


def one(points):
    assert not points.rejected
    return dict(points)


@pytest.mark.parametrize("name", ["csv", "jsonl"])
@settings(deadline=None)
@given(listed=LISTS)
def test_what_is_written_is_read(tmp_path_factory, name, listed):
    path = tmp_path_factory.mktemp("points") / f"points.{name}"
    FORMATS.load(name).write(Points(listed), path)
    assert one(read_points(path)) == listed
    assert list(one(read_points(path))) == list(listed)
    assert recognise(path) == name


@pytest.mark.parametrize("name", ["csv", "jsonl"])
def test_writing_leaves_no_part_behind(tmp_path, name):
    with pytest.raises(OutputError, match="cannot be written"):
        FORMATS.load(name).write(Points({"a": ()}), tmp_path / "missing" / "points")
    with pytest.raises(OutputError, match="cannot be written"):
        FORMATS.load(name).write(Points({"a": ()}), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["csv", "jsonl"])
@settings(deadline=None, max_examples=200)
@given(content=st.binary(max_size=80) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_points_or_a_points_error(tmp_path_factory, name, content):
    path = tmp_path_factory.getbasetemp() / f"any.{name}"
    head = b"image,x,y\n" if name == "csv" else b'{"image": "a", "points": []}\n'
    for data in (content, head + content):
        path.write_bytes(data)
        try:
            points = read_points(path)
        except PointsError as error:
            assert str(path) in str(error)  # noqa: PT017
        else:
            assert not set(points.by_image) & set(points.rejected)


# CSV

PLAIN = {"a.png": (Point(2, 1), Point(4, 3)), "b.png": ()}


@pytest.mark.parametrize(
    "content",
    [
        "image,x,y\na.png,1,2\na.png,3,4\nb.png,,\n",
        "image;x;y\na.png;1;2\na.png;3;4\nb.png;;",
        "image\tx\ty\na.png\t1\t2\na.png\t3\t4\nb.png\t\t\n",
        "\ufeffimage,x,y\r\na.png,1,2\r\na.png,3,4\r\nb.png,,\r\n",
        "image,x,y\ra.png,1,2\ra.png,3,4\rb.png,,\r",
        '# clicked on Monday, by me\n\nImage, X ,Y\n a.png ,1, 2\n\n#a.png,9,9\n"a.png",3,4\nb.png,,\n',
        "row,extra,col,FileName\n2,?,1,a.png\n4,?,3,a.png\n,,,b.png\n",
        "name,column,row\n/a.png,1.0,2.4\n.\\a.png,2.5,3.6\nb.png,,\n",
        "image,x,y\na.png,1,2,,\na.png,3,4\nb.png,,\n,,\n",
        "file,x,y\na.png,1,2\nb.png,,\na.png,3,4\nb.png,,\n",
    ],
)
def test_tables_of_many_hands(tmp_path, content):
    assert one(read(tmp_path, content)) == PLAIN


def test_utf16_of_a_spreadsheet(tmp_path):
    assert one(read(tmp_path, "image\tx\ty\nBild ä.png\t1\t2\n".encode("utf-16"))) == {
        "Bild ä.png": (Point(2, 1),)
    }


def test_line_breaks_in_cells_that_are_closed_and_columns_that_are_not_read(tmp_path):
    table = 'image,x,y,label,note,note\na.png,1,2,"large,\nof 3, 4",u,v\nb.png,3,4,b,,\n'
    assert dict(read(tmp_path, table)) == {
        "a.png": (Point(2, 1, "large,\nof 3, 4"),),
        "b.png": (Point(4, 3, "b"),),
    }


def test_labels_and_frames(tmp_path):
    content = "image,x,y,label,frame\nseq.tif,1,2,boat,3\nseq.tif,1,2,,03\nb.png,5,6,7,\n"
    expected = {"seq.tif#3": (Point(2, 1, "boat"), Point(2, 1)), "b.png": (Point(6, 5, "7"),)}
    assert one(read(tmp_path, content)) == expected


def test_the_source_says_what_was_recognised(tmp_path):
    assert read(tmp_path, "image,x,y\n").source.endswith("points.csv (table with the columns image,x,y)")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("a.png,ten,2", r"x is 'ten', not a finite number; write"),
        ("a.png,1,", r"y is '', not a finite number"),
        ("a.png,nan,2", r"x is 'nan', not a finite number"),
        ("a.png,1,1e999", r"y is '1e999', not a finite number"),
        ("a.png,1,2,5", r"has 4 cells, the header has 3"),
        ("a.png,1", r"has 2 cells, the header has 3"),
    ],
)
def test_a_wrong_row_rejects_its_whole_image(tmp_path, row, words):
    points = read(tmp_path, f"image,x,y\na.png,1,2\n# note\n{row}\na.png,3,4\nb.png,,\n")
    assert dict(points) == {"b.png": ()}
    assert list(points.rejected) == ["a.png"]
    assert points.rejected["a.png"].startswith(f"{tmp_path / 'points.csv'}:4: ")
    with pytest.raises(PointsError, match=words):
        raise PointsError(points.rejected["a.png"])


@pytest.mark.parametrize("rows", ["a.png,,\na.png,1,2", "a.png,1,2\na.png,,"])
def test_a_target_and_no_target_contradict_each_other(tmp_path, rows):
    points = read(tmp_path, "image,x,y\n" + rows)
    assert not points.by_image
    assert "also as having no target" in points.rejected["a.png"]


def test_of_a_name_that_climbs_out_what_remains_counts(tmp_path):
    points = read(tmp_path, "image,x,y\n../a.png,1,2\n..\\a.png,3,4\nb.png,1,2\n..,1,2\n")
    assert {key: len(listed) for key, listed in points.by_image.items()} == {"a.png": 2, "b.png": 1}
    assert ":5: image name '..' is empty" in points.rejected[".."]


def test_a_wrong_frame_is_rejected(tmp_path):
    points = read(tmp_path, "image,x,y,frame\na.tif,1,2,-1\n")
    assert "frame '-1'" in points.rejected["a.tif"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "empty; it needs a header line image,x,y"),
        ("\n# nothing\n", "empty; it needs a header"),
        ("a.png,1,2\n", r":1: found the columns 'a\.png', '1', '2'; needed are image, x and y"),
        ("\nimage,x\na.png,1\n", r":2: found the columns 'image', 'x'; needed"),
        ("a.png 1 2\n", r":1: found the columns 'a\.png', '1', '2'; needed .* divided by blanks, is a row"),
        ("id,xcentroid,ycentroid\n0,1.5,2.5\n", "looks like a source list .* whose name it does not"),
        ("image,x,y\n,1,2\n", r":2: image name '' is empty"),
        (b"image,x,y\n\xffa.png,1,2\n", r":2: byte 10 is not utf-8.*; save"),
        ("image,x,y\n" + '"' + "a" * 200_000 + '",1,2\n', "not a readable table"),
        ('image,x,y,label\na.png,1,2,"a\nb.png,3,4,b\n', "a quotation mark in line 2 .*; close or delete it"),
        ('image,x,y,label\na.png,1,2,"a\nb.png,3,4,"b\nc.png,5,6,c\n', "a quotation mark in line 2"),
        ('image;x;y\na.png;1;2\n"b.png;1,5;2\nc.png;3;4\nd.png;5;6\n', "a quotation mark in line 3"),
        ('image x y label\na.png 1 2 "a\nb.png 3 4 b\n', "a quotation mark in line 2"),
        ("image,x,X ,y\na.png,1,2,3\n", ":1: there are several columns 'x', .*; rename"),
        ("file,x,y,file\na.png,1,2,b.png\n", ":1: there are several columns 'file'"),
    ],
)
def test_a_table_that_is_none(tmp_path, content, words):
    with pytest.raises(PointsError, match=r"points\.csv.*" + words):
        read(tmp_path, content)


# JSON lines


@pytest.mark.parametrize(
    "lines",
    [
        ['{"image": "a.png", "points": [[1, 2], [3, 4]]}', '{"image": "b.png", "points": []}'],
        [
            '{"image": "a.png", "x": 1, "y": 2}',
            '{"image": "a.png", "x": 3, "y": 4}',
            '{"points": [], "image": "b.png"}',
        ],
        [
            '{"image": "/a.png", "points": [{"x": 0.5, "y": 2.4}, [3, 4.0]], "by": "me"}',
            "",
            '{"image": "b.png", "points": []}',
        ],
    ],
)
def test_json_lines_per_image_and_per_point(tmp_path, lines):
    assert one(read(tmp_path, "\r\n".join(lines), "points.jsonl")) == PLAIN
    assert one(read(tmp_path, "\n".join(lines), "points")) == PLAIN


def test_json_labels_and_frames(tmp_path):
    lines = [
        '{"image": "s.tif", "frame": 3, "points": [{"x": 1, "y": 2, "label": 7}]}',
        '{"image": "b", "x": 1, "y": 2, "label": "boat"}',
    ]
    assert one(read(tmp_path, "\n".join(lines), "p.jsonl")) == {
        "s.tif#3": (Point(2, 1, "7"),),
        "b": (Point(2, 1, "boat"),),
    }


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"points": [[1, "ten"]]}, "'ten' is not a number; write"),
        ({"points": [[True, 1]]}, "True is not a number"),
        ({"points": [[1, 2, 3]]}, "a list of 3 is neither"),
        ({"points": [{"x": 1}]}, "is neither"),
        ({"points": None}, "None, not a list"),
        ({"x": 1}, "is neither"),
        ({"x": 1, "y": float("nan")}, "nan, not a finite number"),
        ({"x": 1, "y": 2, "frame": "3"}, "'3', not a whole number"),
        ({"points": [[1, 2]], "frame": -1}, "-1, not a whole number"),
        ({"points": [[1, 2]], "frame": True}, "True, not a whole number"),
    ],
)
def test_a_wrong_object_rejects_its_image(tmp_path, record, words):
    lines = ['{"image": "a.png", "points": [[1, 2]]}', json.dumps({"image": "a.png", **record})]
    points = read(tmp_path, "\n".join(lines), "p.jsonl")
    assert list(points.rejected) == ["a.png"]
    assert not points.by_image
    with pytest.raises(PointsError, match=r"p\.jsonl:2: .*" + words):
        raise PointsError(points.rejected["a.png"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "empty; write lines"),
        ("{", ":1: not JSON"),
        ('{"image": "a", "points": []}\n[1]', ":2: no object with a text"),
        ('{"points": []}', ":1: no object"),
        ('{"image": 7, "points": []}', ":1: no object"),
        ('{"image": " ", "points": []}', ":1: image name ' ' is empty"),
        ("[" * 100_000, ":1: not JSON"),
    ],
)
def test_json_lines_that_are_none(tmp_path, content, words):
    with pytest.raises(PointsError, match=r"p\.jsonl.*" + words):
        read(tmp_path, content, "p.jsonl")

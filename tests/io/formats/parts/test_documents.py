"""XML from strangers: its encodings, and what it must not do."""

import pytest

from pointmask.errors import PointsError
from pointmask.io.formats.parts.documents import numbers, read_xml, xml_events
from pointmask.io.notes import gathering

_TEXT = "<annotation><filename>\u7ea2\u5916\u5c0f\u76ee\u6807.png</filename></annotation>"
_NAME = "\u7ea2\u5916\u5c0f\u76ee\u6807.png"


def _read(path, data):
    path.write_bytes(data)
    with gathering() as notes:
        root = read_xml(path)
        assert [element.tag for event, element in xml_events(path) if event == "end"][-1] == root.tag
    return root.findtext("filename"), notes.lines()


@pytest.mark.parametrize("declared", ["", '<?xml version="1.0"?>', '<?xml version="1.0" encoding="utf-8"?>'])
def test_gbk_that_is_not_declared_is_read_and_said(tmp_path, declared):
    name, notes = _read(tmp_path / "a.xml", (declared + _TEXT).encode("gbk"))
    assert name == _NAME
    assert len(notes) == 1
    assert "read as GBK" in notes[0]


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ("", "utf-8"),
        ("", "utf-8-sig"),
        ("", "utf-16"),
        ("", "utf-16-le"),
        ('<?xml version="1.0" encoding="utf-16"?>', "utf-16"),
        ('<?xml version="1.0" encoding="gb2312"?>', "gbk"),
        ('<?xml version="1.0" encoding="big5"?>', "big5hkscs"),
        ('<?xml version="1.0" encoding="Shift_JIS"?>', "cp932"),
    ],
)
def test_encodings_that_a_document_shows_are_read_without_a_word(tmp_path, declared, encoding):
    text = _TEXT if encoding != "cp932" else _TEXT.replace(_NAME, "\u8d64\u5916\u7dda.png")
    if encoding == "big5hkscs":
        text = _TEXT.replace(_NAME, "\u7d05\u5916.png")
    name, notes = _read(tmp_path / "a.xml", (declared + text).encode(encoding))
    assert name == text.partition("<filename>")[2].partition("<")[0]
    assert notes == ()


def test_other_bytes_are_refused_with_the_fix(tmp_path):
    path = tmp_path / "a.xml"
    for data, reason in (
        ("<a>K\u00e4se</a>".encode("latin-1"), "save the file with the encoding UTF-8"),
        (b'<?xml version="1.0" encoding="nope"?><a/>', "unknown encoding"),
        (b"", "no element found"),
        (b"<a><b></a>", "mismatched tag"),
        (b"<a>&nbsp;</a>", "undefined entity"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><a>&a;</a>', "declares a document type"),
        ('<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x><a/>'.encode("utf-16"), "document type"),
    ):
        path.write_bytes(data)
        for read in (read_xml, lambda path: list(xml_events(path))):
            with pytest.raises(PointsError) as caught:
                read(path)
            assert str(caught.value).count(str(path)) == 1
            assert reason in str(caught.value)


def test_depth_is_limited_and_fills_no_stack(tmp_path):
    path = tmp_path / "a.xml"
    for depth in (100, 101, 200_000):
        path.write_text("<a>" * depth + "</a>" * depth)
        for read in (read_xml, lambda path: list(xml_events(path))):
            if depth == 100:
                read(path)
            else:
                with pytest.raises(PointsError, match="nested more than 100 deep"):
                    read(path)


def test_numbers_name_the_one_that_is_none():
    assert numbers([1, "2.5", 3.0], "abc", "box, ") == [1, 2.5, 3]
    for value in (None, True, "x", float("nan"), 10**400, [1]):
        with pytest.raises(PointsError, match="box, b is "):
            numbers([1, value, 3], "abc", "box, ")

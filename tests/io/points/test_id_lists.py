"""Lists of ids as data sets ship them: dirty, and matched to images by name."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools.folders import one, reasons, save, spot, tree

from pointmask.doctor import examine
from pointmask.errors import PointsError
from pointmask.folder.job import annotate_folder
from pointmask.io.points.lists import choose, id_list, read_ids
from pointmask.io.points.points import Points

NAMES = ["44/1(814).bmp", "44/2.bmp", "Misc_338.png", "seq/frame.png", "twice.bmp", "twice.png"]


@given(
    st.lists(st.sampled_from(NAMES[:4]), min_size=1),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["", "/", "./", " "]),
    st.booleans(),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.booleans(),
)
def test_dirty_lists_name_the_same_images(tmp_path_factory, names, end, before, blank, coding, suffix):
    path = tmp_path_factory.mktemp("list") / "list.txt"
    lines = [before + (name if suffix else name.rpartition(".")[0]) for name in names]
    text = (end * 2 if blank else end).join(lines) + (end + "  " + end if blank else "")
    path.write_bytes(text.encode(coding))
    choice = choose(read_ids(path), NAMES, "images")
    assert choice.names == set(names)
    assert not choice.problems


@given(st.lists(st.text(), max_size=5))
def test_any_text_is_a_list_or_an_error_that_names_the_line(lines):
    try:
        listed = id_list(lines, "a.txt")
    except PointsError as error:
        assert "a.txt" in str(error)  # noqa: PT017 - both outcomes are right
    else:
        assert all(".." not in key.split("/") and not key.startswith("/") for key in listed.ids)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "list.txt"
    for data, words in (
        (b"\x89PNG\r\n", "is no text"),
        (codecs.BOM_UTF16_LE + b"a", "is no text"),
        (b" \r\n\r\n", "names no image"),
        (b"a\n../..\n", r"line 2: .*is empty"),
        (b"a\\..", r"line 1: .*is empty"),
    ):
        path.write_bytes(data)
        with pytest.raises(PointsError, match=rf"list\.txt.*{words}"):
            read_ids(path)
    with pytest.raises(PointsError, match=r"none\.txt cannot be read"):
        read_ids(tmp_path / "none.txt")


def test_ids_that_fit_nothing_or_several_are_told():
    choice = choose(id_list(["44/2", "45/2", "twice", "none"]), NAMES, "images")
    assert choice.names == {"44/2.bmp"}
    assert choice.problems.keys() == {"45/2", "none", "twice.bmp", "twice.png"}
    assert "holds no file" in choice.problems["none"]
    assert "twice.bmp and twice.png" in choice.problems["twice.bmp"]


@pytest.fixture
def folder(tmp_path):
    for name in ("a", "seq/b", "seq/c", "d"):
        save(tmp_path / f"images/{name}.png", spot())
    (tmp_path / "list.txt").write_bytes(b"/a\r\n\r\nseq/b.png\r\ngone\r\n")
    return tmp_path


def test_a_job_is_restricted_to_the_list(folder):
    points = Points({"a": one(), "seq/c": one(), "d": one(), "elsewhere": one()})
    options = {"only": folder / "list.txt", "empty_masks": True}
    summary = annotate_folder(folder / "images", points, folder / "out", **options)
    assert summary.done == 2
    assert list(reasons(folder / "out")) == ["gone"]
    assert "list.txt names this image" in reasons(folder / "out")["gone"]
    assert {name for name in tree(folder / "out") if "masks" in name} == {"masks/a.png", "masks/seq/b.png"}
    again = annotate_folder(folder / "images", points, folder / "out", only=id_list(["a", "d"]))
    assert (again.done, again.resumed, again.skipped) == (1, 1, [])
    assert again.without_points == []


def test_check_looks_at_the_list_alone(folder):
    save(folder / "masks/d.png", spot())
    found = examine(
        folder / "images", Points({"d": one()}), folder / "masks", lists=[read_ids(folder / "list.txt")]
    )
    assert sum(group.files for group in found.groups) == 2
    (problem,) = (finding for finding in found.findings if finding.kind == "unlisted")
    assert problem.items[0].startswith("gone: ")

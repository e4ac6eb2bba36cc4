"""The table of formats: what it says of ours, that the site lists the same, and whom it asks by name."""

import re
from pathlib import Path
from typing import get_args

import pytest

from pointmask.errors import PointsError
from pointmask.io.formats import read_points
from pointmask.io.formats.base import EVERYTHING, Feature
from pointmask.io.formats.registry import FORMATS, layouts, saved_as
from pointmask.io.formats.tables.csv import Csv
from pointmask.io.formats.tables.jsonl import JsonLines
from pointmask.io.points.points import Point

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "input.md"


def test_unknown_things_are_named(tmp_path):
    with pytest.raises(PointsError, match="no such file"):
        read_points(tmp_path / "gone.csv")
    (tmp_path / "odd.bin").write_bytes(b"\0\1\2")
    with pytest.raises(PointsError, match=r"odd\.bin: not recognised as points; give"):
        read_points(tmp_path / "odd.bin")
    with pytest.raises(PointsError, match="no annotation format is called 'xml'; choose one of native, "):
        read_points(tmp_path, format="xml")
    with pytest.raises(PointsError, match="takes a folder of masks"):
        read_points(tmp_path, format="csv", simulate="coarse")


def test_a_given_format_is_not_sniffed(tmp_path):
    path = tmp_path / "points.jsonl"
    path.write_text("image,x,y\na.png,1,2\n")
    assert dict(read_points(path, format="csv")) == {"a.png": (Point(2, 1),)}


def test_unreadable_files(tmp_path):
    for name in ("csv", "jsonl"):
        assert not FORMATS.load(name).sniff(tmp_path)
        with pytest.raises(PointsError, match="cannot be read"):
            read_points(tmp_path, format=name)


def test_each_format_describes_itself():
    writers = {name for name in FORMATS if "write points" in FORMATS.load(name).abilities}
    assert writers == {"csv", "jsonl"}
    assert len({FORMATS.load(name).description for name in FORMATS}) == len(FORMATS)
    assert isinstance(FORMATS.load("csv"), Csv)
    assert isinstance(FORMATS.load("jsonl"), JsonLines)


def test_what_help_says_of_our_formats_their_classes_say():
    ours = {name: FORMATS.load(name) for name in FORMATS.ours}
    assert {name: form.layout for name, form in ours.items() if form.layout} == layouts()
    assert {name: form.saved_as for name, form in ours.items() if form.saved_as} == saved_as()


@pytest.mark.parametrize("name", FORMATS.ours)
def test_a_format_refuses_what_it_cannot_do(tmp_path, name):
    form = FORMATS.load(name)
    attempts = {
        "read points": lambda: form.read(tmp_path),
        "read masks": lambda: form.read_masks(tmp_path, {}),
        "write points": lambda: form.write(read_points(points), tmp_path / "out"),
        "write masks": lambda: form.write_masks([], tmp_path / "out"),
    }
    points = tmp_path / "points.csv"
    points.write_text("image,x,y\na.png,1,2\n")
    for ability in attempts.keys() - form.abilities:
        with pytest.raises(PointsError, match=f"{name}; choose another format"):
            attempts[ability]()


def lines():
    """Lines of the page's table of formats."""
    yield "| format | is | written as | keeps | `--save` writes |"
    yield "|---|---|---|---|---|"
    for name in sorted(FORMATS.ours):
        form = FORMATS.load(name)
        kept = [feature for feature in get_args(Feature) if feature in form.holds]
        holds = "all" if form.holds == EVERYTHING else ", ".join(kept)
        saved = form.saved_as and f"`{form.saved_as}{'/' * (form.layout != 'file')}`"
        yield f"| `{name}` | {form.description} | {form.layout} | {holds} | {saved} |"


def test_the_page_of_input_lists_the_formats():
    text = PAGE.read_text(encoding="utf-8")
    listed = re.search(r"<!-- formats:begin -->\n(.*?)\n<!-- formats:end -->", text, re.DOTALL)
    assert listed is not None
    expected = "\n".join(lines())
    assert listed[1] == expected, f"the table of docs/reference/input.md should read:\n{expected}"

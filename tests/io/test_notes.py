"""Notes: one line per kind with its count and first example, however deep they are made."""

from pointmask.io.formats import read_points
from pointmask.io.notes import gathering, note


def test_notes_are_counted_by_kind():
    with gathering() as notes:
        note("boxes are clicked in their middle", "a.csv:2")
        note("read as GBK")
        note("boxes are clicked in their middle", "a.csv:3", count=1999)
    assert notes.lines() == ("boxes are clicked in their middle (2,000 times, first a.csv:2)", "read as GBK")


def test_a_kind_may_say_itself_how_often_and_in_how_many_places():
    kind = "{count} pixels in {places} frames were mended"
    with gathering() as theirs:
        note(kind, "b.png", 1000)
    with gathering() as notes:
        note(kind, "a.png", 3)
        notes.merge(theirs.counted())
        note(kind, "c.png")
    assert notes.lines() == ("1,004 pixels in 3 frames were mended (first a.png)",)


def test_a_note_that_nobody_gathers_is_lost_without_harm():
    note("nobody hears")
    with gathering() as outer:
        with gathering() as inner:
            note("inside", "x")
        note("outside")
    assert inner.lines() == ("inside (x)",)
    assert outer.lines() == ("outside",)


def test_notes_of_another_process_are_merged():
    with gathering() as theirs:
        note("turned upright", "b.png")
        note("turned upright", "c.png")
    with gathering() as ours:
        note("turned upright", "a.png")
    ours.merge(theirs.counted())
    assert ours.lines() == ("turned upright (3 times, first a.png)",)


def test_a_plain_table_has_no_notes(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("image,x,y\na.png,3,4\n")
    assert read_points(path).notes == ()

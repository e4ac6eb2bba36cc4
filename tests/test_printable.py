"""Text from outside can neither steer a terminal nor forge a line, and stays what it is otherwise."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointmask.printable import escape, escape_lines, is_text, printable, printable_json

ANY = st.text(st.characters(codec=None, exclude_categories=()))


@given(ANY)
def test_text_is_what_utf_8_can_hold(text):
    assert is_text(text) == (text.encode("utf-8", "replace").decode() == text)


@given(ANY)
def test_no_control_mark_or_break_is_left(text):
    for made in (printable(text), escape(text)):
        kinds = {unicodedata.category(letter) for letter in made} - {"Cf"}
        assert not kinds & {"Cc", "Cs", "Zl", "Zp"}
        assert printable(made) == made
        assert len(made.splitlines()) <= 1


@given(ANY)
def test_json_holds_the_same_values(text):
    made = printable_json(json.dumps([text], indent=1, ensure_ascii=False))
    assert json.loads(made) == json.loads(json.dumps([text]))
    assert printable(made.replace("\n", "")) == made.replace("\n", "")


@pytest.mark.parametrize("text", ["夜间_01.png", "naïve.png", "\u3000", "می\u200cخواهم", "👩\u200d🚀", ""])
def test_words_stay(text):
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("a\nWARNING: b", r"a\nWARNING: b"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\udcff.png", r"\udcff.png"),
        ("\x9b31m", r"\x9b31m"),
        ("\u2028", r"\u2028"),
    ],
)
def test_what_could_do_harm_is_shown(text, shown):
    assert printable(text) == shown


def test_pages_take_names_as_text():
    assert escape("<b>\x1b") == r"&lt;b&gt;\x1b"


@given(ANY)
def test_only_line_feeds_are_left_of_several_lines(text):
    assert escape_lines(text).split("\n") == [escape(line) for line in text.split("\n")]

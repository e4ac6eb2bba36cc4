"""Large JSON documents, item by item: memory does not grow with the document.

Only the items of lists and objects are parsed, by the standard library; what lies around them is read here.
"""

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pointmask.errors import PointsError
from pointmask.io.formats.parts.decoding import text_pieces
from pointmask.io.formats.parts.documents import check_size, listing, unreadable

_SPACE = re.compile(r"[ \t\r\n]*")
_ENDS = frozenset(" \t\r\n,]}:")
_DECODE = json.JSONDecoder().raw_decode


class Item(NamedTuple):
    """One item of a document.

    Attributes
    ----------
    inside : str
        Key of the list or object that holds it; empty for the document itself.
    key : int, str or None
        Its place in a list from 0, or its key in an object; None says that a list or object begins, and for
        a document that is neither.
    value : object
        As the standard library parses it; of what begins, an empty list or object.
    """

    inside: str
    key: int | str | None
    value: Any


def json_items(path: Path, opened: Collection[str] = ()) -> Iterator[Item]:
    """Yield the items of the list or object that a document is.

    Parameters
    ----------
    path : Path
        Of the document.
    opened : collection of str
        Keys of an object whose own items are yielded one by one, if they are lists or objects.

    Raises
    ------
    PointsError
        If it cannot be read, is too large, nested too deeply, or not JSON; after the items before the fault.
    """
    try:
        reader = _Reader(path)
        yield from reader.items("", opened)
        reader.end()
    except OSError as error:
        raise unreadable(path, error) from error


def json_list(path: Path) -> Iterator[Any]:
    """Yield the items of a document that is a list; raises as `json_items`, and for any other document."""
    for _, key, value in json_items(path):
        if isinstance(key, int):
            yield value
        else:
            listing(value if key is None else {key: value}, f"{path}: the document")


class _Reader:
    """The text of a document, of which little is held at a time."""

    def __init__(self, path: Path) -> None:
        check_size(path)
        self._path = path
        self._pieces = text_pieces(path)
        self._text, self._place, self._line = "", 0, 1
        self._more()

    def items(self, inside: str, opened: Collection[str]) -> Iterator[Item]:
        """Yield the items of the value that begins here."""
        kind = self._peek()
        if kind not in ("[", "{"):
            yield Item(inside, None, self._value())
            return
        yield Item(inside, None, [] if kind == "[" else {})
        self._place += 1
        close = "]" if kind == "[" else "}"
        if self._peek() == close:
            self._place += 1
            return
        count = 0
        seen: set[str] = set()
        while True:
            if kind == "[":
                yield Item(inside, count, self._value())
                count += 1
            else:
                key = self._key()
                if key in opened and self._peek() in ("[", "{"):
                    if key in seen:
                        self._fail(f"the key {key[:60]!r} twice")
                    seen.add(key)
                    yield from self.items(key, ())
                else:
                    yield Item(inside, key, self._value())
            mark = self._peek()
            self._place += 1
            if mark == close:
                return
            if mark != ",":
                self._fail("Expecting ',' delimiter")

    def end(self) -> None:
        """Check that nothing follows."""
        if self._peek():
            self._fail("Extra data")

    def _peek(self) -> str:
        """Return the next character that is no space; an empty text at the end."""
        while True:
            found = _SPACE.match(self._text, self._place)
            assert found is not None, "it matches nothing, too"
            self._place = found.end()
            if self._place < len(self._text):
                return self._text[self._place]
            if not self._more():
                return ""

    def _key(self) -> str:
        if self._peek() != '"':
            self._fail("Expecting property name enclosed in double quotes")
        key: str = self._value()
        if self._peek() != ":":
            self._fail("Expecting ':' delimiter")
        self._place += 1
        return key

    def _value(self) -> Any:  # noqa: ANN401 - JSON holds anything
        self._peek()
        while True:
            try:
                value, end = _DECODE(self._text, self._place)
            except RecursionError:
                raise PointsError(f"{self._path}: JSON nested too deeply; export it again") from None
            except ValueError as error:
                if not self._more():
                    message = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
                    self._line += self._text.count("\n", self._place, getattr(error, "pos", self._place))
                    self._fail(message)
                continue
            # What ends otherwise is a number that goes on in the next piece, such as 1 of 1.5.
            if self._text[end : end + 1] in _ENDS or not self._more():
                self._place = end
                return value

    def _more(self) -> bool:
        """Read on, the more the longer the value is that did not end; drop what is done with."""
        wanted = len(self._text) - self._place
        pieces = []
        for piece in self._pieces:
            pieces.append(piece)
            wanted -= len(piece)
            if wanted <= 0:
                break
        if not pieces:
            return False
        self._line += self._text.count("\n", 0, self._place)
        self._text = self._text[self._place :] + "".join(pieces)
        self._place = 0
        return True

    def _fail(self, message: str) -> None:
        line = self._line + self._text.count("\n", 0, self._place)
        raise PointsError(f"{self._path}: not JSON ({message}: line {line}); export it again")

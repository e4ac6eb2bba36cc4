"""JSON and XML from strangers: read within limits, every fault a `PointsError` that names the file."""

import codecs
import json
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, cast
from xml.etree.ElementTree import Element, ParseError, XMLParser, XMLPullParser
from xml.parsers import expat

from pointmask.errors import PointsError
from pointmask.io.formats.parts.decoding import decode_text, peek, text_pieces
from pointmask.regular import open_regular, read_regular

MOST_BYTES = 1 << 30
"""Size of the largest document that is read."""

_DEEPEST = 100  # elements of XML within one another; annotation formats need less than ten
_CHUNK = 1 << 16
_SNIFFED = 1 << 16
_TOKEN = re.compile(r'"(?P<key>(?:[^"\\]|\\.)*)"\s*:|"(?:[^"\\]|\\.)*"|[{}\[\]]')
_UTF_16 = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")
_DECLARED = re.compile(rb"""(\s*<\?xml[^>]{0,200}?encoding\s*=\s*["'])([\w.-]{1,40})""")
# Windows tools declare gb2312 and write its supersets.
_OF_SEVERAL_BYTES = {
    "gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030", "big5": "big5hkscs",
    "shift_jis": "cp932", "cp932": "cp932", "euc_jp": "euc_jp", "euc_kr": "cp949", "cp949": "cp949",
}  # fmt: skip

_NUMERIC = frozenset((float, int, str))  # not bool

Event = tuple[Literal["start", "end"], Element]


def read_document(path: Path, limit: int = MOST_BYTES) -> bytes:
    """Return the bytes of a document.

    Raises
    ------
    PointsError
        If it cannot be read or is larger than ``limit`` bytes.
    """
    try:
        check_size(path, limit)
        return read_regular(path)
    except OSError as error:
        raise unreadable(path, error) from error


def read_json(path: Path) -> Any:  # noqa: ANN401 - JSON holds anything
    """Return what a JSON document holds.

    Raises
    ------
    PointsError
        If it cannot be read, is too large, nested too deeply, or not JSON.
    """
    return parse_json(decode_text(read_document(path), path), str(path))


def parse_json(text: str, where: str) -> Any:  # noqa: ANN401 - JSON holds anything
    """Return what JSON text holds; ``where`` names it in the message.

    Raises
    ------
    PointsError
        If it is nested too deeply or not JSON.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise PointsError(f"{where}: JSON nested too deeply; export it again") from None
    except ValueError as error:
        raise PointsError(f"{where}: not JSON ({error}); export it again") from None


def head_keys(path: Path) -> frozenset[str]:
    """Return the keys with which a JSON document begins, for sniffing; never raises.

    Of an object its own, of a list of objects those of the first, as far as its beginning shows them.
    With ``{`` or ``[``, whichever comes first. Empty for what is no JSON.
    """
    head = peek(path, _SNIFFED).lstrip("\ufeff \t\r\n")
    if not head.startswith(("{", "[")):
        return frozenset()
    keys = {head[0]}
    own = 1 if head[0] == "{" else 2
    depth = 0
    for token in _TOKEN.finditer(head):
        mark = token[0][0]
        if mark in "{[":
            depth += 1
        elif mark in "}]":
            depth -= 1
            if depth < own:
                break
        elif token["key"] is not None and depth == own:
            keys.add(token["key"])
    return frozenset(keys)


def read_xml(path: Path) -> Element:
    """Return the root element of an XML document.

    Raises
    ------
    PointsError
        As `xml_events`.
    """
    parser = XMLParser()
    with _refusing(path):
        for chunk in _xml_of(path):
            parser.feed(chunk)
        root: Element = parser.close()
        level = [root]
        for _ in range(_DEEPEST):
            level = [child for element in level for child in element]
        if level:
            raise _too_deep()
    return root


def xml_events(path: Path) -> Iterator[Event]:
    """Yield each XML element when it begins, without children, and when it is complete.

    Clear an element that is done with (`Element.clear`), and memory does not grow with the document.

    Raises
    ------
    PointsError
        If it cannot be read, is too large or too deep, is not XML, or declares a document type: with it
        come entities, by which a short text grows without bound or asks for other files.
    """
    parser: XMLPullParser[Element] = XMLPullParser(("start", "end"))
    depth = 0
    with _refusing(path):
        for chunk in _xml_of(path):
            parser.feed(chunk)
            for event in parser.read_events():
                depth += 1 if event[0] == "start" else -1
                if depth > _DEEPEST:
                    raise _too_deep()
                yield cast(Event, event)
        parser.close()
        yield from cast(Iterator[Event], parser.read_events())


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unreadable(path, error) from error
    except (expat.ExpatError, ParseError, ValueError, LookupError) as error:
        # The last two are an unknown encoding, which is told in full, however long it is.
        if isinstance(error, PointsError):
            raise PointsError(f"{path}: {error}" if str(path) not in str(error) else str(error)) from None
        raise PointsError(f"{path}: not XML ({str(error)[:200]}); export it again") from None


def _xml_of(path: Path) -> Iterator[bytes]:
    """Yield an XML document piece by piece, none of them after a declaration of a document type.

    It can only stand before the first element, so the guard stops there.
    """
    check_size(path)
    guard = expat.ParserCreate()
    begun: list[str] = []
    guard.StartDoctypeDeclHandler = _refuse_doctype
    guard.StartElementHandler = lambda tag, _: begun.append(tag) if not begun else None
    with open_regular(path) as file:
        for chunk in _utf8_of_xml(iter(lambda: file.read(_CHUNK), b""), path):
            if not begun:
                guard.Parse(chunk, False)
            yield chunk


def _utf8_of_xml(chunks: Iterator[bytes], path: Path) -> Iterator[bytes]:
    """Yield XML in an encoding that expat can read; it knows none of those with several bytes per letter.

    What should be UTF-8, declared or not, and is not, is read as other texts are: as GBK with a note.
    """
    first = next(chunks, b"")
    declared = _DECLARED.match(first)
    try:
        encoding = codecs.lookup(declared[2].decode()).name if declared else "utf-8"
    except LookupError:
        encoding = ""  # expat says so
    if encoding == "utf-8" and not first.startswith(_UTF_16):
        yield from (piece.encode() for piece in text_pieces(path))
        return
    if declared is None or encoding not in _OF_SEVERAL_BYTES:
        yield first
        yield from chunks
        return
    decoder = codecs.getincrementaldecoder(_OF_SEVERAL_BYTES[encoding])()
    yield declared[1] + b"utf-8" + decoder.decode(first[declared.end(2) :]).encode()
    for chunk in chunks:
        yield decoder.decode(chunk).encode()
    yield decoder.decode(b"", final=True).encode()


def _too_deep() -> PointsError:
    return PointsError(f"XML elements nested more than {_DEEPEST} deep; export it again")


def _refuse_doctype(*_: object) -> None:
    raise PointsError(
        "it declares a document type (<!DOCTYPE ...>), which annotation files do not need and which can "
        "harm; remove that line if you trust the file"
    )


@contextmanager
def rejecting(key: str, rejected: dict[str, str], where: str = "") -> Iterator[None]:
    """Note the reason if the block finds that it cannot read what ``key`` names, and go on after it."""
    try:
        yield
    except PointsError as error:
        rejected.setdefault(key, f"{where}: {error}" if where else str(error))


def mapping(value: object, what: str) -> dict[str, Any]:
    """Return a JSON object, or raise PointsError: ``what`` names it in the message."""
    if not isinstance(value, dict):
        raise PointsError(f"{what} is {brief(value)}, not an object; correct it")
    return value


def listing(value: object, what: str) -> list[Any]:
    """Return a JSON list, or raise PointsError."""
    if not isinstance(value, list):
        raise PointsError(f"{what} is {brief(value)}, not a list; correct it")
    return value


def text(value: object, what: str) -> str:
    """Return a text, or raise PointsError."""
    if not isinstance(value, str):
        raise PointsError(f"{what} is {brief(value)}, not a text; correct it")
    return value


def number(value: object, what: str) -> float:
    """Return a finite number, also one that is written as text, or raise PointsError."""
    if type(value) in _NUMERIC:
        try:
            found = float(value)  # type: ignore[arg-type] # of one of these types
            if math.isfinite(found):
                return found
        except (ValueError, OverflowError):
            pass
    raise PointsError(f"{what} is {brief(value)}, not a finite number; correct it")


def numbers(values: Sequence[object], names: Sequence[str], where: str) -> list[float]:
    """Return finite numbers, or raise PointsError: ``where`` and a name say which of them is none.

    As `number` for each, but that words for a message are only made if there is one.
    """
    try:
        found = [float(value) for value in values if type(value) in _NUMERIC]  # type: ignore[arg-type]
        if len(found) == len(values) and all(map(math.isfinite, found)):
            return found
    except (ValueError, OverflowError):
        pass
    return [number(value, where + name) for value, name in zip(values, names, strict=True)]


def whole(value: object, what: str, *, least: int = 0, most: int = (1 << 31) - 1) -> int:
    """Return a whole number within limits, or raise PointsError."""
    if type(value) is int and least <= value <= most:
        return value
    found = number(value, what)
    if found != int(found) or not least <= found <= most:
        raise PointsError(f"{what} is {brief(value)}, not a whole number from {least} to {most}; correct it")
    return int(found)


def brief(value: object) -> str:
    """Show a value in a message, shortened: a damaged document may hold megabytes of it."""
    if isinstance(value, (list, dict)):
        return f"{'a list' if isinstance(value, list) else 'an object'} of {len(value)}"
    if value is not None and not isinstance(value, (str, int, float)):
        return f"a {type(value).__name__}"  # whose text may be longer than any memory
    if isinstance(value, int) and value.bit_length() > 128:
        return f"a number of {value.bit_length()} bits"  # Python refuses to write out the largest
    shown = repr(value[:60] if isinstance(value, str) else value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def check_size(path: Path, limit: int = MOST_BYTES) -> None:
    """Refuse a document of more than ``limit`` bytes; raises PointsError, or OSError as the system does."""
    size = path.stat().st_size
    if size > limit:
        raise PointsError(
            f"{path}: {size:,} bytes, more than the limit of {limit:,}; divide it into several documents"
        )


def unreadable(path: Path, error: OSError) -> PointsError:
    """Return the error of a document that the system does not give."""
    return PointsError(f"{path}: cannot be read ({error.strerror}); check the path and its rights")

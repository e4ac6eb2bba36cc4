"""Bytes to text: UTF-8, UTF-16 with or without its mark, or GBK, whichever fits.

Spreadsheets and Windows tools of China save GBK and say so nowhere. It is taken only where UTF-8 fails and
the text that comes out is Chinese; what else is not UTF-8 is named and refused, since a name with a wrong
letter finds no image.
"""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from pointmask.errors import PointsError
from pointmask.io.notes import note
from pointmask.regular import open_regular

_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_LOOKED_AT = 4096
_HAN = re.compile("[\u3000-\u303f\u4e00-\u9fff\uff01-\uffee]+")
_LONE = re.compile(
    "(?<=[A-Za-z])[\u4e00-\u9fff](?![\u4e00-\u9fff])|(?<![\u4e00-\u9fff])[\u4e00-\u9fff](?=[A-Za-z])"
)
_GBK = "read as GBK, since it is no UTF-8; if names come out wrong, save it with the encoding UTF-8"

PIECE = 1 << 17
"""Bytes that are decoded at once."""


def decode_text(data: bytes, path: Path) -> str:
    """Return the text of a file.

    Parameters
    ----------
    data : bytes
        The whole file.
    path : Path
        For messages.

    Raises
    ------
    PointsError
        If the bytes fit no encoding that can be recognised for certain.
    """
    encoding = _by_mark(data)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding == "utf-8" and (chinese := _chinese(data)) is not None:
            note(_GBK, str(path))
            return chinese
        line = data.count(b"\n", 0, error.start) + 1
        looks = (
            " (it looks like Latin-1 or Windows-1252)" if encoding == "utf-8" and _is_western(data) else ""
        )
        raise PointsError(
            f"{path}:{line}: byte {error.start} is not {encoding}{looks}; save the file with the encoding "
            "UTF-8"
        ) from error


def text_pieces(path: Path) -> Iterator[str]:
    """Yield the text of a file piece by piece, in the encoding of `decode_text`.

    Raises
    ------
    PointsError
        As `decode_text`, before the first piece.
    OSError
        If the file cannot be read.
    """
    with open_regular(path) as file:
        encoding = _by_mark(file.read(_LOOKED_AT))
        file.seek(0)
        decode = codecs.getincrementaldecoder(encoding)().decode
        try:
            for chunk in iter(lambda: file.read(PIECE), b""):
                decode(chunk)
            decode(b"", True)
        except UnicodeDecodeError:
            file.seek(0)
            yield decode_text(file.read(), path)
            return
        file.seek(0)
        decode = codecs.getincrementaldecoder(encoding)().decode
        for chunk in iter(lambda: file.read(PIECE), b""):
            yield decode(chunk)


def peek(path: Path, size: int = 4096) -> str:
    """Return the beginning of a file as text; empty for folders and what else is no readable text file."""
    try:
        with open_regular(path) as file:
            data = file.read(size)
    except OSError:
        return ""
    encoding = _by_mark(data)
    text = data.decode(encoding, errors="replace")
    return "" if "\x00" in text else text


def _by_mark(data: bytes) -> str:
    """Return the encoding of a byte-order mark; without one UTF-16 by its zeros, else UTF-8."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding
    # ASCII in UTF-16: every second byte is zero. No text in UTF-8 or GBK holds one.
    head = data[: _LOOKED_AT & ~1]
    pairs = len(head) // 2
    if pairs:
        little, big = head[1::2].count(0), head[0::2].count(0)
        if little > pairs / 2 and not big:
            return "utf-16-le"
        if big > pairs / 2 and not little:
            return "utf-16-be"
    return "utf-8"


def _chinese(data: bytes) -> str | None:
    """Return GBK text if that is what the bytes must be: Chinese words, no letters amid a word of ours."""
    try:
        text = data.decode("gbk")
    except UnicodeDecodeError:
        return None
    words = _HAN.findall(text)
    foreign = sum(ord(letter) > 0x7F for letter in text) - sum(map(len, words))
    lone = len(_LONE.findall(text))
    return text if words and 2 * lone < len(words) + 1 and 4 * foreign <= sum(map(len, words)) else None


def _is_western(data: bytes) -> bool:
    """Say whether all bytes beyond ASCII are letters or signs of Windows-1252."""
    try:
        return all(letter.isprintable() or letter.isspace() for letter in data[: 1 << 16].decode("cp1252"))
    except UnicodeDecodeError:
        return False

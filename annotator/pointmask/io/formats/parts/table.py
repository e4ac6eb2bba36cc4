"""Tables as text: lines, dividers, the header line, and the cells of rows.

Columns are divided by commas, semicolons, tabs or blanks, whichever the header line has. Excel's first line
``sep=;`` names the divider. Lines that are blank or begin with ``#`` are skipped.
"""

import csv
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pointmask.errors import PointsError
from pointmask.io.formats.parts.documents import brief
from pointmask.io.notes import note

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_SEP = re.compile(r"\s*\"?sep=(.)\"?\s*", re.IGNORECASE)
_WORD = re.compile(r'"(?:[^"]|"")*"|\S+')
_DELIMITERS = ",;\t"
_BLANK = " "
_COMMA = re.compile(r"[-+]?\d*,\d+")
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:[., '\u00a0\u2009\u202f]\d{3})+(?:[.,]\d+)?")
_NOTHING = frozenset({"", "nan", "na", "n/a", "<na>", "null", "none", "nil", "#n/a"})
_DECIMAL_COMMA = "decimal commas were read as decimal points"


@dataclass(frozen=True, slots=True)
class Head:
    """The header line of a table.

    Attributes
    ----------
    line : int
        Its number, from 1.
    delimiter : str
        A blank stands for any run of blanks.
    cells : tuple of str
        As they are written, without surrounding space.
    """

    line: int
    delimiter: str
    cells: tuple[str, ...]


def head_of(text: str) -> Head | None:
    """Return the first line of a table that is not blank or a comment; None if there is none."""
    delimiter = ""
    for number, line in enumerate(_lines(text), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        named = _SEP.fullmatch(line)
        if named is not None and not delimiter:
            delimiter = named[1]
            continue
        delimiter = delimiter or max(_DELIMITERS, key=line.count)
        if delimiter not in line and line.split()[1:]:
            delimiter = _BLANK
        return Head(number, delimiter, tuple(cell.strip() for cell in _split(line, delimiter)))
    return None


def rows_below(text: str, head: Head | None, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
    """
    Yield the rows below a header, or of a table without one.

    Parameters
    ----------
    text : str
        The whole table.
    head : Head or None
        Its header.
    delimiter : str
        Of a table without header.

    Yields
    ------
    line : int
        Number of the row's last line.
    cells : list of str
        Without surrounding space; at least one is not empty.

    Raises
    ------
    csv.Error
        If the text is no table, or a quotation mark that nothing closes has swallowed rows.
    """
    first, delimiter = (head.line, head.delimiter) if head else (0, delimiter)
    lines = ("" if line.lstrip().startswith("#") else line for line in _lines(text))
    if delimiter == _BLANK:
        lines = ("\t".join(_WORD.findall(line)) + "\n" for line in lines)
        delimiter = "\t"
    reader = csv.reader(lines, delimiter=delimiter)
    before = 0
    for row in reader:
        if reader.line_num > max(first, before + 1) and any(_swallowed(row, delimiter)):
            raise csv.Error(
                f"a quotation mark in line {before + 1} makes rows below part of its cell; close or delete it"
            )
        before = reader.line_num
        if reader.line_num > first:
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield reader.line_num, cells


def _swallowed(row: list[str], delimiter: str) -> Iterator[bool]:
    """Say of each line within a cell but the first whether it looks like a row of the same table."""
    for cell in row:
        for line in cell.splitlines()[1:]:
            cells = line.split(delimiter)
            yield len(cells) >= max(2, len(row)) and sum(is_number(cell.strip()) for cell in cells) >= 2


def is_nothing(cell: str) -> bool:
    """Say whether a cell holds no value, as spreadsheets and pandas write it."""
    return cell.lower() in _NOTHING


def as_number(cell: str) -> float:
    """Return a cell as `float` does, and raise as it does; 1_0 is 10 in programs alone."""
    if "_" in cell:
        raise ValueError(cell)
    return float(cell)


def is_number(cell: str) -> bool:
    """Say whether a cell holds a number."""
    try:
        as_number(cell)
    except ValueError:
        return False
    return True


def number_in(cell: str, column: str, delimiter: str, where: str) -> float:
    """
    Return the number in a cell; a decimal comma is read where no comma divides columns.

    Raises
    ------
    PointsError
        If it is none, or may be another with separators of thousands.
    """
    try:
        found = as_number(cell)
        if math.isfinite(found):
            return found
    except ValueError:
        if delimiter != "," and _COMMA.fullmatch(cell):
            note(_DECIMAL_COMMA, where)
            return float(cell.replace(",", "."))
    if _THOUSANDS.fullmatch(cell):
        raise PointsError(
            f"{column} is {brief(cell)}, with a separator of thousands or a decimal comma; write plain "
            "numbers, such as 1234.5"
        )
    raise PointsError(
        f"{column} is {brief(cell)}, not a finite number; write the 0-based pixel index, such as 12"
    )


def _lines(text: str) -> Iterator[str]:
    """Iterate over lines that end in LF, CRLF or CR; str.splitlines would split at U+2028 too."""
    return (found[0] for found in _LINE.finditer(text))  # a StringIO would hold the text four times over


def _split(line: str, delimiter: str) -> list[str]:
    if delimiter == _BLANK:
        line, delimiter = "\t".join(_WORD.findall(line)), "\t"
    return next(csv.reader([line], delimiter=delimiter), [])

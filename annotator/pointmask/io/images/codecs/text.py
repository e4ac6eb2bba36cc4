"""Matrices of numbers as text, as the programs of thermal cameras export temperatures: one frame per file."""

import csv
import re
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from pointmask.errors import ImageError
from pointmask.io.images.codecs import Codec, check_frame
from pointmask.io.images.codecs.limits import check_samples

Row = list[str]

_LEAST = 8  # rows and columns; lists of points have fewer columns
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?([eE][+-]?\d+)?", re.ASCII)
_NO_NUMBER = ("", "nan", "-nan", "inf", "-inf", "--", "-")
_MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))


class TextFile(Codec):
    """
    A matrix of numbers in a text file.

    Its columns are parted by semicolons, tabs, commas or spaces, whichever gives the larger matrix. Decimals
    have a point or, where commas part no columns, a comma. Lines before and behind the matrix are comments of
    the program; numbers of rows and columns along its edges are left out.

    Parameters
    ----------
    file : BinaryIO
        Open binary file.
    size : int
        Its length in bytes.
    """

    frames = 1

    def __init__(self, file: BinaryIO, size: int) -> None:
        file.seek(0)
        self._matrix = _matrix_of(_decoded(file.read(size)))

    def decode(self, frame: int) -> NDArray[Any]:
        """Return the matrix: uint16 if all numbers are whole and fit, else float64; NaN where one lacks."""
        check_frame(frame, 1)
        return self._matrix


def _decoded(data: bytes) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")  # of comments alone: numbers are ASCII


def _matrix_of(text: str) -> NDArray[Any]:
    lines = text.splitlines()
    ways = (_parted(";"), _parted("\t"), _parted(","), _by_spaces)
    readings = [_runs(lines, way, commas=way is not ways[2]) for way in ways]
    runs = max(readings, key=lambda runs: max(map(_cells, runs)))
    main = max(range(len(runs)), key=lambda k: _cells(runs[k]))
    rows = _without_numbering(runs[main])
    height, width = len(rows), len(rows[0]) if rows else 0
    for k, run in enumerate(runs):
        much = run and 2 * len(run[0]) > width and not _counts(run[0])
        if width >= _LEAST and ((k > main and run) or (k < main and much)):
            raise ImageError(
                f"beside a matrix of {height} rows and {width} columns it holds {len(run)} more of "
                f"{len(run[0])} numbers; export each frame as a file of its own, in rows of the same length"
            )
    if min(height, width) < _LEAST:
        raise ImageError(
            f"its largest matrix of numbers has {height} rows and {width} columns, and an image at least "
            f"{_LEAST} of both; export the frame with a line per row and ; , or a tab between numbers"
        )
    check_samples((height, width))
    return _numbers(rows)


def _cells(run: list[Row]) -> int:
    return sum(map(len, run))


def _parted(delimiter: str) -> Callable[[str], Row]:
    def cells(line: str) -> Row:
        if '"' in line:
            return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
        return [cell.strip() for cell in line.split(delimiter)]

    return cells


def _by_spaces(line: str) -> Row:
    return line.split()


def _runs(lines: Sequence[str], cells_of: Callable[[str], Row], *, commas: bool) -> list[list[Row]]:
    """
    Return the runs of lines that are as many numbers; there may be empty lines between them.

    A line of which most, but not all, are numbers is a run of its own, for a row must not go unnoticed.
    """
    runs: list[list[Row]] = [[]]
    for line in lines:
        cells = cells_of(line)
        row = _row(cells, commas=commas)
        if row is None:
            if _is_mostly_numbers(cells):
                runs += [[cells], []]
            elif line.strip() and runs[-1]:
                runs.append([])
        elif runs[-1] and len(runs[-1][0]) != len(row):
            runs.append([row])
        else:
            runs[-1].append(row)
    return runs


def _row(cells: Row, *, commas: bool) -> Row | None:
    """Return the cells of a line of numbers, without empty ones behind the last delimiter; else None."""
    while cells and not cells[-1]:
        cells = cells[:-1]
    if len(cells) < 2 or (not commas and any("," in cell for cell in cells)):
        return None
    good = all(_NUMBER.fullmatch(cell) or cell.lower() in _NO_NUMBER for cell in cells)
    return cells if good else None


def _is_mostly_numbers(cells: Row) -> bool:
    count = sum(_NUMBER.fullmatch(cell) is not None for cell in cells)
    return count > 1 and 2 * count > len(cells)


def _without_numbering(rows: list[Row]) -> list[Row]:
    """Leave out a first column, and a first row, of consecutive whole numbers from 0 or 1."""
    if not rows or len(rows[0]) <= _LEAST:
        return rows
    if any(_counts([row[0] for row in part]) for part in (rows, rows[1:])):
        rows = [row[1:] for row in rows]
    return rows[1:] if _counts(rows[0]) else rows


def _counts(cells: Row) -> bool:
    return any(cells == [str(start + k) for k in range(len(cells))] for start in (0, 1))


def _numbers(rows: list[Row]) -> NDArray[Any]:
    flat = [cell for row in rows for cell in row]
    if any("," in cell for cell in flat):
        if any("." in cell for cell in flat):
            raise ImageError("some of its decimals have a point and some a comma; export it with one of them")
        flat = [cell.replace(",", ".") for cell in flat]
    values = np.array([_value(cell) for cell in flat]).reshape(len(rows), -1)
    whole = all(cell.isdigit() for cell in flat)
    return values.astype(np.uint16) if whole and values.max() < 2**16 else values


def _value(cell: str) -> float:
    return float("nan") if cell.lower() in ("", "--", "-") else float(cell)

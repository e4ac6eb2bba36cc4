"""Files of lines that only grow. A line is whole if it ends in a newline; a kill may leave half of one.

Half a line is never read, and is cut off before the next one is written: glued together the two would be
lost both.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_BLOCK = 1 << 16


def whole_lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """
    Yield the whole lines of a file, each with the offset of its first byte.

    Parameters
    ----------
    file : BinaryIO
        Read from its start, whatever its position is.

    Yields
    ------
    offset : int
    line : bytes
        With its newline.
    """
    file.seek(0)
    offset = 0
    for line in file:
        if line.endswith(b"\n"):
            yield offset, line
        offset += len(line)


def end_of_lines(file: BinaryIO) -> int:
    """Return the offset just behind the last newline of a file, where the next line begins."""
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        start = max(0, end - _BLOCK)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def cut_half_line(path: Path) -> None:
    """Cut off the half line at the end of a file, if there is one; a file that is missing stays so."""
    if path.exists():
        with path.open("r+b") as file:
            file.truncate(end_of_lines(file))


def append_line(path: Path, line: bytes) -> None:
    """
    Append a line to a file, and wait until the disk holds it.

    For files that gain a line now and then: it takes some milliseconds.

    Parameters
    ----------
    path : Path
        Made with the first line.
    line : bytes
        Ends in a newline, and holds no other.

    Raises
    ------
    OSError
        As the system reports it; half a line that it leaves is cut off by the next call.
    """
    cut_half_line(path)
    with path.open("ab") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())

"""Files of lines that only grow. A line is complete if it ends in a newline and holds no NUL byte.

A kill may leave half a line, and a power failure NUL bytes where a page never reached the disk. Neither is
read, and both are cut off before the next line is written: glued to it, that one would be lost as well.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from pointmask.io.files import check_no_link, sync_folder

_BLOCK = 1 << 16


def whole_lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """
    Yield the complete lines of a file, each with the offset of its first byte.

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
        if line.endswith(b"\n") and b"\0" not in line:
            yield offset, line
        offset += len(line)


def end_of_lines(file: BinaryIO) -> int:
    """Return the offset just behind the last complete line of a file, where the next line begins."""
    end = _behind_newline(file, file.seek(0, os.SEEK_END))
    while end > 0:
        start = _behind_newline(file, end - 1)
        file.seek(start)
        if b"\0" not in file.read(end - start):
            break
        end = start
    return end


def _behind_newline(file: BinaryIO, end: int) -> int:
    """Return the offset just behind the last newline before an offset, 0 if there is none."""
    while end > 0:
        start = max(0, end - _BLOCK)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def cut_half_line(path: Path) -> None:
    """
    Cut off the half line at the end of a file, if there is one; a file that is missing stays so.

    Raises
    ------
    WriteError
        If the file is a link: what it links to is not ours.
    """
    check_no_link(path)
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
    append_lines(path, [line])


def append_lines(path: Path, lines: Iterable[bytes], *, durable: bool = True) -> None:
    """Append lines to a file and, if `durable`, wait once until the disk holds them; see `append_line`."""
    is_new = not path.exists()
    cut_half_line(path)
    with path.open("ab") as file:
        file.writelines(lines)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    if is_new and durable:
        sync_folder(path.parent)

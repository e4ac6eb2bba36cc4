"""Reading a journal from its start: what may be cut off is cut off, what must not be guessed is refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from pointmask.click.contract.errors import JournalError
from pointmask.click.journal.index import JournalIndex, Placed, groups
from pointmask.click.journal.lines import LONGEST, Line, parse_line
from pointmask.io.clicks import publishing
from pointmask.io.lines import end_of_lines
from pointmask.regular import open_regular


class Reading(NamedTuple):
    """
    What a journal holds.

    Attributes
    ----------
    content : JournalIndex
    end : int
        Where the last whole edit ends.
    cut : int
        Bytes behind it, of an edit that was never answered.
    """

    content: JournalIndex
    end: int
    cut: int


def read_journal(path: Path, *, up_to_damage: bool = False) -> Reading:
    """
    Read a journal.

    Parameters
    ----------
    path : Path
        A file that is missing is empty.
    up_to_damage : bool
        Stop at a line that is not pointmask's instead of raising.

    Returns
    -------
    Reading

    Raises
    ------
    JournalError
        If a line but the last is not pointmask's, or a number is missing; with the place, and what to do.
    """
    index = JournalIndex()
    try:
        with open_regular(path) as file:
            size = file.seek(0, 2)
            end = 0
            try:
                for group in groups(_lines(path, file, end_of_lines(file))):
                    index.add(group)
                    end = group[-1].end
            except JournalError:
                if not up_to_damage:
                    raise
                size = end
            return Reading(index, end, size - end)
    except FileNotFoundError:
        return Reading(index, 0, 0)
    except OSError as error:
        if isinstance(error, JournalError):
            raise
        raise JournalError(f"{path} cannot be read ({error.strerror or error}); check the folder") from error


def _lines(path: Path, file: BinaryIO, end: int) -> Iterator[Placed]:
    file.seek(0)
    offset, number = 0, 0
    while offset < end:
        data = file.readline(LONGEST + 1)
        number += 1
        try:
            line = _parsed(data, number)
        except JournalError as error:
            raise JournalError(
                f"{path}, line {number}, is not as pointmask wrote it: {error}. Nothing is guessed: bring "
                f"the masks up to the line before with `{publishing(path.parent)}`, then move the file "
                "away; or put back a copy that is whole"
            ) from None
        yield Placed(offset, offset + len(data), line)
        offset += len(data)


def _parsed(data: bytes, number: int) -> Line:
    if len(data) > LONGEST:
        raise JournalError(f"it is longer than {LONGEST:,} bytes")
    line = parse_line(data)
    if line["seq"] != number:
        raise JournalError(f"its seq is {line['seq']}, and {number} is due")
    return line

"""JSON Lines files with one record per epoch, truncated when a run is resumed from a checkpoint."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pointmask.io.files import write_lines
from pointmask.io.layout import RUN_TAG
from pointmask.io.lines import append_line, whole_lines
from pointmask.regular import open_regular
from pointmask_trainer.errors import DataError


class EpochJournal:
    """A file of one JSON object per line, each with its ``epoch``.

    A line is complete if it ends with a newline. An incomplete last line, which a kill may leave behind, is
    ignored when reading and overwritten by the next line.

    Parameters
    ----------
    path : Path
        Created when the first line is written.
    figures : bool
        Whether its records hold figures alone; see `are_figures`.
    """

    def __init__(self, path: Path, *, figures: bool = False) -> None:
        self.path, self._figures = path, figures

    def append(self, epoch: int, record: Mapping[str, Any]) -> None:
        """Append one line and flush it to disk; an empty record is not written."""
        if record:
            append_line(self.path, json.dumps({"epoch": epoch, **record}).encode() + b"\n")

    def read(self) -> list[dict[str, Any]]:
        """Return the records of all complete lines.

        Raises
        ------
        DataError
            If the file cannot be read, or a complete line was not written by pointmask.
        """
        return [record for _, record in self._records()]

    def cut(self, epochs: int) -> None:
        """Remove the lines of epochs after `epochs`, which are trained again.

        Raises
        ------
        DataError
            As `read`.
        OutputError
            If the file cannot be written.
        """
        if self.path.exists():
            retained = [line for line, record in self._records() if record["epoch"] <= epochs]
            write_lines(self.path, retained, RUN_TAG)

    def clear(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)

    def _records(self) -> Iterator[tuple[bytes, dict[str, Any]]]:
        try:
            file = open_regular(self.path)
        except FileNotFoundError:
            return
        except OSError as error:
            raise DataError(f"{self.path} cannot be read ({error.strerror or error}); check it") from None
        with file:
            for offset, line in whole_lines(file):
                yield line, self._parsed(offset, line)

    def _parsed(self, offset: int, line: bytes) -> dict[str, Any]:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        known = isinstance(record, dict) and isinstance(record.get("epoch"), int)
        if not known or (self._figures and not are_figures(record)):
            raise DataError(
                f"{self.path} holds a line that pointmask did not write (byte {offset}: {line[:40]!r}); "
                "delete this line, or train anew with another --out"
            )
        return record


def are_figures(values: Any) -> bool:  # noqa: ANN401 - from a file
    """Whether values are numbers, missing ones, or tables of such, as metrics are."""
    if isinstance(values, Mapping):
        return all(map(are_figures, values.values()))
    return values is None or isinstance(values, (int, float))

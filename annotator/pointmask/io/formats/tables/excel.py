"""Excel workbooks: the first sheet is a table as in CSV; needs ``pointmask[excel]`` (openpyxl)."""

import csv
import io
import warnings
import zipfile
from pathlib import Path

from pointmask.advice import install
from pointmask.errors import PointsError
from pointmask.io.formats.base import Format
from pointmask.io.formats.tables.csv import read_table
from pointmask.io.images.source import ImageSource
from pointmask.io.points.points import Points

_SUFFIXES = (".xlsx", ".xlsm")
_MOST_BYTES = 1 << 28  # unpacked
_WORKBOOK = "xl/workbook.xml"


class Excel(Format):
    """The first sheet of a workbook."""

    name = "excel"
    description = "Excel workbook"
    abilities = frozenset({"read points"})
    suffixes = _SUFFIXES
    origin = "index"

    def sniff(self, path: Path) -> bool:
        """Say whether the file is a workbook."""
        if not path.is_file() or path.suffix.lower() not in _SUFFIXES:
            return False
        try:
            with zipfile.ZipFile(path) as packed:
                return _WORKBOOK in packed.namelist()
        except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
            return False

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read the first sheet as a table.

        Raises
        ------
        PointsError
            If openpyxl is missing, the file is no workbook or too large, or its first sheet is no table of
            points.
        """
        return read_table(_as_csv(path), path, images, self.source_of(path))


def _as_csv(path: Path) -> str:
    try:
        import openpyxl
    except ModuleNotFoundError:
        raise PointsError(
            f"{path}: to read a workbook install openpyxl: {install('excel')}, or save it as CSV"
        ) from None
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    try:
        with zipfile.ZipFile(path) as packed:
            size = sum(member.file_size for member in packed.infolist())
        if size > _MOST_BYTES:
            reason = f"{size:,} bytes when unpacked, more than {_MOST_BYTES:,}"
        else:
            reason = ""
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of styles and extensions that a table does without
                book = openpyxl.load_workbook(path, read_only=True, data_only=True)
                try:
                    for row in book.worksheets[0].iter_rows(values_only=True):
                        writer.writerow(["" if value is None else value for value in row])
                finally:
                    book.close()
    except Exception as error:  # openpyxl lets pass whatever its parsers raise
        raise PointsError(
            f"{path}: not a readable workbook ({type(error).__name__}: {str(error)[:200]}); save it "
            "again, or as CSV"
        ) from None
    if reason:
        raise PointsError(f"{path}: {reason}; save the sheet as CSV")
    return text.getvalue()

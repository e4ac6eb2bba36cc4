"""Id lists as editors on several systems save them."""

import codecs
from collections.abc import Iterable
from pathlib import Path

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16-le", "utf-16-be")

_MARKS = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}


def write_list(path: Path, ids: Iterable[str], encoding: str) -> Path:
    """Write ids with line ends of Windows, blank lines and space around them."""
    text = "\r\n" + "".join(f"  {key} \r\n\r\n" for key in ids)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_MARKS.get(encoding, b"") + text.encode(encoding))
    return path

"""Hashes of result files in a journal's lines: by them a resumed job knows what a power failure took.

A job that waited for the disk after each mask would take twice as long. So the journal is the truth while a
job runs: a frame is done if its line is there and its files are what the line says. Before the manifest takes
the journal's place all files are flushed, so its lines need no hashes, and are the same as ever.
"""

import struct
import zlib
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path

FILES = "files"
"""Last key of a journal's entry: hash by path of each result file."""

_MARK = f', "{FILES}": '.encode()
_PNG, _END = b"\x89PNG\r\n\x1a\n", b"IEND"


def seals(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the hash of each file's content."""
    return {path: _hash(data) for path, data in files.items()}


def unsealed(line: bytes) -> bytes:
    """Return a line as the manifest has it, without the hashes."""
    head, mark, _ = line.rpartition(_MARK)
    return head + b"}\n" if mark else line


def is_intact(path: Path, seal: str | None) -> bool:
    """
    Say whether a result file is whole.

    Parameters
    ----------
    path : Path
        PNG.
    seal : str or None
        Its hash, if a journal says it; else the check sums in the file are compared.
    """
    try:
        data = path.read_bytes()
    except OSError:
        return False
    return _hash(data) == seal if seal else _is_whole_png(data)


def _hash(data: bytes) -> str:
    return blake2b(data, digest_size=8).hexdigest()


def _is_whole_png(data: bytes) -> bool:
    if not data.startswith(_PNG):
        return False
    at, kind = len(_PNG), b""
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 8 + length
        kind = data[at + 4 : at + 8]
        if end + 4 > len(data) or zlib.crc32(data[at + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            return False
        at = end + 4
    return at == len(data) and kind == _END


def sealed_fields(files: Mapping[str, bytes]) -> dict[str, dict[str, str]]:
    """Return the field to add at the end of an entry; none without files."""
    return {FILES: seals(files)} if files else {}

"""Hashes of files, in pieces: a file may be larger than memory."""

from typing import BinaryIO, Protocol

_PIECE = 1 << 20  # bytes


class Digest(Protocol):
    """A hash that takes bytes, as those of `hashlib`."""

    def update(self, data: bytes, /) -> None:
        """Take in bytes."""


def feed(digest: Digest, file: BinaryIO) -> int:
    """Take the rest of a file into a hash, and return how many bytes it had."""
    size = 0
    while piece := file.read(_PIECE):
        digest.update(piece)
        size += len(piece)
    return size

"""A file in pieces has the hash of the file as a whole."""

import hashlib
import io

import pytest

from pointmask.hashing import feed


@pytest.mark.parametrize("size", [0, 1, 2**20 - 1, 2**20, 2**20 + 1, 3 * 2**20 + 7])
def test_the_hash_of_a_file_is_that_of_its_bytes(size):
    data = bytes(range(251)) * (size // 251 + 1)
    digest, file = hashlib.sha256(), io.BytesIO(b"head" + data[:size])
    file.seek(4)
    assert feed(digest, file) == size
    assert digest.digest() == hashlib.sha256(data[:size]).digest()

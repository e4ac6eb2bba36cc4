"""Pickled objects: what a damaged or hostile one cannot do."""

import pickle

import numpy as np
import pytest
from tools.formats.annotations import MCLC, npy

from pointmask.errors import PointsError
from pointmask.io.formats.encodings import object_npy


@pytest.mark.parametrize(
    "opcodes",
    [
        b"r\xff\xff\xff\x7f",  # a memo of 2**31 places
        b"\x8e" + (2**40).to_bytes(8, "little"),  # a terabyte of bytes
        b"(" * 10**6,
        b"]" * 10**5 + b"a" * 10**5 + b".",
    ],
)
def test_a_pickle_cannot_fill_the_memory(opcodes):
    head = npy(MCLC)[:128]
    with pytest.raises(PointsError, match="it is no readable pickle"):
        object_npy.decode(head + b"\x80\x04" + opcodes)


def test_a_pickle_cannot_change_the_reader():
    setting = pickle.dumps({"f": 1})[2:-1]
    for name in (b"cnumpy.core.multiarray\nscalar\n", b"cnumpy\nndarray\n"):
        with pytest.raises(PointsError):
            object_npy.decode(npy(MCLC)[:128] + b"\x80\x04" + name + setting + b"b.")
    assert object_npy.decode(npy({"a": np.float32(2.5)})) == {"a": 2.5}

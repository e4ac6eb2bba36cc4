"""MATLAB files against SciPy, which writes and reads them."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.io import savemat

from pointmask.io.images.codecs.mat import variables

NAME = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
TEXT = st.text(st.characters(max_codepoint=0xD7FF, exclude_characters="\0"), min_size=1, max_size=9)
TEXT = TEXT.filter(str.strip)
KINDS = ("f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8")


@settings(max_examples=60)
@given(st.data(), st.booleans())
def test_arrays_are_those_that_scipy_wrote(data, packed):
    arrays = data.draw(
        st.dictionaries(
            NAME,
            st.sampled_from(KINDS).flatmap(
                lambda kind: hnp.arrays(kind, st.tuples(*[st.integers(0, 5)] * 2))
            ),
            max_size=4,
        )
    )  # fmt: skip
    file = io.BytesIO()
    savemat(file, arrays, do_compression=packed)
    found = variables(file.getvalue())
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype


@settings(max_examples=30)
@given(st.lists(TEXT, min_size=1, max_size=5))
def test_cells_of_texts(texts):
    cell = np.empty((1, len(texts)), object)
    cell[0, :] = texts
    file = io.BytesIO()
    savemat(file, {"names": cell, "one": "a b", "inner": {"x": 1}, "z": np.array([[1j]])})
    found = variables(file.getvalue())
    assert found["names"] == texts
    assert found["one"] == "a b"
    assert set(found) == {"names", "one"}


def test_what_is_none_or_too_large_is_refused():
    with pytest.raises(ValueError, match="no MATLAB file"):
        variables(b"x" * 300)
    file = io.BytesIO()
    savemat(file, {"a": np.zeros((1000, 1000))}, do_compression=True)
    with pytest.raises(ValueError, match="more content"):
        variables(file.getvalue(), most=1 << 20)
    plain = io.BytesIO()
    savemat(plain, {"a": np.zeros((5, 5))})
    with pytest.raises(ValueError, match="beyond its end"):
        variables(plain.getvalue()[:-8])

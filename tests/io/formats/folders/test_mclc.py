"""MCLC's objects: lists of clicks, old pickles, and pickles that would run code."""

import numpy as np
import pytest
from tools.formats.annotations import MCLC, MCLC_EMPTY, npy, write

from pointmask.errors import PointsError
from pointmask.io.formats import read_points, recognise
from pointmask.io.points.points import Point


def test_mclc(tmp_path):
    write(
        tmp_path / "a.npy",
        npy(MCLC | {"centroid_label_y": [1, np.int64(7)], "centroid_label_x": [2, np.int32(8)]}),
    )
    write(tmp_path / "b.npy", npy(MCLC_EMPTY))
    old = (
        b"\x93NUMPY\x01\x00v\x00"
        + b"{'descr': '|O', 'fortran_order': False, 'shape': (), }".ljust(117)
        + b"\n"
    )
    stored = np.array(MCLC | {"name": "c"}, object).dumps(protocol=2)
    write(tmp_path / "c.npy", old + stored.replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
    write(tmp_path / "d.npy", npy(MCLC | {"name": "d", "centroid_label_x": [1, 2]}))
    assert recognise(tmp_path) == recognise(tmp_path / "c.npy") == "mclc"
    found = read_points(tmp_path)
    assert dict(found) == {"a": (Point(1, 2), Point(7, 8)), "b": (), "c": (Point(1, 2),)}
    assert "must be lists of equal length" in found.rejected["d"]


class Harmful:
    """Would write a file if it were unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return exec, (f"import pathlib; pathlib.Path({str(self.path)!r}).touch()",)


@pytest.mark.parametrize(
    "wrap", [lambda harm: harm, lambda harm: MCLC | {"name": harm}, lambda harm: MCLC | {"x": [harm]}]
)
def test_a_pickle_that_would_run_code_is_refused_by_name(tmp_path, wrap):
    victim = tmp_path / "victim"
    harmful = write(tmp_path / "a.npy", npy(wrap(Harmful(victim))))
    with pytest.raises(
        PointsError, match=r"a\.npy: its pickle asks for builtins\.exec, which would run code"
    ):
        read_points(tmp_path)
    assert not victim.exists()
    np.load(harmful, allow_pickle=True)  # the test of the test
    assert victim.exists()

"""napari's points layers."""

import pytest
from tools.formats.annotations import read_as, write

from pointmask.errors import PointsError
from pointmask.io.formats import read_points, recognise
from pointmask.io.points.points import Point


def test_napari(tmp_path):
    write(tmp_path / "layers/a.csv", "index,axis-0,axis-1,label\r\n0.0,1.4,1.5,ship\r\n1.0,0.0,0.0,\r\n")
    write(tmp_path / "layers/sea/b.csv", "index,axis-0,axis-1\n")
    write(tmp_path / "layers/seq.csv", "index,axis-0,axis-1,axis-2\n0.0,3.0,1.0,2.0\n")
    expected = {"a": (Point(1, 2, "ship"), Point(0, 0)), "sea/b": (), "seq#3": (Point(1, 2),)}
    assert recognise(tmp_path / "layers") == "napari"
    assert dict(read_points(tmp_path / "layers")) == expected
    assert dict(read_points(tmp_path / "layers/a.csv")) == {"a": expected["a"]}


def test_napari_rejects_images_and_refuses_other_tables(tmp_path):
    found = read_as(tmp_path / "a.csv", "index,axis-0,axis-1\n0.0,one,2\n", "napari")
    assert "a.csv:2: axis-0 is 'one', not a finite number" in found.rejected["a"]
    assert (
        "has 2 cells, not 3"
        in read_as(tmp_path / "a.csv", "index,axis-0,axis-1\n0,1\n", "napari").rejected["a"]
    )
    write(tmp_path / "b.csv", "image,x,y\n")
    with pytest.raises(PointsError, match=r"b\.csv: the table does not begin with index,axis-0,axis-1"):
        read_points(tmp_path, format="napari")

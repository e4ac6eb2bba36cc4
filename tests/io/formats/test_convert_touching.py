"""Output of annotate whose masks cannot be told apart: formats of masks alone take every image."""

import numpy as np
import pytest
from tools.folders import save, spot

from pointmask.errors import PointsError
from pointmask.folder.job import annotate_folder
from pointmask.io.formats.convert import convert
from pointmask.io.formats.tables import native
from pointmask.io.images.array import read_mask
from pointmask.io.points.points import Point, Points


@pytest.fixture
def base(tmp_path, monkeypatch):
    """One image with two targets, which the areas and boxes of the manifest do not part."""

    def refuse(union, extents):
        raise PointsError("masks of targets that touch or surround each other cannot be told apart")

    save(tmp_path / "images/a.png", np.maximum(spot(14, 14), spot(32, 30)))
    annotate_folder(tmp_path / "images", Points({"a.png": (Point(14, 14), Point(32, 30))}), tmp_path / "out")
    monkeypatch.setattr(native, "separate", refuse)
    return tmp_path


@pytest.mark.parametrize(("to", "place"), [("basicirstd", "masks/a.png"), ("masks", "a.png")])
def test_masks_need_no_parting_where_nothing_parts_them(base, to, place):
    options = {} if to == "masks" else {"images": base / "images"}
    result = convert(base / "out", base / to, to, **options)
    assert (result.images, result.rejected) == (1, {})
    np.testing.assert_array_equal(read_mask(base / to / place), read_mask(base / "out/masks/a.png"))


def test_formats_that_part_targets_still_say_that_these_cannot_be(base):
    with pytest.raises(PointsError, match="cannot be told apart"):
        convert(base / "out", base / "it.json", "coco")

"""An annotation shows itself in a notebook: a line, and its mask as a picture."""

import numpy as np
from tools.folders import spot

from pointmask import annotate
from pointmask.io.images.array import read_mask


def test_an_annotation_shows_itself_in_one_line_and_as_its_mask():
    found = annotate(spot(), [(20, 24)])
    assert repr(found) == f"Annotation(48 x 48, 1 target, {found.targets[0].area:,} px)"
    np.testing.assert_array_equal(read_mask(found._repr_png_(), "it"), found.mask)
    assert repr(annotate(spot(), [])) == "Annotation(48 x 48, 0 targets, 0 px)"

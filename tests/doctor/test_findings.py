"""Findings in words."""

import pytest

from pointmask.doctor.findings import Finding


@pytest.mark.parametrize(
    ("what", "of_one"),
    [
        ("files cannot be read", "file cannot be read"),
        ("ids of the list do not fit the images", "id of the list does not fit the images"),
        (
            "images have another size than the points' document says",
            "image has another size than the points' document says",
        ),
        ("masks differ in size from their image", "mask differs in size from its image"),
        ("16-bit images fit 8 bits", "16-bit image fits 8 bits"),
        ("targets of the masks hold several points", "target of the masks holds several points"),
        ("images changed since people marked them", "image changed since people marked it"),
        ("journals of clicks are newer than their masks", "journal of clicks is newer than its masks"),
        (
            "images are in a list for training and in one for testing, as they are or nearly so",
            "image is in a list for training and in one for testing, as it is or nearly so",
        ),
        ("assumptions were made to read the points", "assumption was made to read the points"),
        ("place without an image", "place without an image"),
    ],
)
def test_one_is_not_spoken_of_as_if_it_were_several(what, of_one):
    assert Finding(what, "", ("a",), True, "").heading == f"1 {of_one}"
    assert Finding(what, "", ("a", "b"), True, "").heading == f"2 {what}"

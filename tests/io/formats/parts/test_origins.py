"""A point in each corner pixel of a 3 x 3 image, at its centre and just inside its outer edges."""

import pytest
from tools.formats.annotations import MCLC, keypoint, npy, read_as, task


@pytest.mark.parametrize(("row", "col"), [(0, 0), (0, 2), (2, 0), (2, 2)])
@pytest.mark.parametrize("inset", [0.5, 0.01])
def test_corner_pixels_are_where_the_tool_puts_them(tmp_path, row, col, inset):
    y, x = (inset if k == 0 else 3 - inset for k in (row, col))
    near = {0: inset - 0.5, 2: 2.5 - inset}
    cvat_xml = (
        f'<annotations><image id="0" name="a.png" width="3" height="3"><points label="t" points="{x},{y}"/>'
        "</image></annotations>"
    )
    in_percent = keypoint(100 * x / 3, 100 * y / 3, original_width=3, original_height=3)
    point = {"shape_attributes": {"name": "point", "cx": x, "cy": y}, "region_attributes": {}}
    layer = f"index,axis-0,axis-1\n0.0,{near[row] - 1e-9},{near[col] - 1e-9}\n"
    record = MCLC | {"centroid_label_y": [row], "centroid_label_x": [col]}
    for name, file, content in (
        ("cvat", "a.xml", cvat_xml),
        ("labelstudio", "ls.json", [task("a.png", in_percent)]),
        ("via", "via.json", {"a.png1": {"filename": "a.png", "size": 1, "regions": [point]}}),
        ("napari", "a.csv", layer),
        ("mclc", "a.npy", npy(record)),
    ):
        (points,) = read_as(tmp_path / file, content, name).by_image.values()
        assert [(p.row, p.col) for p in points] == [(row, col)], name

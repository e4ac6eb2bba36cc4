"""Points and masks that documents list apart, as CVAT and Label Studio do, become targets."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tools.formats.annotations import masks_of, read_as, task
from tools.masks import documents, labelled_images, patch

from pointmask.io.formats import read_points, recognise
from pointmask.io.formats.labelled import Box, LabelledImage, LabelledTarget
from pointmask.io.formats.registry import FORMATS
from pointmask.io.formats.tools._pairs import Part, targets
from pointmask.io.points.points import Point


@pytest.mark.parametrize("name", ["cvat", "labelstudio"])
@settings(deadline=None, max_examples=40)
@given(images=documents(labelled_images(labels=st.none() | st.sampled_from(["ship", 'a "b" <c> & ä\n']))))
def test_written_masks_and_points_are_read(tmp_path_factory, name, images):
    path = tmp_path_factory.getbasetemp() / f"{name}.document"
    form = FORMATS.load(name)
    form.write_masks(iter(images), path)
    assert recognise(path) == name
    found, rejected = masks_of(name, path)
    assert not rejected
    assert [(one.image, one.frame, one.shape) for one in found] == [
        (i.image, i.frame, i.shape) for i in images
    ]
    for ours, theirs in zip(images, found, strict=True):
        assert [(t.point, t.patch, t.label) for t in theirs.targets] == [
            (t.point, t.patch, t.label) for t in ours.targets
        ]
        if "confidence" in form.holds:
            assert [t.confidence for t in theirs.targets] == [t.confidence for t in ours.targets]
    points = read_points(path)
    assert not points.rejected
    assert dict(points) == {image.key: image.points for image in images}


@pytest.mark.parametrize("name", ["cvat", "labelstudio"])
def test_targets_with_one_part_and_frames_survive(tmp_path, name):
    lone = (LabelledTarget(Point(0, 1, "ship"), None), LabelledTarget(None, patch(["#"], 3, 3), label="bird"))
    images = [LabelledImage("seq.tif", 2, (5, 6), lone), LabelledImage("é.png", 0, (1, 1), ())]
    FORMATS.load(name).write_masks(images, tmp_path / "out")
    assert masks_of(name, tmp_path / "out") == (images, {})
    FORMATS.load(name).write_masks([], tmp_path / "out")
    assert masks_of(name, tmp_path / "out") == ([], {})


@pytest.mark.parametrize("name", ["cvat", "labelstudio", "coco", "labelme"])
@settings(deadline=None, max_examples=40)
@given(
    corners=st.lists(
        st.tuples(*[st.integers(0, 40)] * 2, *[st.integers(1, 20)] * 2, st.booleans()), max_size=4
    )
)
def test_boxes_and_their_clicks_survive(tmp_path_factory, name, corners):
    targets = []
    for top, left, height, width, clicked in corners:
        box = Box(top, left, top + height, left + width)
        click = Point(top, left, "ship") if clicked else Point(top + height // 2, left + width // 2, "ship")
        targets.append(LabelledTarget(click, None, box=box))
    images = [LabelledImage("a.png", 0, (60, 70), tuple(targets))]
    path = tmp_path_factory.mktemp("boxes") / "out"
    FORMATS.load(name).write_masks(images, path)
    found, rejected = masks_of(name, path)
    assert (found, rejected) == (images, {})


@given(
    boxes=st.lists(st.tuples(*[st.integers(0, 9)] * 2, *[st.integers(1, 9)] * 2), max_size=70),
    points=st.lists(st.tuples(*[st.integers(0, 20)] * 2), max_size=12),
)
def test_boxes_pair_as_one_by_one(boxes, points):
    parts = [Part(None, None, "s", box=Box(r, c, r + h, c + w)) for r, c, h, w in boxes]
    parts += [Part(Point(*point, "s"), None, "s") for point in points]
    free = [part.box for part in parts if part.box]
    clicks = []
    for row, col in points:
        own = [box for box in free if box.top <= row < box.bottom and box.left <= col < box.right]
        if own:
            free.remove(own[0])
        clicks.append((row, col, own[0] if own else None))
    found = [(t.point.row, t.point.col, t.box) for t in targets(parts)]
    assert len(found) == len(free) + len(points)
    assert sorted(found, key=repr) == sorted(
        [*clicks, *(((b.top + b.bottom - 1) // 2, (b.left + b.right - 1) // 2, b) for b in free)], key=repr
    )


def test_ungrouped_points_belong_to_the_first_mask_of_their_label_that_they_lie_on():
    hollow, whole, far = patch(["###", "#.#", "###"]), patch(["###", "###", "###"]), patch(["#"], 20, 20)
    parts = [
        Part(None, hollow, "ship"),
        Part(None, whole, "bird"),
        Part(None, whole, "ship"),
        Part(Point(1, 1, "ship"), None, "ship"),
        Part(Point(0, 0, "ship"), None, "ship", 0.5),
        Part(Point(0, 0, "ship"), None, "ship"),
        Part(None, far, "ship", 0.25),
        Part(Point(20, 20, "ship"), None, "ship", group="a"),
    ]
    assert [(t.point and (t.point.row, t.point.col), t.patch, t.confidence) for t in targets(parts)] == [
        ((0, 0), hollow, 0.5),
        (None, whole, None),
        ((1, 1), whole, None),
        ((0, 0), None, None),
        (None, far, 0.25),
        ((20, 20), None, None),
    ]


def test_an_image_that_is_listed_twice_is_rejected(tmp_path):
    image = '<image name="a.png" width="3" height="3"/>'
    assert (
        "listed twice"
        in read_as(tmp_path / "a.xml", f"<annotations>{image * 2}</annotations>", "cvat").rejected["a.png"]
    )
    found = read_as(tmp_path / "a.json", [task("a.png"), task("/a.png")], "labelstudio")
    assert not found.by_image

"""Points and masks of a `Clicker`, with and without its widget."""

import re
import subprocess
import sys

import numpy as np
import pytest

import pointmask
from pointmask.advice import install
from pointmask.errors import ImageError, PointsError
from pointmask.notebook import bundle
from pointmask.notebook.clicker import Clicker


def scene():
    image = np.random.default_rng(0).normal(1000, 4, (60, 80))
    image[20:23, 30:34] += 90
    image[40:42, 60:63] += 90
    return np.rint(image).astype(np.uint16)


def test_masks_are_those_of_annotate():
    points = [(21, 31), (40, 61), (22, 34)]
    clicker = Clicker(scene(), points=points)
    truth = pointmask.annotate(scene(), points)
    assert clicker.points == tuple(points)
    assert clicker.masks.shape == (3, 60, 80)
    for mask, number in zip(clicker.masks, (1, 2, 3), strict=True):
        np.testing.assert_array_equal(mask, truth.instances == number)
    np.testing.assert_array_equal(clicker.annotation.mask, truth.mask)
    clicker.points = points[:1]
    assert clicker.masks.shape == (1, 60, 80)
    clicker.points = ()
    assert clicker.masks.shape == (0, 60, 80)


def test_wrong_input_is_named():
    for image in (np.full((4, 4), np.nan), np.zeros((2, 2, 5)), np.zeros((0, 3))):
        with pytest.raises(ImageError):
            Clicker(image)
    with pytest.raises(PointsError, match="outside"):
        Clicker(scene(), points=[(99, 0)])
    with pytest.raises(ValueError, match="height is 10"):
        Clicker(scene(), height=10)
    with pytest.raises(ValueError, match="'white' is unknown"):
        Clicker(scene(), polarity="white")
    clicker = Clicker(scene(), points=[(21, 31)])
    with pytest.raises(PointsError):
        clicker.points = [(-1, 0)]
    assert clicker.points == ((21, 31),)


def test_without_anywidget_points_work_and_showing_says_what_to_install():
    code = (
        "import sys, numpy as np\n"
        "sys.modules['anywidget'] = None\n"
        "import pointmask\n"
        "clicker = pointmask.Clicker(np.eye(9), points=[(4, 4)])\n"
        "assert clicker.masks.any()\n"
        "try: clicker.widget\n"
        "except pointmask.PointmaskError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert install("notebook") in done.stdout


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32, np.bool_])
def test_the_widget_holds_frame_samples_and_targets(dtype):
    pytest.importorskip("anywidget")
    image = (scene() > 1045).astype(dtype) if dtype in (np.uint8, np.bool_) else scene().astype(dtype)
    clicker = Clicker(image, points=[(21, 31)])
    widget = clicker.widget
    assert clicker.widget is widget
    frame = widget.frame
    assert (frame["height"], frame["width"]) == (60, 80)
    samples = np.frombuffer(widget.samples, "u1" if frame["code"]["type"] == "u8" else "<u2")
    values = samples.reshape(60, 80) * frame["code"]["scale"] + frame["code"]["offset"]
    np.testing.assert_allclose(values, image, atol=frame["code"]["scale"])
    (target,) = widget.targets
    assert target["point"] == [21, 31]
    assert target["area"] == clicker.masks.sum()


def test_what_the_page_sends_becomes_points_and_masks():
    pytest.importorskip("anywidget")
    clicker = Clicker(scene())
    clicker.widget.points = [[21, 31], [40, 61]]
    assert clicker.points == ((21, 31), (40, 61))
    assert [target["area"] for target in clicker.widget.targets] == clicker.masks.sum((1, 2)).tolist()
    clicker.points = [(40, 61)]
    assert clicker.widget.points == [[40, 61]]
    assert len(clicker.widget.targets) == 1


@pytest.mark.parametrize("wrong", [[[99, 0]], [[1.5, 0]], [["a", 0]], [[1]], [7]])
def test_wrong_points_of_the_page_are_refused_and_told(wrong):
    pytest.importorskip("anywidget")
    clicker = Clicker(scene(), points=[(21, 31)])
    clicker.widget.points = wrong
    assert clicker.points == ((21, 31),)
    assert clicker.widget.points == [[21, 31]]
    assert clicker.widget.problem
    clicker.widget.points = [[21, 31], [40, 61]]
    assert clicker.widget.problem == ""


def test_the_bundle_imports_nothing_and_exports_the_widget():
    text = bundle.script()
    code = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)  # types are imported in comments
    assert not re.search(r"\bimport\b|https?:", code)
    assert re.findall(r"^export .*", text, re.MULTILINE) == ["export default { render };"]
    for name in bundle.MODULES:
        assert f"const {name} = (() => {{" in text


def test_a_form_that_the_bundle_does_not_know_is_an_error():
    with pytest.raises(ValueError, match="does not know"):
        bundle._closed("x", 'import * as all from "./bits.js";\n')

"""`check --masks`: masks beside the targets of their images are one problem, whatever moved them."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from tools.folders import save

from pointmask.cli import main
from pointmask.judgement.statistic import Standout
from pointmask.synth.scenes import KINDS, make_scene

SIDE, COUNT = 96, 14


def run(*arguments, code):
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture(scope="module")
def scenes():
    return [
        make_scene(KINDS[k % 6], shape=(SIDE, SIDE), seed=(6, k), targets=2, contrast=9) for k in range(COUNT)
    ]


@pytest.fixture(scope="module")
def images(scenes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "images"
    for k, scene in enumerate(scenes):
        save(folder / f"scene_{k:03d}.png", scene.image)
    return folder


def masks_in(folder, masks):
    for k, mask in enumerate(masks):
        save(folder / f"scene_{k:03d}.png", np.ascontiguousarray(255 * mask).astype(np.uint8))
    return folder


def check(images, masks, tmp_path, code):
    said = run("check", images, "--masks", masks, "--json", tmp_path / "found.json", code=code)
    return said, json.loads((tmp_path / "found.json").read_text())["findings"]


CHANGES = {
    "have x and y exchanged": np.transpose,
    "are mirrored left to right": np.fliplr,
    "are upside down": np.flipud,
    "are turned by 180 degrees": lambda mask: mask[::-1, ::-1],
    "px right of": lambda mask: np.roll(mask, (8, 7), (0, 1)),
}


@pytest.mark.parametrize("what", list(CHANGES))
def test_masks_that_were_moved(images, scenes, tmp_path, what):
    masks = masks_in(tmp_path / "masks", [CHANGES[what](scene.mask) for scene in scenes])
    said, found = check(images, masks, tmp_path, 3)
    (whole,) = [finding for finding in found if finding["kind"] == "mask set"]
    assert whole["is_problem"]
    assert "set of masks: hardly a mask shows a target" in said
    assert what in whole["items"][0]
    assert "or give the images that they were drawn on" in whole["fix"]


def test_masks_of_the_next_image(images, scenes, tmp_path):
    rolled = [*scenes[1:], scenes[0]]
    _, found = check(images, masks_in(tmp_path / "masks", [s.mask for s in rolled]), tmp_path, 3)
    problems = [finding for finding in found if finding["is_problem"]]
    assert [finding["kind"] for finding in problems] == ["mask set"]
    assert "fit the image after" in problems[0]["items"][0]
    assert problems[0]["fix"].startswith("rename the masks")


def test_masks_of_other_images(images, tmp_path):
    rng = np.random.default_rng(5)
    masks = np.zeros((COUNT, SIDE, SIDE), bool)
    for mask in masks:
        for row, col in rng.integers(4, SIDE - 8, (2, 2)):
            mask[row : row + 4, col : col + 4] = True
    said, found = check(images, masks_in(tmp_path / "masks", masks), tmp_path, 3)
    assert found[0]["kind"] == "mask set"
    assert "no usual error explains it" in said


@pytest.mark.parametrize("scale", [1, 2])
def test_right_masks_raise_no_alarm(images, scenes, tmp_path, scale):
    large = [scene.mask.repeat(scale, 0).repeat(scale, 1) for scene in scenes]
    _, found = check(images, masks_in(tmp_path / "masks", large), tmp_path, 0 if scale == 1 else 3)
    assert "mask set" not in [finding["kind"] for finding in found]


def test_few_masks_are_too_few_to_tell(images, scenes, tmp_path):
    rows, cols = np.indices((SIDE, SIDE)).reshape(2, -1)
    dullest = int(np.argmin(Standout(scenes[0].image).at(rows, cols)))
    masks = np.zeros((1, SIDE, SIDE), bool)
    masks[0, rows[dullest], cols[dullest]] = True
    said, found = check(images, masks_in(tmp_path / "masks", masks), tmp_path, 0)
    (whole,) = [finding for finding in found if finding["kind"] == "mask set"]
    assert not whole["is_problem"]
    assert "too few masks to tell" in said

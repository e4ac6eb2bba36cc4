"""Two people divide a folder, mark their parts on the page, and put them together."""

import re

import numpy as np
import pytest
from click.testing import CliRunner
from tools.click.planted import mask_of, planted

from pointmask.cli import main
from pointmask.click.server.start import is_shared
from pointmask.folder.records.shards import Shard
from pointmask.io.images.array import read_mask

pytestmark = pytest.mark.browser

OVERLAP = 30
COUNT = 6


def done(user, scenes):
    """Click every target of every frame that is shown, with a key to the next; then publish."""
    seen = []
    while True:
        name = user.page.locator(".stage-box").get_attribute("data-image").rpartition("#")[0]
        seen.append(name)
        for row, col in scenes[name].points:
            user.click(row, col)
        user.press("d")
        user.page.wait_for_function(
            "name => document.querySelector('.stage-box').dataset.image !== name "
            "|| document.querySelector('.note-box')",
            arg=f"{name}#0",
        )
        if user.page.locator(".note-box").count():
            break
        user.painted()
    user.page.get_by_role("link", name="Finish").click()
    user.page.get_by_role("button", name="Publish now").click()
    user.page.get_by_text("masks, manifest and points agree").wait_for()
    return seen


def said(*words):
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.output


def test_two_shards_with_common_frames_are_marked_compared_and_merged(tmp_path, served, visit):
    """U2"""
    scenes = planted(tmp_path / "set", COUNT, shape=(64, 80), targets=1)
    common = [name for name in scenes if is_shared(name, OVERLAP)]
    assert 1 <= len(common) < COUNT
    seen, folders = {}, []
    for k, who in enumerate(("mei", "ann")):
        folders.append(tmp_path / who)
        client = served(
            tmp_path / "set", out=folders[k], annotator=who, shard=Shard(k + 1, 2), overlap=float(OVERLAP)
        )
        seen[who] = done(visit(client), scenes)
        assert seen[who] == sorted(seen[who])
    assert set(seen["mei"]) & set(seen["ann"]) == set(common)
    assert set(seen["mei"]) | set(seen["ann"]) == set(scenes)

    told = said("agree", *folders)
    assert f"{len(common)} common frames" in told
    assert f"targets: {len(common)} in both, 0 only in" in told
    told = said("merge", *folders, "--out", tmp_path / "all")
    assert f"{COUNT} frames with masks" in told
    assert all(name in told for name in common)
    for name, scene in scenes.items():
        mask = read_mask(tmp_path / "all" / "masks" / name.replace(".tif", ".png"))
        assert np.array_equal(mask, mask_of(scene.image, scene.points))


def test_the_second_on_one_folder_is_told_who_has_it(tmp_path, served, visit):
    """U2: while the first has the page open."""
    planted(tmp_path / "set", 1, shape=(64, 80))
    visit(served(tmp_path / "set", out=tmp_path / "mei", annotator="mei"))
    words = ["click", tmp_path / "set", "--out", tmp_path / "mei", "--annotator", "ann", "--no-browser"]
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 2
    assert re.search(r"It is 'mei' on \S+, process \d+, since 20\d\d-", result.output)

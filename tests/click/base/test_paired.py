"""Given points and proposals: what is assumed of them or left out is told, whatever they are given for."""

import pytest
from tools.click.serving import scenes

from pointmask.click.base.paired import paired
from pointmask.click.base.proposals import read_proposals
from pointmask.io.images.open import open_source


@pytest.mark.parametrize("read", [paired, read_proposals])
def test_what_is_assumed_or_left_out_is_told(tmp_path, read):
    images = open_source(scenes(tmp_path / "images", 2))
    table = tmp_path / "points.csv"
    table.write_text("image;x;y\nf0_mask.png;30,5;20\nf1.png;ten;20\nf1.png;30;20\nf9.png;1;1\n")
    said = []
    found = read(table, images, images.names(), said.append)
    assert list(found.frames if read is read_proposals else found.points) == [("f0.png", 0)]
    assert [line.split(": ")[-1] for line in said[-2:]] == ["f9.png", "f1.png"]
    told = "\n".join(said)
    for words in ("decimal commas", "the ending _mask", "1 of its images name no image", "have a row that"):
        assert words in told

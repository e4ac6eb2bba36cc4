"""``masks.jsonl``: the same masks as the PNGs, however the work was divided or broken off."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from tools.folders import one, scenes, tree

from pointmask.cli import main
from pointmask.errors import OutputError
from pointmask.folder.job import annotate_folder
from pointmask.folder.records.manifest import read_manifest
from pointmask.io.formats.encodings import rle
from pointmask.io.formats.tables.csv import Csv
from pointmask.io.images import array as images
from pointmask.io.points.points import Points

folder = pytest.fixture(scenes)


def _lines(out):
    return [json.loads(line) for line in (out / "masks.jsonl").read_text().splitlines()]


def _mask(line):
    mask = np.zeros(line["shape"], bool)
    for target in line["targets"]:
        row, col, pixels = rle.decode(rle.unpack(target["rle"]), tuple(line["shape"]))
        assert np.count_nonzero(pixels) == target["area"]
        assert [row, col, row + pixels.shape[0], col + pixels.shape[1]] == target["box"]
        mask[row : row + pixels.shape[0], col : col + pixels.shape[1]] |= pixels
    return mask


def test_run_lengths_hold_the_masks_of_the_images(folder, tmp_path):
    source, points = folder
    (source / "bad.png").write_bytes(b"")
    points = Points({**points.by_image, "bad.png": one(), "11.png": ()})
    summary = annotate_folder(source, points, tmp_path / "out", save=("rle",))
    lines = _lines(tmp_path / "out")
    done = [entry for entry in read_manifest(tmp_path / "out") if entry["status"] == "done"]
    assert [(line["image"], line["frame"]) for line in lines] == [(e["image"], e["frame"]) for e in done]
    for line, entry in zip(lines, done, strict=True):
        assert np.array_equal(_mask(line), images.read_mask(tmp_path / "out" / entry["mask"]))
        assert list(line) == ["image", "frame", "shape", "targets"]
        assert all(list(t) == ["point", "label", "confidence", "box", "area", "rle"] for t in line["targets"])
    assert summary.masks == tmp_path / "out/masks"


def test_without_png_there_are_lines_alone(folder, tmp_path):
    source, points = folder
    summary = annotate_folder(source, points, tmp_path / "out", png=False)
    assert sorted(tree(tmp_path / "out")) == ["manifest.jsonl", "masks.jsonl", "theta.toml"]
    assert summary.masks == tmp_path / "out/masks.jsonl"
    assert {entry["mask"] for entry in read_manifest(tmp_path / "out")} == {None}
    annotate_folder(source, points, tmp_path / "both", save=("rle",))
    assert (tmp_path / "out/masks.jsonl").read_bytes() == (tmp_path / "both/masks.jsonl").read_bytes()
    assert annotate_folder(source, points, tmp_path / "out", png=False).resumed == 12
    with pytest.raises(ValueError, match="without PNG"):
        annotate_folder(source, points, tmp_path / "out", png=False, save=("soft",))


@pytest.mark.parametrize("together", [True, False])
def test_shards_merge_their_lines(folder, tmp_path, together):
    source, points = folder
    annotate_folder(source, points, tmp_path / "whole", png=False)
    for k in (2, 3, 1):
        out = tmp_path / ("out" if together else f"part{k}")
        missing = annotate_folder(source, points, out, png=False, shard=(k, 3)).missing_shards
        for path in () if together else out.iterdir():
            (tmp_path / "out").mkdir(exist_ok=True)
            path.rename(tmp_path / "out" / path.name)
    if not together:
        missing = annotate_folder(source, points, tmp_path / "out", png=False).missing_shards
    assert missing == ()
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")


def test_a_folder_keeps_its_lines_complete(folder, tmp_path):
    source, points = folder
    half = Points({name: listed for name, listed in points if name < "06"})
    annotate_folder(source, half, tmp_path / "out", save=("rle",))
    annotate_folder(source, points, tmp_path / "out")
    annotate_folder(source, points, tmp_path / "fresh", save=("rle",))
    assert tree(tmp_path / "out") == tree(tmp_path / "fresh")


@pytest.mark.parametrize(("first", "then"), [(True, False), (False, True)])
def test_changing_between_images_and_lines_makes_what_is_missing(folder, tmp_path, first, then):
    source, points = folder
    annotate_folder(source, points, tmp_path / "out", png=first)
    summary = annotate_folder(source, points, tmp_path / "out", png=then)
    assert (summary.done, summary.resumed) == (12, 0)
    assert len(list((tmp_path / "out/masks").rglob("*.png"))) == 12
    assert len(_lines(tmp_path / "out")) == 12


def test_lines_of_others_are_kept(folder, tmp_path):
    source, points = folder
    (tmp_path / "out").mkdir()
    (tmp_path / "out/masks.jsonl").write_text('{"image": "mine"}\n')
    for overwrite in (False, True):
        with pytest.raises(OutputError, match=r"masks\.jsonl was not written by pointmask"):
            annotate_folder(source, points, tmp_path / "out", png=False, overwrite=overwrite)
        assert tree(tmp_path / "out") == {"masks.jsonl": b'{"image": "mine"}\n'}


def test_command_line(folder, tmp_path):
    source, points = folder
    Csv().write(points, tmp_path / "points.csv")
    command = ["annotate", str(source), "--points", str(tmp_path / "points.csv"), "--out"]
    result = CliRunner().invoke(main, [*command, str(tmp_path / "out"), "--no-png"])
    assert result.exit_code == 0, result.output
    assert str(tmp_path / "out/masks.jsonl") in result.output
    result = CliRunner().invoke(main, [*command, str(tmp_path / "out"), "--no-png", "--save", "soft"])
    assert result.exit_code == 2
    assert "drop one" in result.output

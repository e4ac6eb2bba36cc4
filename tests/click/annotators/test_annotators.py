"""How well annotators agree, against figures counted by hand; and what becomes of their folders together."""

import json
import statistics

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from tools.click.session import Arrays, clicking, crowd, masks_of

from pointmask.cli import main
from pointmask.click.annotators.agree import Agreement, agree
from pointmask.click.annotators.compare import Comparison, Match
from pointmask.click.annotators.merge import merge
from pointmask.errors import OutputError
from pointmask.folder.records.manifest import read_manifest
from pointmask.io.clicks import check_not_judged
from pointmask.io.formats.tables.native import Native

NAMES = ["a.png", "b.png", "c.png", "d.png"]
PIXELS = {name: crowd(seed=k) for k, name in enumerate(NAMES)}


def folder(tmp_path, name, clicks, *, pixels=None, do=lambda clicker: None):
    out = tmp_path / name
    out.mkdir()
    with clicking(out, Arrays(pixels or PIXELS), annotator=name) as clicker:
        for image, points in clicks.items():
            if not points:
                clicker.mark("empty", image=image)
            for row, col in points:
                clicker.add(row, col, image=image)
        do(clicker)
        clicker.session.publish()
    return out


@pytest.fixture
def two(tmp_path):
    """Mei and Ann: alike in a, differing in b and c; d is Mei's alone."""
    mei = {"a.png": [(70, 60), (30, 30)], "b.png": [(70, 60)], "c.png": [], "d.png": [(70, 60)]}
    ann = {"a.png": [(70, 61), (30, 30)], "b.png": [(70, 60), (10, 85)], "c.png": [(70, 60)]}
    return [
        folder(tmp_path, "mei", mei),
        folder(tmp_path, "ann", ann, do=lambda c: c.set(2, level=0.2, image="a.png")),
    ]


def test_what_is_counted(two):
    found = agree(two)
    pair = found.pairs[0, 1]
    assert [key[0] for key, _ in pair.comparisons] == ["a.png", "b.png", "c.png"]
    assert (pair.both, pair.only_first, pair.only_second, pair.empty_for_one) == (3, 0, 2, 1)
    assert pair.found().value == pytest.approx(2 * 3 / (2 * 3 + 2))
    matches = [match for _, comparison in pair.comparisons for match in comparison.matches]
    assert [match.apart for match in matches] == [1.0, 0.0, 0.0]
    assert [match.by_hand for match in matches] == [False, True, False]
    assert found.left_out == []
    worst = found.worst[0]
    assert (worst.iou, worst.what) == (0.0, f"only in {two[1]}")


def test_iou_is_that_of_the_masks(tmp_path, two):
    masks = []
    for out in two:
        entry = next(entry for entry in read_manifest(out) if entry["image"] == "a.png")
        with clicking(out, Arrays(PIXELS), read_only=True) as clicker:
            masks.append(masks_of(clicker.session.peek("a.png", 0)))
        assert len(entry["targets"]) == 2
    matches = agree(two).pairs[0, 1].comparisons[0][1].matches
    for match, a, b in zip(matches, *masks, strict=True):
        assert match.iou == pytest.approx((a & b).sum() / (a | b).sum())
        assert match.area == (a.sum() + b.sum()) / 2


def test_the_median_and_its_bootstrap_are_those_of_the_plain_lists():
    random = np.random.default_rng(4)
    found = Agreement()
    for k in range(17):
        ious = random.random(int(random.integers(0, 5))).round(2)
        found.comparisons.append(
            (
                (f"{k}", 0),
                Comparison(tuple(Match((0, 0), float(v), None, 5.0, v < 0.3) for v in ious), (), ()),
            )
        )

    def chosen(match):
        return not match.by_hand

    values = [m.iou for _, c in found.comparisons for m in c.matches if chosen(m)]
    figure = found.median(lambda m: m.iou, chosen)
    assert figure.value == pytest.approx(statistics.median(values))
    draws = np.random.default_rng(0)
    medians = []
    for _ in range(1000):
        rows = draws.integers(0, 17, 17)
        drawn = [m.iou for row in rows for m in found.comparisons[row][1].matches if chosen(m)]
        medians.append(statistics.median(drawn))
    assert (figure.low, figure.high) == pytest.approx(tuple(np.percentile(medians, (2.5, 97.5))))
    assert np.isnan(found.median(lambda m: m.apart, chosen).value)


def test_the_command_tells_masks_of_clicks_from_masks_by_hand(two):
    done = CliRunner().invoke(main, ["agree", *map(str, two)])
    assert done.exit_code == 0, done.output
    assert "3 common frames" in done.output
    assert "masks made from clicks alone: 2" in done.output
    assert "masks with a part by hand: 1" in done.output
    assert "frames that only one of them calls empty: 1" in done.output
    assert f"b.png x 85 y 10: only in {two[1]}" in done.output
    alone = CliRunner().invoke(main, ["agree", str(two[0])])
    assert alone.exit_code == 2
    assert "give two folders or more" in alone.output


def test_three_annotators_are_compared_by_pairs_and_together(tmp_path, two):
    third = folder(
        tmp_path, "eve", {"a.png": [(70, 60)], "z.png": [(30, 30)]}, pixels=PIXELS | {"z.png": crowd()}
    )
    found = agree([*two, third])
    assert sorted(found.pairs) == [(0, 1), (0, 2), (1, 2)]
    assert len(found.pooled.comparisons) == 5
    output = CliRunner().invoke(main, ["agree", *map(str, [*two, third])]).output
    assert "all pairs together: 5 common frames" in output


def test_what_cannot_be_compared_is_told(tmp_path, two):
    other = folder(tmp_path, "other", {"a.png": [(70, 60)]}, pixels={"a.png": crowd(seed=77)})
    found = agree([two[0], other])
    assert found.pairs == {}
    assert found.left_out == [f"a.png: {two[0]} and {other} mark different files of this name"]
    output = CliRunner().invoke(main, ["agree", str(two[0]), str(other)]).output
    assert "No frame is finished in two of the folders" in output
    assert "left out: a.png" in output
    with clicking(two[1], Arrays(PIXELS), annotator="ann") as clicker:
        clicker.drop(1, image="b.png")
    with pytest.raises(OutputError, match="edits that are not published"):
        agree(two)
    with pytest.raises(OutputError, match="named twice"):
        agree([two[0], two[0] / ".." / two[0].name])
    with pytest.raises(OutputError, match=r"has no manifest\.jsonl"):
        agree([two[0], tmp_path])


def test_merged_folders_hold_each_frame_once_and_the_first_named_wins(tmp_path, two):
    before = {p: p.read_bytes() for out in two for p in out.rglob("*") if p.is_file()}
    out = tmp_path / "all"
    done = CliRunner().invoke(main, ["merge", *map(str, reversed(two)), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "4 frames with masks" in done.output
    assert done.output.count("in several folders:") == 3
    assert "taken from the first one named" in done.output
    assert {p: p.read_bytes() for o in two for p in o.rglob("*") if p.is_file()} == before
    entries = {entry["image"]: entry for entry in read_manifest(out)}
    ann = {entry["image"]: entry for entry in read_manifest(two[1])}
    assert entries.keys() == set(NAMES)
    assert all(entries[name] == ann[name] for name in ann)
    for name in NAMES:
        source = two[1] if name in ann else two[0]
        assert (out / entries[name]["mask"]).read_bytes() == (source / entries[name]["mask"]).read_bytes()
        assert not (out / entries[name]["mask"]).samefile(source / entries[name]["mask"])
    assert len(list(Native().read_masks(out, {}))) == 4
    lines = [json.loads(line) for line in (out / "points.jsonl").read_text().splitlines()]
    assert [line["image"] for line in lines] == NAMES
    with pytest.raises(OutputError, match="made or judged"):
        check_not_judged(out)
    with pytest.raises(OutputError, match="holds results already"):
        merge(two, out)


def test_nothing_is_merged_into_the_folder_of_the_images(tmp_path, two):
    images = tmp_path / "images"
    images.mkdir()
    for name, pixels in PIXELS.items():
        Image.fromarray(pixels).save(images / name)
    before = sorted(images.iterdir())
    with pytest.raises(OutputError, match=r"holds the image a\.png, beside which nothing is written"):
        merge(two, images)
    assert sorted(images.iterdir()) == before
    assert merge(two, images / "all").done == 4


def test_a_finished_frame_comes_before_a_skipped_one_and_names_that_clash_are_skipped(tmp_path, two):
    odd = folder(
        tmp_path,
        "odd",
        {"d.png": [(30, 30)], "a.tif": [(30, 30)]},
        pixels=PIXELS | {"a.tif": crowd()},
        do=lambda clicker: clicker.mark("unfinished", image="d.png"),
    )
    found = merge([odd, two[0]], tmp_path / "all")
    entries = {entry["image"]: entry for entry in read_manifest(tmp_path / "all")}
    assert entries["d.png"]["status"] == "done"
    assert (found.done, found.skipped) == (3, 2)
    assert "a.png and a.tif would both write" in entries["a.png"]["reason"]
    assert not (tmp_path / "all" / "masks" / "a.png").exists()


def test_a_manifest_that_leads_out_of_its_folder_is_refused(tmp_path, two):
    folder = two[0]
    line = (folder / "manifest.jsonl").read_text()
    (tmp_path / "secret.png").write_bytes((folder / "masks/a.png").read_bytes())
    for old, new in (
        ('"masks/a.png"', '"masks/../../secret.png"'),
        ('"image": "a.png"', '"image": "../a.png"'),
    ):
        assert old in line
        (folder / "manifest.jsonl").write_text(line.replace(old, new))
        with pytest.raises(OutputError, match="was not written by pointmask"):
            merge([folder], tmp_path / "sub/all")
    assert len(list(tmp_path.rglob("secret.png"))) == 1


def test_a_mask_that_is_missing_is_told_and_nothing_looks_finished(tmp_path, two):
    (two[0] / "masks" / "d.png").unlink()
    with pytest.raises(OutputError, match=r"d\.png is missing, though the manifest names it"):
        merge(two, tmp_path / "all")
    assert not (tmp_path / "all" / "manifest.jsonl").exists()
    with clicking(two[0], Arrays(PIXELS), annotator="mei") as clicker:
        clicker.session.publish()
    assert merge(two, tmp_path / "all").done == 4
    assert np.asarray(Image.open(tmp_path / "all" / "masks" / "d.png")).any()

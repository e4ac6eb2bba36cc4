"""Reports of a random sample and beside true masks, as the command writes them."""

import re
from statistics import fmean

import numpy as np
import pytest
from click.testing import CliRunner
from tools.pages import Job, parse, tiles

from pointmask.cli import main
from pointmask.folder.report.options import ReportOptions
from pointmask.folder.report.truth import mean_with_interval
from pointmask.io.images.array import encode_png, read_mask
from pointmask.synth.scenes import make_scenes


@pytest.fixture
def job(tmp_path):
    job = Job(tmp_path)
    for k in range(8):
        job.add(f"{k}.png", [(20, 20), (40, 50)], seed=k, confidence=round(0.1 + 0.1 * k, 4))
    return job


def shown(page):
    return [(t.attributes["data-name"], t.one("span", cls="facts").text) for t in tiles(page)]


def test_a_sample_is_drawn_by_its_seed_and_shown_least_sure_first(job):
    drawn = [shown(parse(job.report(options=ReportOptions(sample=5, seed=seed)))) for seed in (0, 1, 2, 0)]
    assert drawn[0] == drawn[3]
    assert len({tuple(one) for one in drawn}) == 3
    assert all(len(set(one)) == 5 for one in drawn)
    assert all([name for name, _ in one] == sorted(name for name, _ in one) for one in drawn)
    page = parse(job.report(options=ReportOptions(sample=5)))
    assert "A random sample of 5 of 16 targets (seed 0)." in page.one("div", cls="legend").text
    assert len(list(page.all("label", cls="ask"))) == 5
    assert len(list(page.one("p", cls="judged").all("b"))) == 1


def test_every_target_is_as_likely_to_be_drawn(job):
    counted = dict.fromkeys(shown(parse(job.report(options=ReportOptions(sample=16)))), 0)
    assert len(counted) == 16
    job.report()
    from pointmask.folder.records.manifest import read_manifest
    from pointmask.folder.report.totals import Totals

    for seed in range(200):
        chosen = ReportOptions(sample=4, seed=seed).choose(Totals().count(read_manifest(job.out)))
        for target in chosen:
            row, col = target.target["point"]
            place = next(
                key for key in counted if key[0] == target.entry["image"] and f"x {col}, y {row}" in key[1]
            )
            counted[place] += 1
    assert sum(counted.values()) == 800
    assert 25 < min(counted.values()) <= max(counted.values()) < 80  # 50 each, five deviations


def test_without_a_sample_nothing_is_asked_and_nothing_promised(job):
    page = parse(job.report(limit=3))
    assert not list(page.all("label", cls="ask"))
    assert "What is true of these is not true of all" in page.one("div", cls="legend").text


def test_true_masks_are_drawn_and_each_target_is_measured(tmp_path):
    images, masks, rows = tmp_path / "images", tmp_path / "truth", ["image,x,y"]
    images.mkdir()
    masks.mkdir()
    for scene in make_scenes(4, seed=5, shape=(64, 64)):
        (images / f"{scene.name}.png").write_bytes(encode_png(np.ascontiguousarray(scene.image)))
        (masks / f"{scene.name}_mask.png").write_bytes(encode_png(scene.mask))
        rows += [f"{scene.name}.png,{col},{row}" for row, col in scene.points]
    points, out = tmp_path / "points.csv", tmp_path / "out"
    points.write_text("\n".join(rows) + "\n")
    words = ["annotate", images, "--points", points, "--out", out, "--report-truth", masks]
    done = CliRunner().invoke(main, [*map(str, words)])
    assert done.exit_code == 0, done.output
    page = parse(out / "report.html")
    ious = []
    for tile in tiles(page):
        name = tile.attributes["data-name"]
        truth = read_mask(masks / name.replace(".png", "_mask.png"))
        mask = read_mask(out / "masks" / name)
        said = float(tile.one("span", cls="iou").text.removeprefix("IoU "))
        if len(list(page.all("li", **{"data-name": name}))) == 1:
            assert said == pytest.approx((mask & truth).sum() / (mask | truth).sum(), abs=5e-4)
        assert list(tile.all("path", cls="truth"))
        ious.append(said)
    told = re.search(r"Against (\d+) true targets: mean IoU ([\d.]+), 95 % interval", page.text)
    assert int(told[1]) == len(ious) == len(rows) - 1
    assert float(told[2]) == pytest.approx(fmean(ious), abs=1e-3)
    assert "pointmask annotate" in page.one("p", cls="heading").text


def test_a_true_mask_that_is_missing_or_unreadable_is_unknown(job):
    folder = job.images.parent / "truth"
    folder.mkdir()
    (folder / "0.png").write_bytes(encode_png(np.zeros((60, 70), bool)))
    (folder / "1.png").write_bytes(b"no picture")
    page = parse(job.report(options=ReportOptions(truth=folder)))
    assert not list(page.all("span", cls="iou"))
    assert "no true target is known" in page.text


def test_means_and_their_intervals():
    assert mean_with_interval([0.5]) == "IoU 0.500"
    half = 1.96 * np.std([0.2, 0.4, 0.6, 0.8], ddof=1) / 2
    said = mean_with_interval([0.2, 0.4, 0.6, 0.8])
    assert said == f"mean IoU 0.500, 95 % interval {0.5 - half:.3f} to {0.5 + half:.3f}"

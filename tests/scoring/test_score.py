"""`pointmask score`: masks of every origin find their true masks, and every figure is what it says."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from tools.folders import save

from pointmask.cli import main
from pointmask.metrics.counters import Score, pooled_iou, score
from pointmask.scoring.intervals import difference, intervals
from pointmask.scoring.run import targets_at, targets_of

SHAPE = (40, 48)


def square(*places, shape=SHAPE):
    mask = np.zeros(shape, np.bool_)
    for row, col, side in places:
        mask[row : row + side, col : col + side] = True
    return mask


TRUTHS = {
    "a/Misc_1": square((4, 4, 4), (20, 30, 3)),
    "a/Misc_2": square((8, 8, 5)),
    "b/XDU1": square((30, 40, 2)),
    "b/XDU2": square(),
}
FOUND = {
    "a/Misc_1": square((4, 4, 4), (33, 3, 3)),  # a hit, a miss and a false alarm
    "a/Misc_2": square((9, 8, 5)),  # 20 of 30 pixels
    "b/XDU1": square((30, 40, 2)),
    "b/XDU2": square((1, 1, 2)),
}


def put(folder, masks, suffix=".png", ending=""):
    for name, mask in masks.items():
        save(folder / f"{name}{ending}{suffix}", mask)
    return folder


def run(*arguments, code=0):
    done = CliRunner().invoke(main, ["score", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return done


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    base = tmp_path_factory.mktemp("score")
    put(base / "truth", TRUTHS)
    put(base / "masks", FOUND)
    return base


def result(out):
    return json.loads((out / "score.json").read_text())


def rows(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_the_figures_are_those_of_the_counters(data, tmp_path):
    shown = run(data / "masks", "--truth", data / "truth", "--out", tmp_path)
    total = sum((score(FOUND[name], TRUTHS[name]) for name in TRUTHS), Score())
    one = result(tmp_path)["sets"]["masks"]
    assert (one["IoU"], one["nIoU"], one["Pd"], one["Fa"]) == (total.iou, total.niou, total.pd, total.fa)
    assert one["IoU"] == pooled_iou(FOUND.values(), TRUTHS.values())
    assert one["targets"] == {"found": 3, "missed": 1, "false alarm": 2}
    assert one["by_data_set"].keys() == {"SIRST-v1", "IRSTD-1k"}
    assert one["by_size"]["<=9"] == {"targets": 2, "Pd": 0.5, "IoU": 0.5}
    assert one["interval_95"]["IoU"][0] <= one["IoU"] <= one["interval_95"]["IoU"][1]
    for word in (f"{total.iou:.3f}", "By data set", "By true size", str(tmp_path / "worst.html")):
        assert word in shown.stdout
    tables = [line for line in shown.stdout.splitlines() if "pointmask " not in line]  # advice is one line
    assert max(map(len, tables)) <= max(80, len(str(tmp_path)) + 12)


def test_each_image_and_each_target_has_its_row(data, tmp_path):
    run(data / "masks", "--truth", data / "truth", "--out", tmp_path)
    images = {row["image"]: row for row in rows(tmp_path / "images.csv")}
    assert images.keys() == {f"{name}.png" for name in TRUTHS}
    assert images["a/Misc_2.png"]["iou"] == f"{20 / 30:.6f}"
    assert images["b/XDU2.png"]["false_pixels"] == "4"
    kinds = [(row["image"], row["kind"], row["top"]) for row in rows(tmp_path / "targets.csv")]
    assert ("a/Misc_1.png", "missed", "20") in kinds
    assert ("a/Misc_1.png", "false alarm", "33") in kinds
    assert len(kinds) == 6


def test_the_page_names_misses_and_false_alarms_and_draws_the_images(data, tmp_path):
    put(
        tmp_path / "images", {name: np.where(mask, 200, 40).astype(np.uint8) for name, mask in TRUTHS.items()}
    )
    run(data / "masks", "--truth", data / "truth", "--images", tmp_path / "images", "--out", tmp_path / "out")
    page = (tmp_path / "out/worst.html").read_text()
    missed, false = page.index("Missed targets"), page.index("False alarms")
    assert missed < page.index(">missed</span>") < false < page.index(">false alarm</span>")
    assert "all 1." in page[missed:false]
    assert page.count("<li") == 6
    assert page.count("image/jpeg") == 6
    assert "no images were given" not in page


def test_two_folders_are_compared_image_by_image(data, tmp_path):
    put(tmp_path / "better", TRUTHS)
    shown = run(data / "masks", tmp_path / "better", "--truth", data / "truth", "--out", tmp_path / "out")
    assert "Less masks, on the same images" in shown.stdout
    less = result(tmp_path / "out")["less_the_first"]["better"]
    assert (less["better"], less["equal"], less["worse"]) == (3, 1, 0)
    value, low, high = less["Fa"]
    assert low <= value < 0
    assert high <= 0
    assert value == pytest.approx(-13 / (4 * 40 * 48))


def test_the_same_masks_in_every_form_have_the_same_figures(data, tmp_path):
    put(tmp_path / "pred", FOUND, ending="_Pred")
    put(tmp_path / "16 bit", {name: mask.astype(np.uint16) * 60000 for name, mask in FOUND.items()}, ".tif")
    convert = ["convert", data / "masks", tmp_path / "coco.json", "--to", "coco", "--from", "masks"]
    assert CliRunner().invoke(main, list(map(str, convert))).exit_code == 0
    (tmp_path / "tree/images").mkdir(parents=True)
    put(tmp_path / "tree/masks", FOUND)
    expected = None
    for place in ("pred", "16 bit", "coco.json", "tree"):
        out = tmp_path / f"out {place}"
        run(tmp_path / place, "--truth", data / "truth", "--out", out)
        found = next(iter(result(out)["sets"].values()))
        expected = expected or found
        assert found == expected, place


def test_output_of_annotate_is_scored_with_touching_targets_too(tmp_path):
    image = np.full(SHAPE, 20, np.uint8)
    image[10:14, 10:14] = 200
    image[10:14, 15:19] = 200
    save(tmp_path / "images/a.png", image)
    (tmp_path / "p.csv").write_text("image,x,y\na.png,11,11\na.png,16,11\n")
    words = ["annotate", tmp_path / "images", "--points", tmp_path / "p.csv", "--out", tmp_path / "out"]
    assert CliRunner().invoke(main, list(map(str, words))).exit_code == 0
    save(tmp_path / "truth/a.png", image > 100)
    run(tmp_path / "out", "--truth", tmp_path / "truth", "--out", tmp_path / "s")
    assert result(tmp_path / "s")["images"] == 1


def test_clicks_choose_the_targets_and_their_components(data, tmp_path):
    (tmp_path / "p.csv").write_text("image,x,y\na/Misc_1.png,5,5\na/Misc_1.png,31,21\na/Misc_2.png,10,10\n")
    run(data / "masks", "--truth", data / "truth", "--points", tmp_path / "p.csv", "--out", tmp_path / "o")
    assert result(tmp_path / "o")["sets"]["masks"]["targets"] == {"found": 2, "missed": 1}


def test_what_is_missing_is_said_counted_as_empty_or_a_problem(data, tmp_path):
    put(tmp_path / "some", {name: FOUND[name] for name in ("a/Misc_1", "a/Misc_2")})
    truth = ("--truth", data / "truth")
    shown = run(tmp_path / "some", *truth, "--out", tmp_path / "1")
    assert "2 of 4 true masks have no mask in every folder" in shown.stderr
    assert result(tmp_path / "1")["images"] == 2
    run(tmp_path / "some", *truth, "--missing-empty", "--out", tmp_path / "2")
    assert result(tmp_path / "2")["sets"]["some"]["targets"]["missed"] == 2
    (tmp_path / "list.txt").write_text("a/Misc_1\nb/XDU1\n")
    shown = run(tmp_path / "some", *truth, "--list", tmp_path / "list.txt", "--out", tmp_path / "3", code=3)
    assert "b/XDU1.png: it is in the list, but has no mask" in shown.stderr


def test_probabilities_are_compared_with_the_threshold(data, tmp_path):
    rng = np.random.default_rng(0)
    for name, mask in FOUND.items():
        noise = rng.integers(0, 20000, SHAPE)
        save(tmp_path / f"maps/{name}.png", np.where(mask, 30000 + noise, noise).astype(np.uint16))
    truth = ("--truth", data / "truth", "--out")
    refused = run(tmp_path / "maps", *truth, tmp_path / "1", code=2)
    assert "grey levels" in refused.stderr
    assert "--threshold" in refused.stderr
    run(tmp_path / "maps", *truth, tmp_path / "2", "--threshold", "0.4")
    run(data / "masks", *truth, tmp_path / "3")
    assert result(tmp_path / "2")["sets"]["maps"] == result(tmp_path / "3")["sets"]["masks"]


def test_a_published_evaluation_sees_the_grey_truth_of_the_files(data, tmp_path):
    grey = {name: np.where(mask, 200, 0).astype(np.uint8) for name, mask in TRUTHS.items()}
    grey["a/Misc_2"] = np.where(TRUTHS["a/Misc_2"], 255, 0).astype(np.uint8)
    put(tmp_path / "grey", grey)
    run(data / "masks", "--truth", tmp_path / "grey", "--compat", "basicirstd", "--out", tmp_path / "o")
    expected = sum((score(FOUND[n], grey[n], compat="basicirstd") for n in TRUTHS), Score())
    found = result(tmp_path / "o")["sets"]["masks"]
    assert (found["IoU"], found["Pd"], found["pixAcc"]) == (expected.iou, expected.pd, expected.recall)
    assert found["Pd"] != score(FOUND["a/Misc_1"], TRUTHS["a/Misc_1"]).pd


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("{base}/masks", "--truth", "{base}/other"), "no mask of"),
        (("{base}/masks", "{base}/masks", "--truth", "{base}/truth"), "given twice"),
        (("{base}/masks", "--truth", "{base}/truth", "--by", "colour"), "choose among"),
        (("{base}/p.csv", "--truth", "{base}/truth"), "holds no masks"),
        (("{base}/masks", "--truth", "{base}/truth", "--points", "{base}/p.csv"), "no point of"),
    ],
)
def test_what_cannot_be_scored_is_said(data, tmp_path, words, said):
    put(data / "other", {"z": square((1, 1, 2))})
    (data / "p.csv").write_text("image,x,y\nq.png,5,5\n")
    done = run(*(word.format(base=data) for word in words), "--out", tmp_path / "o", code=2)
    assert said in done.stderr
    assert not (tmp_path / "o").exists() or not list((tmp_path / "o").iterdir())


def test_inverted_truth_is_refused_and_inverted_masks_are_named(data, tmp_path):
    white = put(tmp_path / "white", {name: ~mask for name, mask in TRUTHS.items()})
    masks = put(tmp_path / "turned", {name: ~mask for name, mask in FOUND.items()})
    for given in (data / "masks", masks):
        done = run(given, "--truth", white, "--out", tmp_path / "o", code=2)
        assert f"{white}: target is more than half of 4 of 4 true masks" in done.stderr
        assert "255 minus each" in done.stderr
        assert not (tmp_path / "o").exists()
    done = run(data / "masks", masks, "--truth", data / "truth", "--out", tmp_path / "p")
    assert "turned: target is more than half of 4 of 4 masks" in done.output
    assert "masks: target is more" not in done.output.replace("turned: target", "")
    some = put(tmp_path / "some", TRUTHS | {"b/XDU2": ~TRUTHS["b/XDU2"]})
    assert "more than half" not in run(data / "masks", "--truth", some, "--out", tmp_path / "q").output


def test_targets_are_found_missed_or_false_as_the_counters_say():
    for name, truth in TRUTHS.items():
        counted = score(FOUND[name], truth)
        kinds = [one.kind for one in targets_of(FOUND[name], truth)]
        assert kinds.count("found") == counted.matched
        assert kinds.count("found") + kinds.count("missed") == counted.truth_targets
        assert kinds.count("false alarm") == counted.false_targets


def test_a_click_beside_every_target_belongs_to_none():
    assert targets_at(FOUND["a/Misc_1"], TRUTHS["a/Misc_1"], [(39, 47)]) == ()
    (one,) = targets_at(FOUND["a/Misc_1"], TRUTHS["a/Misc_1"], [(5, 5)])
    assert (one.kind, one.iou) == ("found", 1.0)


def test_intervals_narrow_with_images_and_differences_of_equals_are_nothing():
    one = score(FOUND["a/Misc_1"], TRUTHS["a/Misc_1"])
    two = score(FOUND["a/Misc_2"], TRUTHS["a/Misc_2"])
    few = np.array([one.vector(), two.vector()] * 3)
    many = np.array([one.vector(), two.vector()] * 60)
    width = {len(c): np.ptp(intervals(c)["IoU"][1:]) for c in (few, many)}
    assert 0 < width[120] < width[6] / 2
    same = difference(few, few)
    assert (same.better, same.equal, same.worse) == (0, 6, 0)
    assert all(value == 0 for one in same.figures.values() for value in one)
    empty = replace(one, truth_targets=0, matched=0)
    assert np.isnan(intervals(np.array([empty.vector()]))["Pd"].low)

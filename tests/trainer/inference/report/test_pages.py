"""The pages of predictions and evaluations: what was missed and invented is named, beside the whole frame."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from tools.pages import Page, parse

pytest.importorskip("torch")

from tools.trainer.training import make_folder

from pointmask.cli import main
from pointmask.components import components
from pointmask.io.images.array import encode_png
from pointmask.io.images.open import open_source
from pointmask_trainer.data.folder import find_images
from pointmask_trainer.data.split import load_masks, load_split
from pointmask_trainer.inference.evaluate import Evaluation, EvaluationTally
from pointmask_trainer.inference.report.predictions import write_prediction_report
from pointmask_trainer.inference.report.worst import WorstPredictions

FACTS = {"model": "m<b>", "weights": "w", "data": "d", "list": "all", "masks_by": "network"}


def call(*words, code=0):
    done = CliRunner().invoke(main, [*map(str, words)])
    assert done.exit_code == code, done.output
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("pages") / "data", 8)


def titles(page):
    return [tile.one("span", cls="confidence").text for tile in page.all("li", cls="tile")]


def test_misses_and_false_alarms_are_named_and_drawn_in_their_frames(folder, tmp_path):
    images = find_images(folder)
    split = load_split("val", sorted(images), images, None)
    truths = load_masks(split, folder / "masks")
    worst = WorstPredictions(split, truths)
    targets = sum(components(truth)[1] for truth in truths)
    for index, truth in enumerate(truths):
        mask = truth if index else np.zeros_like(truth)
        if not index:
            mask[:2, :2] = ~truth[:2, :2]
        worst.see(index, mask)
    path = tmp_path / "page.html"
    path.write_text(worst.page(Evaluation(EvaluationTally(), {}), FACTS, "pointmask evaluate <x>", {}))
    page = parse(path)
    first = components(truths[0])[1]
    assert titles(page).count("missed") == first
    assert titles(page).count("false alarm") == 1
    assert titles(page).count("IoU 1.000") == targets - first
    for tile in page.all("li", cls="tile"):
        said = [caption.text for caption in tile.all("figcaption")]
        assert said == ["image", "true mask and mask", "whole frame"]
    assert "pointmask evaluate <x>" in page.text
    assert "m<b>" in page.text


def test_evaluate_writes_its_page_and_replaces_no_other(folder, tmp_path):
    out = tmp_path / "out"
    call("evaluate", "builtin", folder, "--out", out, "--report")
    page = parse(out / "report.html")
    found = json.loads((out / "metrics.json").read_text())["all"]
    assert f"{found['iou']:.3f}" in page.text
    assert ("missed" in titles(page)) == (found["pd"] < 1)
    assert len(list(page.all("img"))) == 2  # both charts
    call("evaluate", "builtin", folder, "--out", out, "--report", "--overwrite")
    other = tmp_path / "other"
    other.mkdir()
    (other / "report.html").write_text("mine")
    call("evaluate", "builtin", folder, "--out", other, "--report", "--overwrite", code=2)
    assert (other / "report.html").read_text() == "mine"


def test_predict_shows_the_least_sure_first_and_names_images_without_a_target(folder, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    for path in sorted((folder / "images").iterdir())[:4]:
        (images / path.name).write_bytes(path.read_bytes())
    (images / "empty<i>.png").write_bytes(encode_png(np.full((48, 48), 90, np.uint8)))
    out = tmp_path / "out"
    shown = call("predict", "builtin", images, "--out", out, "--report")
    assert f"Report:  {out / 'report.html'}" in shown.output
    page = parse(out / "report.html")
    lines = [json.loads(line) for line in (out / "predictions.jsonl").read_text().splitlines()]
    scores = sorted(target["score"] for line in lines for target in line["targets"])
    assert scores
    assert titles(page) == [f"score {score:.2f}" for score in scores]
    assert "empty<i>.png" in page.one("details").text
    assert "pointmask score" in page.text
    Page((out / "report.html").read_text())
    # A second time nothing is predicted, and the page is drawn again; a page of others is not replaced.
    call("predict", "builtin", images, "--out", out, "--report")
    (out / "report.html").write_text("mine")
    call("predict", "builtin", images, "--out", out, "--report", code=2)
    assert (out / "report.html").read_text() == "mine"


def test_what_is_gone_is_said_in_its_tile(folder, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    for path in sorted((folder / "images").iterdir())[:3]:
        (images / path.name).write_bytes(path.read_bytes())
    out = tmp_path / "out"
    call("predict", "builtin", images, "--out", out)
    found = [json.loads(line) for line in (out / "predictions.jsonl").read_text().splitlines()]
    gone = next(line["image"] for line in found if line["targets"])
    (out / "masks" / gone).unlink()
    page = parse(write_prediction_report(out, open_source(images), "command"))
    assert any("No picture" in tile.text for tile in page.all("li", cls="tile"))

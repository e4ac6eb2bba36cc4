"""The page and the event files of a run: what stands in them is what was measured."""

import html
import json
import re
import sys

import numpy as np
import pytest
from tools.pages import Page

torch = pytest.importorskip("torch")

from tools.trainer.training import TINY, make_folder

from pointmask.advice import install
from pointmask.metrics.counters import score
from pointmask_trainer.config import load_config
from pointmask_trainer.data.folder import find_images
from pointmask_trainer.data.labels import LabelStore
from pointmask_trainer.data.split import load_masks, load_split
from pointmask_trainer.errors import ConfigError
from pointmask_trainer.run.events import open_events, scalars
from pointmask_trainer.run.layout import RunFolder
from pointmask_trainer.training.curves import Curve, line_chart
from pointmask_trainer.training.gallery import SHOWN, Gallery, view_of
from pointmask_trainer.training.train import Source, train


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("data"), 10)


def config_of(*settings):
    return load_config(settings=[*TINY, "strategy.name=full", *settings])


def test_the_page_tells_what_the_metrics_say(folder, tmp_path):
    run = tmp_path / "<run>"
    config = config_of("epochs=3", "run.validate_every=2")
    best = train(config, Source(root=folder), run)
    text = (run / "report.html").read_text()
    words = " ".join(Page(text).text)
    assert "3 of 3" in words
    assert f"{best['val_labels']['iou']:.3f}" in words
    assert f"{best['val_truth']['iou']:.3f}" in words
    assert "<run>" in words
    assert f"<pre>{html.escape(config.to_toml())}</pre>" in text
    assert text.count('class="tile"') == 2  # the validation list
    assert text.count('class="curve dashed curve-1"') == 2  # the curve and its key
    assert "Labels: version" not in words  # labels that stay are not worth a word


def test_without_true_masks_nothing_is_dashed(folder, tmp_path):
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("images", "img_idx"):
        (bare / name).symlink_to(folder / name)
    config = load_config(settings=[*TINY, "strategy.name=masks"])
    train(config, Source(root=bare, masks=folder / "masks"), tmp_path / "run")
    text = (tmp_path / "run" / "report.html").read_text()
    assert "curve dashed" not in text
    assert "<figcaption>true mask" not in text


def gallery_of(folder, truths):
    images = find_images(folder)
    split = load_split("val", sorted(images), images, None)
    masks = load_masks(split, folder)
    return Gallery(split, LabelStore({"val": masks}), masks if truths else None), masks


def test_the_worst_come_first(tmp_path):
    folder = make_folder(tmp_path / "many", SHOWN + 4)
    gallery, masks = gallery_of(folder, truths=True)
    for index, mask in enumerate(masks):
        guess = np.zeros(mask.shape, np.float32)
        guess[:, : 3 * index] = mask[:, : 3 * index]
        gallery.see(index, torch.from_numpy(guess), score(guess > 0.5, mask))
    ious = [float(found) for found in re.findall(r"IoU (\d\.\d+)", gallery.tiles())]
    assert ious == sorted(ious)
    every = sorted(score(masks[k] & (np.arange(48) < 3 * k), masks[k]).iou for k in range(len(masks)))
    assert ious == pytest.approx(every[:SHOWN], abs=6e-4)
    gallery.clear()
    assert gallery.tiles() == ""


def test_silence_about_an_empty_image_is_no_mistake(folder):
    gallery, masks = gallery_of(folder, truths=False)
    nothing = np.zeros_like(masks[0])
    gallery.see(0, torch.zeros(48, 48), score(nothing, nothing))
    gallery.see(1, torch.zeros(48, 48), score(nothing, masks[1]))
    assert re.findall(r"IoU (\d\.\d+)", gallery.tiles()) == ["0.000", "1.000"]


def test_a_view_holds_the_largest_mistake_and_stays_in_the_image():
    truth, mask = np.zeros((100, 300), bool), np.zeros((100, 300), bool)
    truth[2:4, 290:293] = True
    mask[50, 20] = True
    rows, cols = view_of(mask, truth)
    assert (rows.start, rows.stop) == (0, 64)
    assert (cols.start, cols.stop) == (236, 300)
    rows, cols = view_of(truth, truth)
    assert cols.stop == 300
    rows, cols = view_of(np.zeros((9, 5), bool), np.zeros((9, 5), bool))
    assert (rows, cols) == (slice(0, 9), slice(0, 5))


def test_charts_show_small_and_single_values():
    chart = line_chart("Learning rate", [Curve("lr", [(1, 2e-6)])], last=1)
    assert "2e-6" in chart
    assert line_chart("IoU", [Curve("labels", [])], last=9) == ""
    flat = line_chart("Loss", [Curve("loss", [(k, 1.0) for k in range(1, 5000)])], last=5000)
    assert "nan" not in flat
    assert len(flat) < 20_000


def events_of(run):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    read = accumulator.EventAccumulator(str(RunFolder(run).events))
    read.Reload()
    return {tag: {e.step: e.value for e in read.Scalars(tag)} for tag in read.Tags()["scalars"]}


def test_events_are_the_metrics_also_after_a_resume(folder, tmp_path):
    pytest.importorskip("tensorboard")
    run, config = tmp_path / "run", config_of("epochs=3", "run.tensorboard=true", "run.validate_every=2")
    train(config, Source(root=folder), run)
    state = json.loads((run / "last" / "state.json").read_text())
    (run / "last" / "state.json").write_text(json.dumps({**state, "epoch": 1}))  # as if killed then
    train(config, Source(root=folder), run, resume=True)
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    found = events_of(run)
    expected = {}
    for line in lines:
        for name, value in scalars(line):
            expected.setdefault(name, {})[line["epoch"]] = value
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert found[name] == pytest.approx(values, rel=1e-6)


def test_tensorboard_that_is_missing_is_explained(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ConfigError, match=re.escape(install("tensorboard"))):
        open_events(tmp_path, 0, use=True)
    open_events(tmp_path, 0, use=False).epoch({"epoch": 1})
    assert list(tmp_path.iterdir()) == []

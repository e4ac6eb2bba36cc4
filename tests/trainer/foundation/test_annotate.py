"""The segmenters as annotators: places, crops, components, and runs of tiny networks."""

from functools import partial

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import save_file
from tools.trainer.foundation import published_state, read_foundation

from pointmask.bench.baselines.base import Baseline
from pointmask.bench.baselines.registry import BASELINES, WEIGHTS, make_baseline
from pointmask.bench.cases import scene_sources
from pointmask.bench.run import run_bench
from pointmask.errors import ImageError
from pointmask_trainer.foundation import annotate
from pointmask_trainer.foundation.hiera import HieraShape
from pointmask_trainer.foundation.loading import load_segmenter
from pointmask_trainer.foundation.mask_decoder import Decoded
from pointmask_trainer.foundation.prompts import CROP, View, crop_of, prompt_of

TINY = HieraShape(16, 1, (1, 1, 2, 1), (3,), windows=(8, 4, 6, 3), out=32)
BOX = (slice(2, 7), slice(3, 9))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    for name in ("sam", "sam2"):
        save_file(published_state(read_foundation(name)["keys"]), folder / f"{name}.safetensors")
    return {name: folder / f"{name}.safetensors" for name in ("sam", "sam2")}


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setattr(
        annotate, "load_segmenter", partial(load_segmenter, hieras=(TINY,), heads=4, side=128)
    )


def planted(method, monkeypatch, draw):
    """Let the network draw four masks, draw(rows, cols), as logits of +4 and -4 in its 32 x 32 grid."""
    rows, cols = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")

    def decode(encoded, prompt):
        masks = torch.stack([mask.expand(32, 32) for mask in draw(rows, cols)])
        return Decoded(torch.where(masks, 4.0, -4.0)[None], torch.tensor([[0.9, 0.1, 0.5, 0.2]]), None)

    monkeypatch.setattr(method._network, "decode", decode)
    return method


@pytest.mark.parametrize("name", WEIGHTS)
def test_every_segmenter_runs_and_repeats_itself(files, tiny, name):
    method = make_baseline(name, files)
    image = np.random.default_rng(0).integers(0, 255, (40, 52)).astype(np.uint8)
    results = [method.annotate(image, [(0, 0), (20, 30), (39, 51)]) for _ in range(2)]
    assert results[0].mask.shape == (40, 52)
    assert [target.point for target in results[0].targets] == [(0, 0), (20, 30), (39, 51)]
    assert np.array_equal(results[0].mask, results[1].mask)
    assert method.annotate(image, []).mask.sum() == 0
    assert issubclass(BASELINES.load(name), Baseline)
    prompt = name.partition("_")[2] or "crop"
    assert f"prompt {prompt}" in method.detail
    assert "SHA-256" in method.detail


def test_the_bench_measures_them(files, tiny):
    run = run_bench(scene_sources(1), ["ours", "sam", "sam2_box"], weights=files, size_prior="truth")
    assert run.images == 1, run.skipped
    assert all(tally.ms for tally in run.tallies.values())
    assert set(run.details) == {"sam", "sam2_box"}


@pytest.mark.parametrize("inner", [(128, 128), (90, 128)])
def test_places_of_corners_are_the_centres_of_their_pixels(inner):
    view = View(None, (5, 7), inner)
    for row in (0, 4):
        for col in (0, 6):
            x, y = view.place(row, col)
            assert ((y + 0.5) * 5 / inner[0] - 0.5, (x + 0.5) * 7 / inner[1] - 0.5) == pytest.approx(
                (row, col)
            )
    assert view.place(2, 3, released=True) == pytest.approx((3 * inner[1] / 7, 2 * inner[0] / 5))


def test_prompts_show_what_they_say():
    view = View(None, (64, 64), (128, 128))
    assert prompt_of(view, (5, 6), "point", BOX).box is None
    box = prompt_of(view, (5, 6), "box", BOX)
    assert box.box == (3 * 2 - 0.5, 2 * 2 - 0.5, 9 * 2 - 0.5, 7 * 2 - 0.5)
    assert box.points == [(12.5, 10.5)]
    inside = prompt_of(view, (32, 32), "negatives", BOX)
    assert inside.kinds == [1] + [0] * 8
    radii = [np.hypot(x - inside.points[0][0], y - inside.points[0][1]) for x, y in inside.points[1:]]
    assert radii == pytest.approx([32] * 8)
    corner = prompt_of(view, (0, 0), "negatives", BOX)
    assert corner.kinds == [1] + [0] * 3  # the others lie outside


@pytest.mark.parametrize("click", [(0, 0), (3, 99), (50, 40), (79, 0)])
def test_a_crop_is_the_frame_mirrored_at_its_borders(click):
    frame = np.random.default_rng(1).random((80, 100)).astype(np.float32)
    crop, (top, left) = crop_of(frame, click)
    assert crop.shape == (CROP, CROP)
    assert crop[CROP // 2, CROP // 2] == frame[click]
    for row in range(CROP):
        for col in range(CROP):
            y, x = top + row, left + col
            y = -y - 1 if y < 0 else min(y, 2 * 80 - y - 1)
            x = -x - 1 if x < 0 else min(x, 2 * 100 - x - 1)
            assert crop[row, col] == frame[y, x]


def test_the_component_at_the_click_is_kept(files, tiny, monkeypatch):
    def draw(rows, cols):  # two bars of the frame's left and right third; the second candidate wins
        bars = (cols < 8) | (cols >= 24)
        return [cols < 0, cols < 0, bars, bars]

    image = np.zeros((64, 64), np.uint8)
    left = np.zeros((64, 64), bool)
    left[:, :16] = True
    method = planted(make_baseline("sam2_point", files), monkeypatch, draw)
    near = method.annotate(image, [(30, 4)])
    assert np.array_equal(near.mask, left)
    assert near.soft[30, 4] == pytest.approx(1 / (1 + np.exp(-4)), abs=1e-4)
    assert near.soft[30, 60] == 0
    both = method.annotate(image, [(30, 4), (30, 60)])
    assert np.array_equal(both.mask, left | left[:, ::-1])
    assert np.array_equal(method.annotate(image, [(30, 17)]).mask, left)  # two pixels beside it
    assert not method.annotate(image, [(30, 30)]).mask.any()
    assert method.annotate(image, [(30, 30)]).targets[0].flags == ("empty",)


@pytest.mark.parametrize(("choice", "width"), [("best", 32), ("smallest", 16), ("single", 64)])
def test_the_mask_is_chosen_as_asked(files, tiny, monkeypatch, choice, width):
    def draw(rows, cols):
        return [cols >= 0, cols >= 31, cols < 16, cols < 8]

    method = planted(annotate.SAMPoint(files["sam"], choice=choice), monkeypatch, draw)
    mask = method.annotate(np.zeros((64, 64), np.uint8), [(30, 4)]).mask
    assert mask.sum() == pytest.approx(64 * width, rel=0.05)


def test_a_crop_s_mask_comes_back_to_its_place(files, tiny, monkeypatch):
    def draw(rows, cols):  # 4 x 4 pixels below and right of the click
        return [(rows >= 16) & (rows < 18) & (cols >= 16) & (cols < 18)] * 4

    for name in ("sam", "sam2"):
        method = planted(make_baseline(name, files), monkeypatch, draw)
        mask = method.annotate(np.zeros((90, 70), np.uint8), [(3, 66)]).mask
        wanted = np.zeros((90, 70), bool)
        wanted[3:7, 66:70] = True
        assert (mask ^ wanted).sum() <= 6  # the corners of a bilinear square


def test_grey_values_are_stretched_where_they_have_more_than_8_bits():
    eight = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.array_equal(annotate.grey8(eight), eight.astype(np.float32))
    counts = np.linspace(1000, 9000, 4096).reshape(64, 64).astype(np.uint16)
    grey = annotate.grey8(counts)
    assert grey.min() == 0
    assert grey.max() == 255
    assert np.abs(grey - 255 * np.linspace(0, 1, 4096).reshape(64, 64)).max() < 1
    assert not annotate.grey8(np.full((3, 3), 7, np.uint16)).any()
    with pytest.raises(ImageError, match="NaN"):
        annotate.grey8(np.full((3, 3), np.nan))
    with pytest.raises(ImageError, match=r"shape \(3, 3, 3\)"):
        annotate.grey8(np.zeros((3, 3, 3)))

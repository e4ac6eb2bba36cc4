"""Targets cut out of one image and pasted into crops of others."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pointmask_trainer.config import load_config
from pointmask_trainer.data.labels import LabelStore
from pointmask_trainer.data.normalisation import normalisation_of
from pointmask_trainer.data.pasting import Pasting, cut_out
from pointmask_trainer.data.pool import Pool
from pointmask_trainer.data.split import Split
from pointmask_trainer.detectors.registry import build_network
from pointmask_trainer.distributed import ProcessGroup
from pointmask_trainer.strategies.registry import make_strategy
from pointmask_trainer.training.batches import Batches

BUMP = np.exp(-(((np.mgrid[-3:4, -3:4] / 1.5) ** 2).sum(axis=0)))


def image_of(places, shape=(60, 64), level=100.0, height=80.0):
    image, mask = np.full(shape, level), np.zeros(shape, bool)
    for row, col in places:
        image[row - 3 : row + 4, col - 3 : col + 4] += height * BUMP
        mask[row - 1 : row + 2, col - 1 : col + 2] = True
    return image.astype(np.float32), mask


def pasting(share=1.0, places=((30, 30),), **options):
    image, mask = image_of(places, **options)
    store = LabelStore({"train": [mask]})
    points = [np.array(places, np.float64).reshape(-1, 2)]
    return Pasting(share, Pool([image]), [20.0], store, points)


def blank(count=4, side=64):
    noise = torch.from_numpy(np.random.default_rng(0).normal(0, 0.1, (count, 1, side, side)))
    return noise.float(), torch.zeros(count, 1, side, side)


def test_what_is_cut_out_is_the_target_without_its_background():
    image, mask = image_of([(30, 32)])
    patch = cut_out(image, mask.astype(np.float32), np.array([30.4, 31.8]))
    whole = np.zeros((19, 19))
    whole[6:13, 6:13] = 80 * BUMP  # the label is 3 px wide, with 8 px around
    np.testing.assert_allclose(patch.contrast[5:14, 5:14], whole[5:14, 5:14], atol=6)
    assert np.abs(patch.contrast[[0, -1]]).max() == np.abs(patch.contrast[:, [0, -1]]).max() == 0
    np.testing.assert_array_equal(patch.label, mask[21:40, 23:42])


@pytest.mark.parametrize(
    ("places", "point"),
    [
        ([], (30, 30)),
        ([(30, 30)], (40, 40)),  # nothing there
        ([(5, 30)], (5, 30)),  # too near to the side
        ([(30, 30), (30, 38)], (30, 30)),  # another target beside it
    ],
)
def test_nothing_is_cut_out_where_no_whole_target_stands_alone(places, point):
    image, mask = image_of(places)
    assert cut_out(image, mask.astype(np.float32), np.array(point, np.float64)) is None


def test_targets_of_one_pixel_and_huge_ones_stay_where_they_are():
    image, _ = image_of([])
    for part in ((slice(30, 31), slice(30, 31)), (slice(20, 40), slice(20, 40))):
        label = np.zeros_like(image)
        label[part] = 1
        assert cut_out(image, label, np.array([30.0, 30.0])) is None


def test_images_labels_and_places_agree():
    images, labels = blank()
    before = images.clone()
    places = pasting().into(images, labels, (1, 2))
    assert sum(map(len, places)) > 4
    for added, label, own in zip(images - before, labels, places, strict=True):
        assert int(label.sum()) == 9 * len(own)
        for row, col in own:
            r, c = int(row), int(col)
            assert label[0, r - 1 : r + 2, c - 1 : c + 2].all()
            around = added[0, max(r - 9, 0) : r + 10, max(c - 9, 0) : c + 10]
            assert float(added[0, r, c]) == pytest.approx(float(around.max()))
            assert 0.5 * 4 - 1e-4 <= float(added[0, r, c]) <= 1.2 * 4 + 1e-4  # 80 levels of a deviation of 20
        assert (added[0][label[0] == 0].abs() <= added[0].abs().max() * 0.5).all()


def test_a_target_is_raised_until_it_can_be_seen_or_left_out():
    images, labels = blank()
    strong = pasting().into(images * 10, labels, (3,))  # deviation 1: mean contrast 2 at least
    assert sum(map(len, strong)) > 0
    noisy, labels = blank()
    noisy *= 10
    before = noisy.clone()
    pasting(height=30.0).into(noisy, labels, (3,))
    raised = (noisy - before)[labels > 0]
    assert float(raised.mean()) > 1.8  # the contrast itself would be 1.1 at most
    hopeless, labels = blank()
    hopeless *= 100
    assert sum(map(len, pasting().into(hopeless, labels, (3,)))) == 0
    assert not labels.any()


def test_no_target_is_pasted_over_another():
    images, labels = blank(2, 40)
    labels[:, :, 12:28, 12:28] = 1
    before = labels.clone()
    places = pasting().into(images, labels, (5,))
    assert sum(map(len, places)) == 0
    assert torch.equal(labels, before)


def test_shares_of_processes_paste_what_the_whole_batch_would():
    images, labels = blank()
    together = images.clone(), labels.clone()
    places = pasting().into(*together, (7, 8))
    first = pasting().into(images[:1], labels[:1], (7, 8))
    rest = pasting().into(images[1:], labels[1:], (7, 8), 1)
    for one, other in zip(places, (*first, *rest), strict=True):
        np.testing.assert_array_equal(one, other)
    assert torch.equal(images, together[0])
    assert torch.equal(labels, together[1])


def test_the_share_is_that_of_the_crops():
    images, labels = blank(200, 40)
    counts = [len(own) for own in pasting(0.3).into(images, labels, (9,))]
    assert 40 <= np.count_nonzero(counts) <= 80
    assert max(counts) <= 3
    images, labels = blank()
    assert sum(map(len, pasting(places=()).into(images, labels, (9,)))) == 0


def test_crops_smaller_than_a_patch_stay():
    images, labels = blank(4, 16)
    assert sum(map(len, pasting().into(images, labels, (9,)))) == 0


@pytest.mark.parametrize("strategy", ["full", "masks", "spire"])
def test_the_preset_pastes_where_labels_stand(strategy):
    assert load_config(preset="cpu", settings=["strategy.name=" + strategy]).augment.paste == 0.5


@pytest.mark.parametrize("strategy", ["point", "d2d", "joint", "lesps", "pal", "gsacp", "priors"])
def test_the_preset_pastes_nowhere_else(strategy):
    assert load_config(preset="cpu", settings=["strategy.name=" + strategy]).augment.paste == 0


def batches_of(paste):
    """Return what cuts batches from four frames with a target each, and their splits."""
    places = [(20 + 4 * k, 30) for k in range(4)]
    images, masks = zip(*(image_of([place]) for place in places), strict=True)
    ids, points = tuple("abcd"), tuple(np.array([place]) for place in places)
    splits = {
        name: Split(name, ids, tuple(map(Path, ids)), Pool(images), points) for name in ("train", "val")
    }
    config = load_config(settings=[f"augment.paste={paste}", "augment.crop=64"])
    labels = LabelStore(dict.fromkeys(splits, masks))
    units = normalisation_of(splits["train"].images)
    model = build_network("contrast_points")
    return Batches(config, splits, labels, units, model, ProcessGroup()), model, splits


def test_batches_of_the_train_list_alone_get_more_targets():
    every, key = torch.arange(4), (0, 0)
    plain = batches_of(0.0)[0].batch("train", every, key)
    cutter = batches_of(1.0)[0]
    batch = cutter.batch("train", every, key)
    assert plain.pasted == ()
    assert sum(map(len, batch.pasted)) > 0
    for one, other, own in zip(plain.labels, batch.labels, batch.pasted, strict=True):
        assert int((other > one).sum()) == 9 * len(own)
        for row, col in own.round().astype(int):
            assert other[0, row, col] == 1
    assert cutter.batch("val", every, key).pasted == ()
    assert cutter.batch("train", every, key, plain=True).pasted == ()


def test_points_are_learned_where_targets_were_pasted():
    cutter, model, splits = batches_of(1.0)
    batch = cutter.batch("train", torch.arange(4), (0, 0))
    strategy = make_strategy("spire", {})
    strategy.start(SimpleNamespace(model=model, splits=splits))
    found = strategy._points_in(batch)
    assert sum(map(len, batch.pasted)) > 0
    for own, pasted in zip(found, batch.pasted, strict=True):
        assert len(own) > len(pasted)
        np.testing.assert_array_equal(own[len(own) - len(pasted) :].numpy(), pasted)

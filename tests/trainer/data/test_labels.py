"""The label store: what comes out is what went in, whole or not at all."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pointmask_trainer.config import AugmentConfig
from pointmask_trainer.data.augment import draw_augmentation
from pointmask_trainer.data.labels import LabelStore
from pointmask_trainer.data.pool import Pool
from pointmask_trainer.errors import CheckpointError

SHAPES = [(12, 20), (9, 9), (30, 7)]


def hard_labels(seed=0):
    rng = np.random.default_rng(seed)
    return {name: [rng.random(shape) > 0.8 for shape in SHAPES] for name in ("train", "val")}


def soft_labels(seed=0):
    rng = np.random.default_rng(seed)
    return {name: [rng.random(shape, np.float32) for shape in SHAPES] for name in ("train", "val")}


@pytest.mark.parametrize("make", [hard_labels, soft_labels])
def test_labels_come_back(make):
    labels = make()
    store = LabelStore(labels)
    for name, listed in labels.items():
        for index, label in enumerate(listed):
            np.testing.assert_allclose(store.label(name, index), label, atol=1 / 65535)


def test_hard_labels_stay_hard_in_turned_crops():
    store = LabelStore(hard_labels())
    config = AugmentConfig(crop=16, rotate=40, share=1.0)
    augmentation = draw_augmentation(config, SHAPES, [np.empty((0, 2))] * 3, (0, 0))
    crops = store.crops("train", torch.arange(3), augmentation.views)
    assert set(crops.unique().tolist()) == {0.0, 1.0}


def test_a_reflected_target_has_its_label():
    """A spot that a crop shows again beyond the border is labelled there too."""
    spot = np.zeros((9, 9), np.uint8)
    spot[1, 2] = 255
    store = LabelStore({"train": [spot > 0], "val": [spot > 0]})
    augmentation = draw_augmentation(AugmentConfig(crop=24), [(9, 9)], [np.empty((0, 2))], (0, 0))
    index = torch.zeros(1, dtype=torch.int64)
    seen = Pool([spot]).crops(index, augmentation.views) / 255
    assert int(seen.sum()) > 1
    torch.testing.assert_close(store.crops("train", index, augmentation.views), seen)


@pytest.mark.parametrize("make", [hard_labels, soft_labels])
def test_versions_are_saved_and_read(tmp_path, make):
    store = LabelStore(make())
    before = store.digest()
    store.update({"train": {1: make(seed=5)["train"][1]}})
    assert store.version == 1
    assert store.digest() != before
    store.save(tmp_path / "0001.npz")
    assert [p.name for p in tmp_path.iterdir()] == ["0001.npz"]
    other = LabelStore(make())
    other.load(tmp_path / "0001.npz")
    assert (other.version, other.digest()) == (1, store.digest())


def test_damaged_and_foreign_files_change_nothing(tmp_path):
    store = LabelStore(hard_labels())
    before = store.digest()
    store.save(tmp_path / "good.npz")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "good.npz").read_bytes()[:200])
    few = {name: listed[:1] for name, listed in hard_labels().items()}
    LabelStore(few).save(tmp_path / "few.npz")
    for name in ("none.npz", "cut.npz", "few.npz"):
        with pytest.raises(CheckpointError, match=name):
            store.load(tmp_path / name)
        assert store.digest() == before


def test_wrong_labels_are_refused():
    store = LabelStore(hard_labels())
    with pytest.raises(ValueError, match="shape"):
        store.update({"val": {0: np.ones((2, 2), bool)}})
    with pytest.raises(ValueError, match="hard"):
        store.update({"val": {0: np.ones(SHAPES[0], np.float32)}})
    assert store.version == 0

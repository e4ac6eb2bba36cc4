"""Sample weights: bounds, features, difficulty, and that wrong labels lose weight."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings
from hypothesis import strategies as st
from tools.trainer.d2d import TwoLayers, blobs, make_loop

from pointmask_trainer.strategies.weights.difficulty import (
    background_complexity,
    measure_image,
    prior_difficulty,
    target_difficulty,
)
from pointmask_trainer.strategies.weights.features import FEATURES, RunningScale, measure
from pointmask_trainer.strategies.weights.meta import HIGHEST, LOWEST, MetaClassifier, balanced, surrogate


@given(st.lists(st.floats(1e-9, 1.0), min_size=1, max_size=64))
@settings(max_examples=200, deadline=None)
def test_weights_have_mean_one_and_keep_their_bounds_and_order(shares):
    weights = balanced(torch.tensor(shares, dtype=torch.float64))
    assert float(weights.mean()) == pytest.approx(1, abs=1e-6)
    assert LOWEST - 1e-9 <= float(weights.min()) <= float(weights.max()) <= HIGHEST + 1e-9
    ranked = weights[torch.tensor(shares).argsort()]
    assert bool((ranked.diff() >= -1e-9).all())


def test_one_sample_among_many_takes_no_more_than_the_highest():
    weights = balanced(torch.tensor([1.0] + [1e-6] * 31))
    assert float(weights[0]) == pytest.approx(HIGHEST)
    assert float(weights.mean()) == pytest.approx(1)


def test_at_first_all_weigh_one():
    weights = MetaClassifier(len(FEATURES))(torch.randn(7, len(FEATURES)))
    torch.testing.assert_close(weights, torch.ones(7))


def test_the_classifier_learns_to_weigh_up_what_helps():
    torch.manual_seed(0)
    meta = MetaClassifier(3)
    optimiser = torch.optim.Adam(meta.parameters(), 1e-2)
    features = torch.randn(64, 3)
    helps = features[:, 1] > 0
    for _ in range(60):
        optimiser.zero_grad()
        surrogate(meta(features), helps.float()).backward()
        optimiser.step()
    weights = meta(features)
    assert float(weights[helps].mean().detach()) > 3 * float(weights[~helps].mean().detach())


def test_equal_benefits_change_nothing():
    weights = torch.rand(5).requires_grad_()
    surrogate(weights, torch.full((5,), 0.3)).backward()
    assert weights.grad.abs().max() == 0


def test_features_by_hand():
    logits = torch.tensor([[[[10.0, -10.0], [0.0, -10.0]]]])
    labels = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])
    row = dict(
        zip(FEATURES, measure(logits, labels, torch.tensor([0.4]), torch.tensor([-1.0]))[0], strict=True)
    )
    assert float(row["probability"]) == pytest.approx(0.375, abs=1e-4)
    assert float(row["logit"]) == pytest.approx(7.5)
    assert float(row["entropy"]) == pytest.approx(np.log(2) / 4, abs=1e-3)
    assert float(row["residual"]) == pytest.approx(0.125, abs=1e-4)
    assert float(row["residual_squared"]) == pytest.approx(0.0625, abs=1e-4)
    assert float(row["residual_top"]) == pytest.approx(0.5, abs=1e-4)
    assert float(row["residual_edge"]) == pytest.approx(0.125, abs=1e-4)  # all four px touch the outline
    assert float(row["dice"]) == pytest.approx(1)
    assert float(row["foreground"]) == pytest.approx(0.25)
    assert [float(row["loss"]), float(row["difficulty"])] == pytest.approx([0.4, -1])


def test_features_of_empty_labels_are_finite():
    assert bool(
        measure(torch.zeros(2, 1, 4, 4), torch.zeros(2, 1, 4, 4), torch.zeros(2), torch.zeros(2))
        .isfinite()
        .all()
    )


def test_the_running_scale_does_not_depend_on_the_batchs_company():
    torch.manual_seed(0)
    scale = RunningScale(2)
    for _ in range(300):
        scale.update(torch.randn(16, 2) * torch.tensor([3.0, 0.0]) + torch.tensor([5.0, 2.0]))
    alone, beside = scale(torch.tensor([[8.0, 2.0]])), scale(torch.tensor([[8.0, 2.0], [-90.0, 2.0]]))
    assert torch.equal(alone[0], beside[0])
    assert alone[0].tolist() == pytest.approx([1, 0], abs=0.15)
    assert beside[1].tolist() == pytest.approx([-5, 0], abs=0.1)


def test_difficulty_knows_neither_gain_nor_offset():
    images, _, points = blobs(3)
    for image, place in zip(images, points, strict=True):
        expected = measure_image(image, place)
        assert measure_image(image.astype(np.uint16) * 257 + 40, place) == pytest.approx(expected, rel=1e-6)


def test_clutter_and_faintness_are_difficult():
    rng = np.random.default_rng(0)
    rows, cols = np.mgrid[:64, :64]
    target = np.exp(-((rows - 30) ** 2 + (cols - 30) ** 2) / 4)
    place = np.array([(30, 30)])
    clear = rng.normal(100, 1, (64, 64)) + 90 * target
    faint = rng.normal(100, 1, (64, 64)) + 4 * target
    faint[5, 5] = 190  # the same range of grey values
    cluttered = clear + 40 * rng.random((64, 64))
    assert target_difficulty(faint, place) > target_difficulty(clear, place)
    calm, busy = background_complexity(clear, place), background_complexity(cluttered, place)
    assert busy[0] > calm[0]
    assert busy[1] > calm[1]
    few, many = np.zeros((64, 64)), np.zeros((64, 64))
    few[4::24, 4::24] = many[4::12, 4::12] = 1
    assert 0 < background_complexity(few, place)[2] < background_complexity(many, place)[2]
    prior = prior_difficulty([measure_image(image, place) for image in (clear, faint, cluttered)])
    assert prior[0] == prior.min()
    assert prior.mean() == pytest.approx(0, abs=1e-12)


def test_difficulty_of_degenerate_images_is_finite():
    none = np.empty((0, 2), np.int64)
    measured = [
        measure_image(np.full((5, 5), 7, np.uint8), np.array([(2, 2)])),
        measure_image(np.zeros((1, 30)), none),
        measure_image(np.eye(40), none),
    ]
    assert np.isfinite(prior_difficulty(measured)).all()


def test_wrong_labels_lose_weight():
    """A fifth of the masks lie where no target is; the validation images' are right."""
    count, planted = 40, 8
    masks = blobs(count, seed=1)[1]
    wrong = np.random.default_rng(0).permutation(count)[:planted]
    for k in wrong:
        masks[k] = np.roll(masks[k], (16, 16), (0, 1))
    loop = make_loop(
        count,
        24,
        train_masks=masks,
        model=TwoLayers(dropout=0.0),
        options=["warmup=4", "theta=frozen", "response=0", "val_every=1", "alpha_every=1", "alpha_lr=0.01"],
    )
    weights = []
    for epoch in range(24):
        loop.train_epoch()
        if epoch >= 14:
            weights.append([np.nan if v is None else v for v in loop.strategy.record()["alpha"]])
    mean = np.nanmean(weights, axis=0)
    is_wrong = np.isin(np.arange(count), wrong)
    auc = (mean[is_wrong][:, None] < mean[~is_wrong][None, :]).mean()
    assert auc >= 0.8

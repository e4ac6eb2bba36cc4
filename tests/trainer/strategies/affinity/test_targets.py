"""Targets from planted features and grey values, by hand; their losses, gradients and symmetries."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pointmask_trainer.data.pool import AffineViews, Pool
from pointmask_trainer.detectors.base import Auxiliary
from pointmask_trainer.strategies.affinity.contrast import contrast_loss, masked_soft_iou, target_loss
from pointmask_trainer.strategies.affinity.options import GSACPOptions
from pointmask_trainer.strategies.affinity.support import CropPoints, adaptive_radii, points_in_crops
from pointmask_trainer.strategies.affinity.targets import make_targets, surroundings

GATE = GSACPOptions()
SIDE = 40


def points(*places, radius=8.0):
    table = torch.tensor(places, dtype=torch.int64).reshape(-1, 3)
    return CropPoints(table[:, 0], table[:, 1], table[:, 2], torch.full((len(table),), radius))


def block(side, centre=(20, 20), shape=(SIDE, SIDE)):
    mask = torch.zeros(1, 1, *shape, dtype=torch.bool)
    half = side // 2
    mask[..., centre[0] - half : centre[0] + half + 1, centre[1] - half : centre[1] + half + 1] = True
    return mask


def features_of(mask):
    """(1, 0) on a mask, (0, 1) elsewhere."""
    return torch.cat([mask, ~mask], 1).float()


def support_of(radius, centre=(20, 20)):
    rows, cols = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    return ((rows - centre[0]) ** 2 + (cols - centre[1]) ** 2 <= radius**2)[None, None]


def test_a_block_of_features_and_light_is_the_target():
    five = block(5)
    found = make_targets(features_of(five), five.float(), points((0, 20, 20)), GATE)
    assert torch.equal(found.positive, five)
    assert not found.ignored.any()
    assert torch.equal(found.supports, support_of(8))


def test_light_without_affinity_is_background():
    five, seven = block(5), block(7)
    found = make_targets(features_of(five), seven.float(), points((0, 20, 20)), GATE)
    assert torch.equal(found.positive, five)
    assert not found.ignored.any()  # the rim's margin is -1


def test_uniform_features_leave_the_point_and_ignore_the_rest_that_is_bright():
    bright = block(11)
    uniform = torch.ones(1, 2, SIDE, SIDE) / 2**0.5
    found = make_targets(uniform, bright.float(), points((0, 20, 20)), GATE)
    plus = support_of(1)
    assert torch.equal(found.positive, plus)
    assert torch.equal(found.ignored, support_of(8) & bright & ~plus)


def test_grey_values_alone_decide_without_features():
    found = make_targets(None, block(5).float() + 0.25 * (block(9) & ~block(5)), points((0, 20, 20)), GATE)
    assert torch.equal(found.positive, block(5))
    assert torch.equal(found.ignored, (block(9) & ~block(5)) & support_of(8))


def test_a_bridge_between_two_points_belongs_half_to_each():
    bar = torch.zeros(1, 1, SIDE, SIDE, dtype=torch.bool)
    bar[..., 19:22, 12:27] = True
    found = make_targets(features_of(bar), bar.float(), points((0, 20, 16), (0, 20, 22)), GATE)
    one, other = (found.around.drawn(part, 1) for part in _by_point(found))
    shared = (one & other).nonzero()[:, 3].tolist()
    assert shared == [19] * 3  # as near to one as to the other
    assert one.nonzero()[:, 3].max() == other.nonzero()[:, 3].min() == 19
    assert torch.equal(one | other, bar)


def _by_point(found):
    for number in range(len(found.of_points)):
        part = torch.zeros_like(found.of_points)
        part[number] = found.of_points[number]
        yield part


def test_a_bright_block_that_is_not_connected_is_no_target():
    both = block(3) | block(3, (20, 25))
    found = make_targets(features_of(both), both.float(), points((0, 20, 20)), GATE)
    assert torch.equal(found.positive, block(3))
    assert torch.equal(found.ignored, block(3, (20, 25)))


@pytest.mark.parametrize(("polarity", "sign"), [("bright", 1), ("dark", -1), ("auto", 1), ("auto", -1)])
def test_dark_targets_are_found_where_they_are_sought(polarity, sign):
    options = GSACPOptions(polarity=polarity)
    found = make_targets(None, sign * block(5).float(), points((0, 20, 20)), options)
    assert torch.equal(found.positive, block(5))


def test_points_at_the_border_of_a_tiny_crop_are_no_error():
    images = torch.randn(2, 1, 16, 16)
    places = points((0, 0, 0), (0, 15, 15), (1, 3, 15), radius=24.0)
    features = torch.nn.functional.normalize(torch.randn(2, 4, 16, 16), dim=1)
    found = make_targets(features, images, places, GATE)
    assert found.positive[0, 0, 0, 0]
    assert found.positive[1, 0, 3, 15]
    assert not (found.positive & found.ignored).any()


def test_crops_without_points_are_background():
    found = make_targets(torch.ones(2, 1, 16, 16), torch.randn(2, 1, 16, 16), points(), GATE)
    assert not found.positive.any()
    assert not found.ignored.any()


@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_slow_twin(seed):
    rng = np.random.default_rng(seed)
    image = torch.from_numpy(rng.normal(size=(1, 1, 24, 30))).float()
    features = torch.nn.functional.normalize(torch.from_numpy(rng.normal(size=(1, 3, 24, 30))).float(), dim=1)
    places = points(*[(0, int(rng.integers(24)), int(rng.integers(30))) for _ in range(3)], radius=5.0)
    options = GSACPOptions(margin=0.1, contrast_in=0.3, contrast_out=-0.0)
    found = make_targets(features, image, places, options)
    positive, ignored = twin(features[0].numpy(), image[0, 0].numpy(), places, options)
    np.testing.assert_array_equal(found.positive[0, 0].numpy(), positive)
    np.testing.assert_array_equal(found.ignored[0, 0].numpy(), ignored & ~positive)


def twin(features, image, places, options):
    height, width = image.shape
    pixels = [(y, x) for y in range(height) for x in range(width)]
    clicks = list(zip(places.rows.tolist(), places.cols.tolist(), places.radius.tolist(), strict=True))
    positive, ignored = np.zeros(image.shape, bool), np.zeros(image.shape, bool)

    def square(a, b):
        return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2

    def mean(where):
        total = sum(features[:, y, x] for y, x in where)
        return total / np.linalg.norm(total)

    for row, col, radius in clicks:
        click, outer = (row, col), max(radius, 4)
        own = [p for p in pixels if all(square(p, click) <= square(p, c[:2]) for c in clicks)]
        support = [p for p in own if square(p, click) <= radius**2]
        ring = [p for p in pixels if outer**2 < square(p, click) <= 9 * outer**2]
        near = [p for p in pixels if square(p, click) <= 2]
        base = sorted(image[p] for p in ring)[(len(ring) - 1) // 2]
        height_of = max(max(image[p] for p in near) - base, 1e-3)
        margin = {p: features[:, p[0], p[1]] @ (mean(near) - mean(ring)) for p in support}
        contrast = {p: (image[p] - base) / height_of for p in support}
        may_be = {p for p in support if margin[p] >= options.margin and contrast[p] >= options.contrast_in}
        may_be |= {p for p in support if square(p, click) <= 1}
        reached = {click}
        for _ in range(int(np.ceil(radius)) + 1):
            reached |= {p for p in may_be if any(square(p, q) <= 2 for q in reached)}
        for p in support:
            if p in reached:
                positive[p] = True
            elif margin[p] > -options.margin and contrast[p] >= options.contrast_out:
                ignored[p] = True
    return positive, ignored


def test_flips_of_crop_and_points_flip_the_targets():
    torch.manual_seed(0)
    image, features = torch.randn(1, 1, SIDE, SIDE), torch.randn(1, 5, SIDE, SIDE)
    features = torch.nn.functional.normalize(features, dim=1)
    found = make_targets(features, image, points((0, 12, 9), (0, 30, 22)), GATE)
    turned = make_targets(features.flip(-1), image.flip(-1), points((0, 12, 30), (0, 30, 17)), GATE)
    assert torch.equal(turned.positive, found.positive.flip(-1))
    assert torch.equal(turned.ignored, found.ignored.flip(-1))


def targets_with_ignored():
    bright = block(11).float()
    uniform = torch.ones(1, 2, SIDE, SIDE) / 2**0.5
    return make_targets(uniform, bright, points((0, 20, 20)), GATE)


@pytest.mark.parametrize("deep", ["mean", "sum"])
def test_ignored_pixels_get_no_gradient(deep):
    targets = targets_with_ignored()
    logits = torch.zeros(1, 1, SIDE, SIDE, requires_grad=True)
    coarse = torch.zeros(1, 1, SIDE // 2, SIDE // 2, requires_grad=True)
    maps = {"logits": logits, "aux": [coarse]}
    target_loss(maps, targets, (Auxiliary("half", 2),), deep=deep).sum().backward()
    assert not logits.grad[targets.ignored].any()
    assert logits.grad[~targets.ignored].all()
    inner = torch.nn.functional.avg_pool2d(targets.ignored.float(), 2) == 1
    assert inner.any()
    assert not coarse.grad[inner].any()


def test_the_loss_by_hand():
    logits = torch.zeros(1, 1, 1, 4)
    labels = torch.tensor([[[[1.0, 0, 0, 0]]]])
    kept = torch.tensor([[[[1.0, 1, 0, 0]]]])
    assert masked_soft_iou(logits, labels, kept).item() == pytest.approx(1 - 1.5 / (1 + 1 - 0.5 + 1))
    targets = make_targets(None, block(5).float(), points((0, 20, 20)), GATE)
    maps = {"logits": torch.zeros(1, 1, SIDE, SIDE), "aux": []}
    both, q = 12.5, SIDE**2 / 2
    value = 1 - (both + 1) / (q + 25 - both + 1) + 0.1 * np.log(2)
    assert target_loss(maps, targets, (), deep="mean").item() == pytest.approx(value, rel=1e-5)


def test_the_contrast_term_by_hand():
    five = block(5)
    features = features_of(five).requires_grad_()
    targets = make_targets(features.detach(), five.float(), points((0, 20, 20)), GATE)
    probabilities = torch.zeros(1, 1, SIDE, SIDE)
    assert contrast_loss(features, probabilities, targets, 32).item() == 0  # alike within, apart outside
    stray = features.detach().clone()
    stray[0, :, 0, 0] = torch.tensor([1.0, 0.0])  # far from the point, like the target
    assert contrast_loss(stray, probabilities, targets, 32).item() == 0
    probabilities[0, 0, 0, 0] = 0.9
    # 1 of 32 pixels, (1 - 0.3)^2
    assert contrast_loss(stray, probabilities, targets, 32).item() == pytest.approx(0.49 / 32)
    assert contrast_loss(stray, probabilities, targets, 1).item() == pytest.approx(0.49)
    uniform = torch.ones(1, 2, SIDE, SIDE).mul(0.5**0.5).requires_grad_()
    loss = contrast_loss(uniform, probabilities, targets, 32)
    assert loss.item() == pytest.approx(0.49)
    loss.sum().backward()
    assert uniform.grad.any()
    assert not uniform.grad[:, :, support_of(8)[0, 0] & ~five[0, 0]].any()
    none = make_targets(None, five.float(), points(), GATE)
    assert contrast_loss(features, probabilities, none, 32).tolist() == [0.0]


@pytest.mark.parametrize(("sigma", "radius"), [(1.0, 3.0), (1.4, 4.2), (2.0, 6.0), (2.8, 8.4), (4.0, 12.0)])
@pytest.mark.parametrize(("polarity", "sign"), [("bright", 1), ("dark", -1), ("auto", -1)])
def test_a_gaussian_s_radius_is_three_of_its_scales(sigma, radius, polarity, sign):
    rows, cols = np.mgrid[:61, :61] - 30
    image = 500 + sign * 300 * np.exp(-(rows**2 + cols**2) / (2 * sigma**2))
    found = adaptive_radii(image.astype(np.float32), np.array([(30, 31)]), polarity)
    assert found.tolist() == pytest.approx([radius])
    corner = adaptive_radii(image[30:, 30:].astype(np.uint16), np.array([(0, 0)]), polarity)
    assert 3 <= corner[0] <= 16


def test_points_move_with_their_crops():
    # One crop that shows the image from (5, 7) on at half its size, one that flips columns.
    matrices = torch.tensor([[[2.0, 0, 5], [0, 2, 7]], [[1, 0, 0], [0, -1, 31]]], dtype=torch.float64)
    views = AffineViews(matrices, (32, 32), whole=False)
    own = [np.array([(25, 27), (2, 40)]), np.array([(3, 30)])]
    radii = [np.array([8.0, 8.0]), np.array([5.0])]
    shapes = [(80, 80), (32, 32)]
    found = points_in_crops(views, own, radii, shapes, torch.device("cpu"), scales_with_crop=True)
    assert found.crop.tolist() == [0, 1]
    assert (found.rows.tolist(), found.cols.tolist()) == ([10, 3], [10, 1])
    assert found.radius.tolist() == [4.0, 5.0]
    fixed = points_in_crops(views, own, radii, shapes, torch.device("cpu"), scales_with_crop=False)
    assert fixed.radius.tolist() == [8.0, 5.0]


def test_targets_beyond_a_border_are_reflections():
    """In a crop far larger than its image, targets, ignored pixels and supports are as those within."""
    rng = np.random.default_rng(0)
    image = rng.random((30, 26)).astype(np.float32)
    own = np.array([(1, 4), (14, 13), (28, 24)])
    for row, col in own:
        image[max(row - 2, 0) : row + 3, max(col - 1, 0) : col + 3] += 2 * rng.random()
    start = torch.tensor([[[1.0, 0, -40], [0, 1, -40]]], dtype=torch.float64)
    views = AffineViews(start, (110, 106), whole=True)
    index = torch.zeros(1, dtype=torch.int64)
    seen = Pool([image]).crops(index, views)
    features = torch.cat([seen, 3 - seen], 1)
    features = features / features.norm(dim=1, keepdim=True)
    radii = [np.array([4.0, 5.0, 3.0])]
    placed = points_in_crops(views, [own], radii, [image.shape], torch.device("cpu"), scales_with_crop=True)
    assert len(placed) > 9
    found = make_targets(features, seen, placed, GATE)
    for maps in (found.positive, found.ignored, found.supports):
        # Rings at the crop's edges are cut, so that targets there see another background.
        within = maps[0, 0, 40:70, 40:66].numpy().view(np.uint8)
        again = Pool([within]).crops(index, views)[0, 0] > 0
        assert bool(within.any())
        assert torch.equal(maps[0, 0, 20:90, 20:86], again[20:90, 20:86])


def test_supports_grow_after_two_epochs():
    options = GSACPOptions(ramp=0.1)
    assert [options.grown(epoch, 100) for epoch in (0, 2, 7, 12, 99)] == [0, 0, 0.5, 1, 1]
    assert GSACPOptions(ramp=0).grown(0, 10) == 1


def test_only_crops_with_a_point_need_features():
    """Targets and contrast of a batch are those of its crops that hold a point."""
    torch.manual_seed(0)
    places = points((1, 20, 20), (3, 9, 30), (3, 30, 12))
    crops, numbers = places.crops()
    assert (crops.tolist(), numbers.tolist()) == ([1, 3], [0, 1, 1])
    features = torch.nn.functional.normalize(torch.randn(2, 4, SIDE, SIDE), dim=1)
    images, probabilities = torch.randn(4, 1, SIDE, SIDE), torch.rand(4, 1, SIDE, SIDE)
    found = make_targets(features, images, places, GATE)
    losses = contrast_loss(features, probabilities, found, 8)
    assert losses[[0, 2]].tolist() == [0, 0]
    for crop, own, own_points in (
        (1, 0, points((0, 20, 20))),
        (3, 1, points((0, 9, 30), (0, 30, 12))),
    ):
        alone = make_targets(features[own, None], images[crop, None], own_points, GATE)
        assert torch.equal(found.positive[crop], alone.positive[0])
        loss = contrast_loss(features[own, None], probabilities[crop, None], alone, 8)
        torch.testing.assert_close(losses[crop], loss[0])
    assert points().crops()[0].tolist() == [0]


def test_a_window_reads_and_draws_the_same_pixels():
    around = surroundings(points((0, 1, 2), (1, 20, 5)), (SIDE, SIDE))
    maps = torch.arange(2 * SIDE * SIDE).reshape(2, 1, SIDE, SIDE)
    assert around.read(maps)[1, 24, 24, 0] == maps[1, 0, 20, 5]
    drawn = around.drawn(around.near, 2)
    assert drawn[0, 0].nonzero().tolist() == [[r, c] for r in range(3) for c in range(1, 4)]

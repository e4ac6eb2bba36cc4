"""Networks that find points, on whole frames: tiles, cells, and the annotator's masks at the points."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch.nn import functional as F  # noqa: N812

from pointmask.annotator.image import annotate
from pointmask.theta import Theta
from pointmask_trainer.data.normalisation import Normalisation
from pointmask_trainer.detectors.locators.base import Locator
from pointmask_trainer.detectors.registry import LOCATORS, build_network
from pointmask_trainer.errors import ConfigError, DetectorError
from pointmask_trainer.inference.operator_masks import OperatorMasks
from pointmask_trainer.inference.tasks.base import Reading
from pointmask_trainer.inference.tasks.choice import task_of
from pointmask_trainer.inference.tasks.points import heat_of

PLAIN = Normalisation(0.0, 1.0)


class Brightest(Locator):
    """Heat is the largest value near each cell's centre: of what lies within one pixel."""

    def __init__(self, input_scale=1):
        super().__init__(1, input_scale=input_scale)
        self.unused = torch.nn.Parameter(torch.zeros(1))

    def forward_heat(self, x):
        return {"logits": F.max_pool2d(x, 3, 4, 1), "aux": []}


@pytest.fixture(scope="module")
def operator():
    return OperatorMasks(Theta.load("default"), "bright")


def frame(shape, spots):
    image = np.zeros(shape, np.float32)
    for row, col in spots:
        image[row, col] = 1
    return image


def read(model, image, operator, **options):
    (reading,) = task_of(model, operator).read(model, torch.from_numpy(image)[None, None], PLAIN, **options)
    return reading


@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize("shape", [(64, 48), (61, 47)])
def test_a_cell_s_centre_is_its_pixel(operator, scale, shape):
    model = Brightest(scale)
    spots = [(0, 0), (20, 12), (40, 32), (shape[0] - 5, 44)]
    spots = [(row - row % 4, col) for row, col in spots]
    reading = read(model, frame(shape, spots), operator)
    assert reading.probabilities.shape == shape
    assert sorted(map(tuple, reading.peaks[:, :2].round().astype(int).tolist())) == sorted(spots)
    for row, col in spots:
        assert reading.probabilities[row, col] > 0.5


@pytest.mark.parametrize("scale", [1, 2])
def test_tiles_give_what_the_whole_gives(operator, scale):
    image = np.random.default_rng(0).random((73, 90)).astype(np.float32)
    model = Brightest(scale)
    whole = heat_of(model, torch.from_numpy(image)[None, None], PLAIN)
    tiled = heat_of(model, torch.from_numpy(image)[None, None], PLAIN, tile=32, overlap=8)
    torch.testing.assert_close(whole, tiled, equal_nan=True)
    assert whole.shape == (1, 4, -(-73 // model.cell), -(-90 // model.cell))


@pytest.mark.parametrize("name", LOCATORS.ours)
@pytest.mark.parametrize("scale", [1, 2])
def test_every_locator_is_read(operator, name, scale):
    if scale != 1 and name == "contrast_points":
        pytest.skip("its cells are pixels already")
    torch.manual_seed(0)
    model = build_network(name, **({} if scale == 1 else {"input_scale": scale})).eval()
    reading = read(model, np.random.default_rng(0).random((33, 41)).astype(np.float32), operator)
    assert reading.probabilities.shape == (33, 41)
    assert ((reading.peaks[:, :2] >= 0) & (reading.peaks[:, :2] <= (32, 40))).all()


def test_the_annotator_draws_at_the_points(operator):
    rng = np.random.default_rng(0)
    image = rng.normal(100, 1, (64, 64))
    image[19:22, 19:23] += 50
    image[39:42, 43:46] += 50
    model = Brightest()
    task = task_of(model, operator)
    bright = (image > 120).astype(np.float32) * 0.9
    reading = read(model, bright, operator)
    drawn = task.draw(image, reading)
    targets = task.targets(drawn)
    assert [target.score for target in targets] == sorted((t.score for t in targets), reverse=True)
    wanted = annotate(image, [(round(row), round(col)) for row, col, _ in reading.peaks.tolist()])
    assert np.array_equal(drawn.probabilities > 0.5, wanted.mask)
    assert [target.area for target in targets] == [target.area for target in wanted.targets]
    assert [(target.y, target.x) for target in targets] == [(20, 20.5), (40, 44)]
    assert task.targets(drawn, threshold=0.999) == []
    nothing = task.draw(image, read(model, np.zeros_like(bright), operator))
    assert not nothing.probabilities.any()
    assert task.targets(nothing) == []


def test_a_target_with_two_peaks_is_one(operator):
    rng = np.random.default_rng(0)
    image = rng.normal(100, 1, (64, 64))
    image[16:27, 18:25] += 50  # 11 px long: heat has a peak at either end
    image[16:27, 40:43] += 50
    peaks = np.array([(24, 21, 0.9), (21, 41, 0.8), (18, 21, 0.7)], np.float64)
    task = task_of(Brightest(), operator)
    drawn = task.draw(image, Reading(np.zeros(image.shape, np.float32), peaks))
    assert [target.score for target in task.targets(drawn)] == [0.9, 0.8]
    alone = annotate(image, [(24, 21), (21, 41)])
    assert np.array_equal(drawn.probabilities > 0, alone.mask)
    assert alone.mask[18, 21], "the second peak must lie on the first one's mask"


def test_masks_by_the_network_are_refused():
    with pytest.raises(ConfigError, match="leave out --masks-by network"):
        task_of(Brightest(), None)


def test_scales_and_options_are_checked():
    with pytest.raises(DetectorError, match="input_scale = 3 must be 1, 2 or 4"):
        build_network("hrpe", input_scale=3)
    with pytest.raises(DetectorError, match="locator 'hrpe' has no option 'sigma'"):
        build_network("hrpe", sigma=3)
    with pytest.raises(DetectorError, match="no detector is called 'hrpf'"):
        build_network("hrpf")

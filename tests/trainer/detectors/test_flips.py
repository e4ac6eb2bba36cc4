"""The mean over mirror images: of all that a network tells, and the same for an image and its mirror."""

import pytest

torch = pytest.importorskip("torch")

from pointmask_trainer.data.normalisation import Normalisation
from pointmask_trainer.detectors.flips import average_flips
from pointmask_trainer.detectors.locators.base import Locator
from pointmask_trainer.detectors.registry import build
from pointmask_trainer.errors import DetectorError
from pointmask_trainer.inference.tasks.points import heat_of
from pointmask_trainer.inference.tiles import predict

NORMALISATION = Normalisation(128.0, 60.0)


class Toy(Locator):
    """Tells of each pixel its value, where its neighbours are brighter, and the mean of all but one row."""

    pitch = 1

    def forward_heat(self, x):
        down = torch.roll(x, -1, 2) - torch.roll(x, 1, 2)
        right = torch.roll(x, -1, 3) - torch.roll(x, 1, 3)
        ramp = torch.arange(x.shape[3]) / 10  # which a mirror image has not
        return {
            "logits": x + ramp,
            "aux": [],
            "offset": torch.cat([down, right], 1),
            "threshold": x[:, 0, 1:].mean((1, 2)),
        }


class Coarse(Toy):
    pitch = 4


@pytest.mark.parametrize("axes", [(2,), (3,), (2, 3)])
@pytest.mark.parametrize("name", ["acm_unet", "contrast_unet"])
def test_masks_of_a_mirror_image_are_mirrored(name, axes):
    torch.manual_seed(0)
    model, images = build(name), 255 * torch.rand(2, 1, 32, 48)
    flat = [axis - 1 for axis in axes]
    alone = predict(model, images, NORMALISATION)
    assert not torch.allclose(predict(model, images.flip(axes), NORMALISATION), alone.flip(flat), atol=1e-3)
    undo = average_flips(model)
    found = predict(model, images, NORMALISATION)
    torch.testing.assert_close(predict(model, images.flip(axes), NORMALISATION), found.flip(flat))
    undo()
    torch.testing.assert_close(predict(model, images, NORMALISATION), alone, rtol=0, atol=0)


def test_offsets_and_thresholds_are_averaged_where_they_lie():
    model, images = Toy(), torch.rand(2, 1, 6, 5)
    normalisation = Normalisation(0.0, 1.0)
    alone = heat_of(model, images, normalisation)
    average_flips(model)
    heat, down, right, threshold = heat_of(model, images, normalisation).unbind(1)
    torch.testing.assert_close(heat, images[:, 0] + 0.2)
    torch.testing.assert_close(torch.stack([down, right], 1), alone[:, 1:3])
    expected = (alone[:, 3, 0, 0] + images[:, 0, :-1].mean((1, 2))) / 2
    torch.testing.assert_close(threshold[:, 0, 0], expected)


def test_training_is_left_alone():
    torch.manual_seed(0)
    model, images = Toy().train(), torch.rand(1, 1, 6, 5)
    before = model(images)["logits"]
    average_flips(model)
    torch.testing.assert_close(model(images)["logits"], before, rtol=0, atol=0)


def test_cells_larger_than_a_pixel_are_refused():
    with pytest.raises(DetectorError, match=r"cells of 4 px.*leave out --flips"):
        average_flips(Coarse())

"""Any image size in, logits of that size out; what cannot work is said in words."""

import inspect

import pytest

torch = pytest.importorskip("torch")

from tools.trainer.detector_fixtures import FIXTURES, Fixture, each_fixture
from torch import nn

from pointmask.errors import PointmaskError
from pointmask_trainer.detectors.base import Auxiliary, Detector
from pointmask_trainer.detectors.blocks.common import BatchNorm, norm2d
from pointmask_trainer.detectors.networks.gglnet import gradient_magnitude
from pointmask_trainer.detectors.registry import DETECTORS, build
from pointmask_trainer.errors import DetectorError

SIZES = [(64, 64), (96, 40), (89, 109)]  # whole strides, half ones, and neither; shapes repeat every 32 px


class Eights(Detector):
    """A detector whose main map is its padded input."""

    stride = 8
    auxiliary = (Auxiliary("half", 2), Auxiliary("outline", 1, "edge"))

    def forward_maps(self, x):
        assert all(n % 8 == 0 for n in x.shape[-2:])
        return x[:, :1], [x[:, :1, ::2, ::2], -x[:, :1]]


def check_maps(net: Detector, size: tuple[int, int], batch: int) -> None:
    out = net(torch.randn(batch, net.in_channels, *size))
    assert out["logits"].shape == (batch, 1, *size)
    kinds = net.auxiliary if net.training else ()
    shapes = [(batch, 1, -(-size[0] // kind.scale), -(-size[1] // kind.scale)) for kind in kinds]
    assert [tuple(part.shape) for part in out["aux"]] == shapes
    assert all(bool(part.isfinite().all()) for part in [out["logits"], *out["aux"]])


@each_fixture(norms=False)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_sizes(fixture: Fixture, size: tuple[int, int]):
    net = fixture.build_alive(1)
    with torch.no_grad():
        check_maps(net.train(), size, 2)
        check_maps(net.eval(), size, 1)


@each_fixture(norms=False)
def test_one_pixel_is_an_image(fixture: Fixture):
    net = fixture.build_alive(3)
    with torch.no_grad():
        check_maps(net.eval(), (1, 1), 1)
        check_maps(net.train(), (1, 1), 2)


@each_fixture(norms=False)
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16], ids=str)
def test_other_precisions(fixture: Fixture, dtype: torch.dtype):
    net = fixture.build_alive(1).eval().to(dtype)
    with torch.no_grad():
        logits = net(torch.randn(1, 1, 33, 47, dtype=dtype))["logits"]
    assert logits.dtype == dtype
    assert bool(logits.isfinite().all())


@each_fixture(norms=False)
def test_maps_of_an_image_do_not_depend_on_its_neighbours_in_eval_mode(fixture: Fixture):
    net = fixture.build_alive(1).eval().double()
    x = torch.randn(2, 1, 32, 48, dtype=torch.float64)
    with torch.no_grad():
        together, alone = net(x)["logits"][1:], net(x[1:])["logits"]
    torch.testing.assert_close(together, alone)


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (9, 15), (24, 3)], ids=str)
def test_padding_repeats_the_border_and_is_cropped(size: tuple[int, int]):
    height, width = size
    x = torch.randn(2, 1, height, width)
    out = Eights()(x)
    assert torch.equal(out["logits"], x)
    half, outline = out["aux"]
    assert half.shape == (2, 1, (height + 1) // 2, (width + 1) // 2)
    assert torch.equal(half, x[..., ::2, ::2])
    assert torch.equal(outline, -x)
    assert Eights().eval()(x)["aux"] == []


def test_padded_pixels_are_those_of_the_border():
    seen = []
    net = Eights()
    net.forward_maps = lambda x: (seen.append(x), (x, []))[1]
    x = torch.randn(1, 1, 9, 8)
    net(x)
    assert seen[0].shape == (1, 1, 16, 8)
    assert torch.equal(seen[0][..., 9:, :], x[..., -1:, :].expand(1, 1, 7, 8))


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 2, 8, 8), (0, 1, 8, 8), (1, 1, 0, 8)], ids=str)
def test_images_of_another_shape_are_refused(shape: tuple[int, ...]):
    with pytest.raises(DetectorError, match=r"must be \(N, 1, H, W\) and not empty"):
        Eights()(torch.zeros(shape))


def test_integer_images_are_refused():
    with pytest.raises(DetectorError, match=r"torch\.uint16; they must be floating point: normalise them"):
        Eights()(torch.zeros(1, 1, 8, 8, dtype=torch.uint16))


def test_a_single_value_per_channel_has_no_statistics():
    norm = BatchNorm(3)
    with pytest.raises(DetectorError, match="at least 2 images per batch"):
        norm(torch.zeros(1, 3, 1, 1))
    norm.eval()(torch.zeros(1, 3, 1, 1))
    norm.train()(torch.zeros(2, 3, 1, 1))


@each_fixture()
def test_one_image_trains_or_is_refused_in_words(fixture: Fixture):
    net = fixture.build_alive(1)
    pooled: list[bool] = []
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.register_forward_pre_hook(lambda _, args: pooled.append(args[0][0, 0].numel() == 1))
    x = torch.randn(2, 1, 64, 64)
    net(x)
    if any(pooled):
        with pytest.raises(DetectorError, match="norm='gn'"):
            net(x[:1])
    else:
        assert net(x[:1])["logits"].isfinite().all()


@pytest.mark.parametrize(
    "name", [n for n in DETECTORS.ours if "norm" in inspect.signature(DETECTORS.load(n)).parameters]
)
def test_group_norm_trains_on_one_image(name: str):
    out = build(name, norm="gn")(torch.randn(1, 1, 64, 64))
    out["logits"].square().mean().backward()
    assert out["logits"].isfinite().all()


def test_gradient_guidance_of_a_flat_image_has_a_gradient():
    flat = torch.zeros(1, 2, 5, 6, requires_grad=True)
    magnitude = gradient_magnitude(flat)
    magnitude.sum().backward()
    assert not magnitude.any()
    assert not flat.grad.any()  # and so is finite


def test_unknown_names_and_options_are_refused():
    with pytest.raises(DetectorError, match=r"'acmunet'; did you mean 'acm_unet'\? choose one of"):
        build("acmunet")
    with pytest.raises(DetectorError, match="no option 'depth'; choose among momentum, norm"):
        build("acm_unet", depth=3)
    with pytest.raises(DetectorError, match="norm = 'ln' must be one of bn, gn"):
        build("acm_unet", norm="ln")
    assert issubclass(DetectorError, PointmaskError)


@pytest.mark.parametrize("name", DETECTORS.ours)
def test_an_image_has_a_channel(name: str):
    with pytest.raises(DetectorError, match="in_channels = 0 must be at least 1"):
        build(name, in_channels=0)


def test_norm_kinds():
    assert isinstance(norm2d(4), nn.BatchNorm2d)
    assert isinstance(norm2d(4, "gn"), nn.GroupNorm)


def test_every_name_builds_its_detector():
    assert {type(build(name)) for name in DETECTORS.ours} == {type(fixture.build()) for fixture in FIXTURES}

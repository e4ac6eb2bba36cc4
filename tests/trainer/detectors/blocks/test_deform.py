"""Deformable convolution against its naive twin, torch's ordinary one, and finite differences."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tools.naive import layers as naive_layers
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from pointmask_trainer.detectors.blocks.deform import DeformConv, deform_conv2d


def arguments(
    size: tuple[int, int], kernel: tuple[int, int], reach: float
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    draw = torch.Generator().manual_seed(0)
    taps = kernel[0] * kernel[1]

    def some(*shape: int) -> Tensor:
        return torch.randn(shape, generator=draw, dtype=torch.float64)

    return (
        some(2, 3, *size),
        reach * some(2, taps, 2, *size),
        some(2, taps, *size).sigmoid(),
        some(4, 3, *kernel),
        some(4),
    )


@pytest.mark.parametrize("reach", [0.3, 3.0, 1e9], ids="reach={}".format)
@pytest.mark.parametrize("kernel", [(1, 3), (3, 1), (3, 3)], ids=str)
@pytest.mark.parametrize("size", [(1, 1), (5, 7), (1, 6)], ids=str)
def test_equals_the_naive_one(size: tuple[int, int], kernel: tuple[int, int], reach: float):
    given = arguments(size, kernel, reach)
    expected = naive_layers.deform_conv2d(*(part.numpy() for part in given))
    np.testing.assert_allclose(deform_conv2d(*given).numpy(), expected, rtol=1e-10, atol=1e-10)


def test_whole_pixels_on_the_border_count():
    x = torch.arange(1.0, 5.0).view(1, 1, 2, 2)
    one, none = torch.ones(1, 1, 1, 1), torch.zeros(1)
    for (dy, dx), expected in {
        (0, 0): [[1, 2], [3, 4]],
        (1, 0): [[3, 4], [0, 0]],
        (0, -1): [[0, 1], [0, 3]],
        (-0.5, 0): [[0.5, 1], [2, 3]],
    }.items():
        moved = torch.tensor([dy, dx], dtype=x.dtype).view(1, 1, 2, 1, 1).expand(1, 1, 2, 2, 2)
        got = deform_conv2d(x, moved, torch.ones(1, 1, 2, 2), one, none)
        assert got[0, 0].tolist() == expected


@pytest.mark.parametrize("kernel", [(1, 3), (3, 1), (3, 5)], ids=str)
def test_starts_as_the_ordinary_convolution_with_half_its_weights(kernel: tuple[int, int]):
    layer = DeformConv(4, kernel).double()
    torch.nn.init.normal_(layer.bias)
    x = torch.randn(2, 4, 9, 6, dtype=torch.float64)
    padding = (kernel[0] // 2, kernel[1] // 2)
    torch.testing.assert_close(layer(x), F.conv2d(x, layer.weight / 2, layer.bias, padding=padding))


def test_offsets_come_as_row_and_column_of_each_tap_and_then_the_weights():
    layer = DeformConv(1, (3, 1)).double()
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([1.0, 10.0, 100.0]).view(1, 1, 3, 1))
        layer.motion.bias.copy_(torch.tensor([0, 1, 1, 0, -1, 0, 50.0, 50.0, 50.0]))
    x = torch.zeros(1, 1, 7, 7, dtype=torch.float64)
    x[..., 3, 3] = 1
    out = layer(x).detach()[0, 0]
    # Tap 0 looks a row up and a column right, tap 1 a row down, tap 2 back at the pixel itself.
    assert {(r, c): round(float(out[r, c])) for r, c in out.nonzero().tolist()} == {
        (4, 2): 1,
        (2, 3): 10,
        (3, 3): 100,
    }


def test_first_and_second_derivatives():
    given = [part.requires_grad_() for part in arguments((3, 4), (3, 1), 0.3)]
    assert torch.autograd.gradcheck(deform_conv2d, given)
    assert torch.autograd.gradgradcheck(deform_conv2d, given)


def test_half_precision_knows_where_it_looks():
    x, offsets, *rest = (part.bfloat16() for part in arguments((4, 200), (1, 3), 0.3))
    got = deform_conv2d(x, offsets, *rest)
    assert got.dtype == torch.bfloat16
    wide = deform_conv2d(*(part.float() for part in (x, offsets, *rest)))
    assert float((got - wide).abs().max() / wide.abs().max()) < 0.02

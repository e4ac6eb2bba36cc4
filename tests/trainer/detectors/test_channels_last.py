"""Networks in channels-last format on a processor, where torch corrupts memory for some convolutions."""

import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")

from torch import nn

from pointmask_trainer.detectors.blocks.common import SampledPointwise, check_channels_last, conv
from pointmask_trainer.detectors.registry import DETECTORS, build
from pointmask_trainer.errors import DetectorError

# With nn.Conv2d in place of conv it ends in a segmentation fault or "double free or corruption" (torch 2.13).
_STEPS = """
import torch
from pointmask_trainer.detectors.blocks.common import conv

for a, b in ((8, 16), (8, 8), (12, 16)):
    layer = conv(a, b, 1, stride=2, bias=False).to(memory_format=torch.channels_last)
    for _ in range(3):
        x = torch.randn(8, a, 128, 128).to(memory_format=torch.channels_last).requires_grad_()
        layer(x).sum().backward()
print("whole")
"""


def test_a_strided_pointwise_convolution_does_not_corrupt_memory():
    done = subprocess.run(
        [sys.executable, "-c", _STEPS], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stdout.strip()) == (0, "whole"), done.stderr


@pytest.mark.parametrize("size", [(6, 8), (7, 5)])
@pytest.mark.parametrize("stride", [2, 3])
def test_it_gives_what_a_plain_one_gives(size, stride):
    torch.manual_seed(0)
    ours = conv(3, 4, 1, stride=stride)
    assert isinstance(ours, SampledPointwise)
    plain = nn.Conv2d(3, 4, 1, stride)
    plain.load_state_dict(ours.state_dict())
    x = torch.randn(2, 3, *size)
    torch.testing.assert_close(ours(x), plain(x))


def test_a_network_with_a_plain_one_is_refused():
    check_channels_last(nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 3, 2), conv(4, 4, 1, stride=2)))
    with pytest.raises(DetectorError, match=r"1\.0, a 1 x 1 convolution of stride 2.*channels_last"):
        check_channels_last(nn.Sequential(nn.Identity(), nn.Sequential(nn.Conv2d(3, 4, 1, 2))))


@pytest.mark.parametrize("name", ["contrast_unet", "alcnet", "acm_unet", "mshnet", "dnanet"])
def test_our_networks_have_none(name):
    assert name in DETECTORS
    check_channels_last(build(name))

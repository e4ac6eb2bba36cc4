"""Counted costs are those of the originals, less what is not needed; the table shows them as they are."""

import pytest

torch = pytest.importorskip("torch")

from tools.trainer.detector_fixtures import Fixture, each_fixture

from pointmask_trainer.detectors import profile
from pointmask_trainer.detectors.profile import Profile, count_macs, models_table, profile_detector
from pointmask_trainer.detectors.registry import DETECTORS
from pointmask_trainer.errors import DetectorError

# Operations of the originals that ours do without on one image of 256×256 pixels: in all, and per channel.
SAVED = {
    "isnet": (0, 18 * 256**2),  # gradients are differences of pixels, not two 3×3 convolutions
    "msdanet": (16 * 3_833_856, 12 * 128**2),  # Haar sub-bands are sums of pixels, not 2×2 convolutions
    "sctransnet": (20 * 256**2, 0),  # the auxiliary maps are made in training only
}


@each_fixture(slow_above=1e12)
@pytest.mark.parametrize("channels", [1, 3])
def test_operations_are_those_of_the_original(fixture: Fixture, channels: int):
    net = fixture.build_alive(channels).eval().to("meta")  # shapes are enough to count
    image = torch.zeros(1, channels, 256, 256, device="meta")
    once, per_channel = SAVED.get(fixture.name, (0, 0))
    assert count_macs(net, image) == fixture.macs[str(channels)] - once - channels * per_channel


def test_profile_of_a_detector():
    found = profile_detector("acm_unet", size=32, repeats=1)
    assert (found.name, found.parameters, found.parameters_3_channels) == ("acm_unet", 397_823, 397_971)
    assert 0 < found.macs < 345_653_888 / 32
    assert found.seconds > 0
    with pytest.raises(DetectorError, match="no detector is called 'unet'"):
        profile_detector("unet")


def test_table_has_plain_integers_and_aligned_columns():
    profiles = [Profile("a", 12_345_678, 12_345_680, 343_294_592, 0.01234), Profile("longer", 9, 10, 0, 1.5)]
    assert models_table(profiles).splitlines() == [
        "detector  parameters  with 3 channels   GMAC  CPU ms",
        "a           12345678         12345680  0.343    12.3",
        "longer             9               10  0.000  1500.0",
    ]


def test_table_is_of_all_detectors(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(profile, "profile_detector", lambda name: Profile(name, 1, 1, 1, 1.0))
    assert [line.split()[0] for line in models_table().splitlines()] == ["detector", *DETECTORS.ours]

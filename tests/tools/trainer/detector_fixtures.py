"""Reads ``fixtures/*.json`` and fills networks by the rule under which those figures were taken.

A file says which detector it is of and how it is built (``detector``, ``options``), and was measured on the
original networks: ``parameters``, ``alive`` (parameters that can get a gradient, dead ones are not built
unless the options say so), ``macs`` (1×C×256×256), each for 1 and 3 input channels; ``weight_shapes``, how
many weights there are of each shape (3 channels); and ``numeric``, per number of channels: the maps in eval
mode and in training mode, the input's gradient of ``sum(main · gen("c"))`` in eval mode, and the sums of the
running statistics after that one training pass. The main map comes first, the others in the order of
`Detector.auxiliary`; a map marked ``sigmoid`` was recorded as a probability. Maps are given by shape, mean,
standard deviation, extremes and every second of 16 values evenly spread over the flat map.
"""

import json
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pointmask_trainer.detectors.base import Detector
from pointmask_trainer.detectors.registry import DETECTORS, build

HEAVY_MACS = 8e9


@dataclass(frozen=True)
class Fixture:
    name: str
    detector: str
    options: dict[str, Any]
    parameters: dict[str, int]
    alive: dict[str, int]
    macs: dict[str, int]
    weight_shapes: dict[str, int]
    numeric: dict[str, dict[str, Any]]

    def build(self, channels: int = 1, **options: Any) -> Detector:
        return build(self.detector, in_channels=channels, **{**self.options, **options})

    def build_alive(self, channels: int = 1) -> Detector:
        """Build what a user gets: without dead weights."""
        options = {key: value for key, value in self.options.items() if key != "dead_weights"}
        return build(self.detector, in_channels=channels, **options)


FOLDER = Path(__file__).parents[2] / "trainer" / "detectors" / "fixtures"


def read(name: str) -> Fixture:
    """Read one fixture by its file's name."""
    return Fixture(name, **json.loads((FOLDER / f"{name}.json").read_text("ascii")))


def read_all() -> list[Fixture]:
    """Read the fixtures of all registered detectors."""
    every = [read(path.stem) for path in sorted(FOLDER.glob("*.json"))]
    return [fixture for fixture in every if fixture.detector in DETECTORS.ours]


FIXTURES = read_all()


def each_fixture(*, slow_above: float = HEAVY_MACS, norms: bool = True) -> pytest.MarkDecorator:
    """Parametrise a test over the fixtures; networks of more operations than given are marked slow.

    Without `norms`, networks that are there with batch norm are not tested with group norm again.
    """
    return pytest.mark.parametrize(
        "fixture",
        [
            pytest.param(f, id=f.name, marks=[pytest.mark.slow] if f.macs["1"] > slow_above else [])
            for f in FIXTURES
            if norms or f.options.get("norm") != "gn"
        ],
    )


def gen(tag: str, shape: tuple[int, ...]) -> Tensor:
    """Draw a tensor that depends on the tag and the shape only."""
    key = f"{tag}:{'x'.join(str(n) for n in shape)}"
    draw = np.random.RandomState(zlib.crc32(key.encode("ascii"))).standard_normal(shape)
    return torch.from_numpy(np.asarray(draw, dtype=np.float64))


@torch.no_grad()
def fill(net: nn.Module) -> None:
    """Fill a float64 network, whatever the order and the names of its layers; dropout goes to 0."""
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        weight = module._parameters.get("weight")
        if weight is None:
            running = module._buffers.get("running_mean")
            if running is not None:
                _fill_running(module)
            continue
        shape = tuple(weight.shape)
        if weight.dim() >= 2:
            weight.copy_(gen("w", shape) * (2 / np.prod(shape[1:])) ** 0.5)
            _copy(module._parameters.get("bias"), "b")
        else:
            weight.copy_(1 + 0.1 * gen("g", shape))
            _copy(module._parameters.get("bias"), "h")
            if module._buffers.get("running_mean") is not None:
                _fill_running(module)


def _fill_running(module: nn.Module) -> None:
    shape = tuple(module.running_mean.shape)
    module.running_mean.copy_(0.1 * gen("m", shape))
    module.running_var.copy_(1 + 0.1 * gen("v", shape).abs())


def _copy(parameter: Tensor | None, tag: str) -> None:
    if parameter is not None:
        parameter.copy_(0.1 * gen(tag, tuple(parameter.shape)))


def deviation(got: Tensor, expected: dict[str, Any]) -> float:
    """Largest difference from what was recorded, relative to the largest magnitude recorded."""
    assert list(got.shape) == expected["shape"]
    got = got.detach()
    if expected.get("sigmoid"):
        got = got.sigmoid()
    flat = got.flatten().numpy()
    index = np.rint(np.linspace(0, flat.size - 1, 16)).astype(int)[::2]
    found = [flat.mean(), flat.std(), flat.min(), flat.max(), *flat[index]]
    wanted = [*(expected[key] for key in ("mean", "std", "min", "max")), *expected["values"]]
    return float(np.abs(np.subtract(found, wanted)).max() / np.abs(wanted).max())


def shape_histogram(net: nn.Module) -> dict[str, int]:
    return dict(Counter("x".join(str(n) for n in p.shape) or "scalar" for p in net.parameters()))


def running_sums(net: nn.Module) -> dict[str, float]:
    """Sum the running statistics of all norms."""
    buffers = dict(net.named_buffers())
    return {
        key: sum(float(b.sum()) for name, b in buffers.items() if name.endswith(f"running_{key}"))
        for key in ("mean", "var")
    }

"""Reads the fixtures of foundation networks, and fills every tensor by its published name.

A file says of which network it is (``of``), how that was built (``config``), the shapes of its state dict by
the publisher's names (``keys``), and what the original gave for an input that is drawn by the same rule.
"""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tools.trainer.detector_fixtures import gen

FOLDER = Path(__file__).parents[2] / "trainer" / "foundation" / "fixtures"


def read_foundation(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{name}.json").read_text("ascii"))


def published_state(keys: dict[str, list[int]]) -> dict[str, Tensor]:
    """Fill the tensors of a state dict, whatever the code that will read them."""
    return {name: _value(name, tuple(shape)).float() for name, shape in keys.items()}


def _value(key: str, shape: tuple[int, ...]) -> Tensor:
    draw = gen(key, shape)
    if key.endswith(".bias_mask"):
        third = shape[0] // 3
        mask = torch.ones(shape)
        mask[third : 2 * third] = 0
        return mask
    if key.endswith(".periods"):
        return 100 ** (torch.arange(shape[0], dtype=torch.float64) / shape[0])
    if key.endswith("gaussian_matrix"):
        return draw
    if key.endswith(".gamma"):
        return 0.5 + 0.1 * draw
    if key.endswith(".bias"):
        return 0.1 * draw
    if key.endswith(".weight") and len(shape) == 1:
        return 1 + 0.1 * draw
    is_token = re.search(r"(tokens?|embed|embeddings\.\d+)\.weight$", key)
    if key.endswith(".weight") and len(shape) >= 2 and shape[0] > 1 and not is_token:
        return draw * (1 / np.prod(shape[1:])) ** 0.5
    return 0.2 * draw


def difference(got: Tensor, expected: dict[str, Any]) -> float:
    """Largest difference from what was recorded, relative to the largest magnitude recorded."""
    assert list(got.shape) == expected["shape"]
    flat = got.detach().double().flatten().numpy()
    found = [flat.mean(), flat.std(), flat.min(), flat.max(), *flat[expected["indices"]]]
    wanted = [*(expected[key] for key in ("mean", "std", "min", "max")), *expected["values"]]
    return float(np.abs(np.subtract(found, wanted)).max() / max(abs(expected["min"]), abs(expected["max"])))

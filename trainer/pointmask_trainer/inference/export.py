"""A detector as one ONNX file: grey values in, probabilities and logits out, frames of any size."""

import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from pointmask.errors import PointmaskError
from pointmask.io.files import write_whole
from pointmask_trainer.data.normalisation import Normalisation
from pointmask_trainer.detectors.base import Detector
from pointmask_trainer.inference.tiles import predict
from pointmask_trainer.run.checkpoint import ModelCard

INPUT, OUTPUTS = "images", ("probabilities", "logits")
TOLERANCE = 1e-3
"""Largest difference of probabilities between torch and ONNX that `check` accepts: runtimes order sums
differently, and deep networks carry that on; a wrong graph is off by far more."""

_NEEDED = ("onnx", "onnxscript")
_SIDE = 64  # px; of what a graph is traced and checked with, for networks that take any side


class ExportError(PointmaskError, RuntimeError):
    """A detector cannot be exported here, or its export does not give what it gives."""


class Exported(nn.Module):
    """A detector with its normalisation, as the graph holds it.

    Parameters
    ----------
    model : Detector
    normalisation : Normalisation
    """

    def __init__(self, model: Detector, normalisation: Normalisation) -> None:
        super().__init__()
        self.model, self.normalisation = model, normalisation

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Probabilities and logits, (N, 1, H, W) each, of (N, 1, H, W) float32 grey values as stored."""
        values = self.normalisation(images, self.model.in_channels)
        height, width = images.shape[-2:]
        # Sides are filled up by looking pixels up: the detector's own padding asks whether any is needed,
        # and a graph would keep the answer that one size gave.
        values = values.index_select(2, self._places(height)).index_select(3, self._places(width))
        logits = self.model.forward_maps(values)[0][..., :height, :width]
        return torch.sigmoid(logits), logits

    def _places(self, length: int) -> Tensor:
        stride = self.model.stride
        filled = (length + stride - 1) // stride * stride
        return torch.arange(filled).clamp(max=length - 1)


@dataclass(frozen=True, slots=True)
class Parity:
    """How an ONNX file compares with torch.

    Attributes
    ----------
    shapes : sequence of (int, int, int, int)
        Of the images that both got.
    difference : float
        Largest difference of probabilities.
    """

    shapes: Sequence[tuple[int, int, int, int]]
    difference: float


def export_onnx(model: Detector, card: ModelCard, path: Path) -> None:
    """Write a detector as ONNX.

    Parameters
    ----------
    model : Detector
        On the CPU; put into eval mode.
    card : ModelCard
        Its normalisation goes into the graph, the rest into the file's metadata.
    path : Path
        Replaced as a whole. Input ``images``, outputs ``probabilities`` and ``logits``: float32 (N, 1, H, W),
        N, H and W of any size.

    Raises
    ------
    ExportError
        If a package is missing, torch is too old, or torch cannot trace the detector.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise ExportError(
            f"export needs {' and '.join(missing)}; install with: pip install 'pointmask[export]'"
        )
    if not hasattr(torch.export.Dim, "DYNAMIC"):
        raise ExportError(f"export needs torch 2.6 or newer, this is {torch.__version__}; upgrade torch")
    example = torch.zeros(_shapes(model)[0])
    free = torch.export.Dim.DYNAMIC
    try:
        with _quiet(), torch.no_grad():
            program = torch.onnx.export(
                Exported(model.eval(), card.normalisation),
                (example,),
                input_names=[INPUT],
                output_names=list(OUTPUTS),
                dynamic_shapes={INPUT: {0: free, 2: free, 3: free}},
                dynamo=True,
                verbose=False,
            )
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise ExportError(
            f"torch {torch.__version__} cannot export {card.model.name} ({type(error).__name__}: {reason}); "
            "try another version of torch and onnxscript"
        ) from error
    assert program is not None
    proto = program.model_proto
    for key, value in _facts(card).items():
        proto.metadata_props.add(key=key, value=value)
    write_whole(path, proto.SerializeToString())


def check(path: Path, model: Detector, normalisation: Normalisation) -> Parity | None:
    """Compare an ONNX file with torch on noise of several sizes.

    Parameters
    ----------
    path : Path
        Written by `export_onnx`.
    model : Detector
        On the CPU.
    normalisation : Normalisation

    Returns
    -------
    Parity or None
        None if onnxruntime is not installed.

    Raises
    ------
    ExportError
        If probabilities differ by more than `TOLERANCE`, or shapes differ.
    """
    if find_spec("onnxruntime") is None:
        return None
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst, shapes = 0.0, _shapes(model)
    for shape in shapes:
        noise = np.random.default_rng(shape).normal(normalisation.mean, normalisation.std, shape)
        images = noise.astype(np.float32)
        found = session.run([OUTPUTS[0]], {INPUT: images})[0][:, 0]
        expected = predict(model, torch.from_numpy(images), normalisation).numpy()
        if found.shape != expected.shape:
            raise ExportError(f"{path} gives shape {found.shape} for {shape}; torch gives {expected.shape}")
        worst = max(worst, float(np.abs(found - expected).max()))
    if not worst <= TOLERANCE:
        raise ExportError(
            f"{path} differs from torch by {worst:.2g} in probability, more than {TOLERANCE}; do not use it, "
            "and try another version of torch, onnxscript or onnxruntime"
        )
    return Parity(shapes, worst)


def _shapes(model: Detector) -> list[tuple[int, int, int, int]]:
    """Shapes that differ in every way: the first has nothing in common with the stride."""
    unit = -(-_SIDE // model.stride) * model.stride
    return [
        (2, 1, unit + 3, 2 * unit - 5),
        (1, 1, unit, unit),
        (3, 1, unit // 2 + 1, 3 * unit // 2 + 1),
    ]


def _facts(card: ModelCard) -> dict[str, str]:
    return {
        "pointmask.model": card.model.name,
        "pointmask.normalisation": json.dumps(asdict(card.normalisation)),
        "pointmask.input": f"{INPUT}: float32 (N, 1, H, W), grey values as stored",
        "pointmask.facts": json.dumps(dict(card.facts)),
    }


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's talk about itself from users, who cannot change any of it."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)

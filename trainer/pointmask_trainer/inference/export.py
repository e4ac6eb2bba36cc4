"""Export of a detector to one ONNX file: grey values in, probabilities and logits out, any frame size."""

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

from pointmask.advice import install
from pointmask.errors import PointmaskError
from pointmask.io.files import write_whole
from pointmask_trainer.data.normalisation import Normalisation
from pointmask_trainer.detectors.base import Detector, ImageNetwork
from pointmask_trainer.detectors.locators.base import Locator
from pointmask_trainer.inference.tiles import predict
from pointmask_trainer.run.checkpoint import ModelCard

INPUT, OUTPUTS = "images", ("probabilities", "logits")
HEAT_OUTPUTS = ("heat", "offset", "threshold")
"""Of networks that find points: heat, (N, 1, rows, cols); rows and columns from each cell's centre, in cells,
(N, 2, rows, cols), 0 where the network gives none; and the heat above which a peak is a target, (N,)."""
TOLERANCE = 1e-3
"""Largest difference in probability between torch and ONNX that `check` accepts. Runtimes sum in different
orders, and deep networks amplify the rounding errors; a wrong graph deviates by far more."""

_REQUIRED = ("onnx", "onnxscript")
_SIDE = 64  # px; side of the images used for tracing and checking


class ExportError(PointmaskError, RuntimeError):
    """A detector cannot be exported here, or the exported graph does not reproduce its output."""


class Exported(nn.Module):
    """A detector together with its normalisation, the module that is traced."""

    def __init__(self, model: Detector, normalisation: Normalisation) -> None:
        super().__init__()
        self.model, self.normalisation = model, normalisation

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return probabilities and logits, (N, 1, H, W) each, for (N, 1, H, W) float32 grey values."""
        values = self.normalisation(images, self.model.in_channels)
        height, width = images.shape[-2:]
        values = _padded(values, self.model.stride)
        logits = self.model.forward_maps(values)[0][..., :height, :width]
        return torch.sigmoid(logits), logits


class ExportedLocator(nn.Module):
    """A network that finds points together with its normalisation, the module that is traced."""

    def __init__(self, model: Locator, normalisation: Normalisation) -> None:
        super().__init__()
        self.model, self.normalisation = model, normalisation

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return `HEAT_OUTPUTS` for (N, 1, H, W) float32 grey values."""
        large = self.model.enlarged(self.normalisation(images, self.model.in_channels))
        maps = self.model.cropped(self.model.forward_heat(_padded(large, self.model.stride)), large)
        heat = maps["logits"]
        offset = maps.get("offset")
        threshold = maps.get("threshold")
        return (
            heat,
            torch.zeros_like(heat).expand(-1, 2, -1, -1) if offset is None else offset,
            heat.new_full((heat.shape[0],), self.model.decoding.threshold)
            if threshold is None
            else threshold,
        )


def _padded(values: Tensor, stride: int) -> Tensor:
    """Pad (N, C, H, W) to multiples of a stride by look-up of indices.

    The networks' own padding branches on whether any is needed, and tracing would record the branch taken for
    one size.
    """
    for axis in (2, 3):
        length = values.shape[axis]
        indices = torch.arange((length + stride - 1) // stride * stride).clamp(max=length - 1)
        values = values.index_select(axis, indices)
    return values


@dataclass(frozen=True, slots=True)
class Parity:
    """Agreement of an ONNX file with torch.

    Attributes
    ----------
    shapes : sequence of (int, int, int, int)
        Shapes of the inputs on which both were run.
    difference : float
        Largest absolute difference in probability.
    """

    shapes: Sequence[tuple[int, int, int, int]]
    difference: float


def export_onnx(model: ImageNetwork, card: ModelCard, path: Path) -> None:
    """Write a detector as ONNX.

    Parameters
    ----------
    model : ImageNetwork
        On the CPU; it is switched to eval mode.
    card : ModelCard
        Its normalisation becomes part of the graph, the rest is stored in the file's metadata.
    path : Path
        Replaced atomically. Input ``images``, outputs ``probabilities`` and ``logits``: float32
        (N, 1, H, W), where N, H and W are dynamic. Of networks that find points, `HEAT_OUTPUTS`.

    Raises
    ------
    ExportError
        If a package is missing, torch is too old, or torch cannot trace the detector.
    """
    missing = [name for name in _REQUIRED if find_spec(name) is None]
    if missing:
        raise ExportError(f"export needs {' and '.join(missing)}; install with: {install('export')}")
    if not hasattr(torch.export.Dim, "DYNAMIC"):
        raise ExportError(f"export needs torch 2.6 or newer, this is {torch.__version__}; upgrade torch")
    example = torch.zeros(_shapes(model)[0])
    dynamic = torch.export.Dim.DYNAMIC
    try:
        with _quiet(), torch.no_grad():
            program = torch.onnx.export(
                _traced(model.eval(), card.normalisation),
                (example,),
                input_names=[INPUT],
                output_names=list(outputs_of(model)),
                dynamic_shapes={INPUT: {0: dynamic, 2: dynamic, 3: dynamic}},
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
    for key, value in _metadata(card).items():
        proto.metadata_props.add(key=key, value=value)
    write_whole(path, proto.SerializeToString())


def check(path: Path, model: ImageNetwork, normalisation: Normalisation) -> Parity | None:
    """Compare an ONNX file written by `export_onnx` with torch, on noise images of several sizes.

    Parameters
    ----------
    path : Path
    model : ImageNetwork
        On the CPU.
    normalisation : Normalisation

    Returns
    -------
    Parity or None
        None if onnxruntime is not installed.

    Raises
    ------
    ExportError
        If the first outputs differ by more than `TOLERANCE`, or output shapes differ.
    """
    if find_spec("onnxruntime") is None:
        return None
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst, shapes = 0.0, _shapes(model)
    for shape in shapes:
        noise = np.random.default_rng(shape).normal(normalisation.mean, normalisation.std, shape)
        images = noise.astype(np.float32)
        actual = session.run([outputs_of(model)[0]], {INPUT: images})[0][:, 0]
        expected = _expected(model, torch.from_numpy(images), normalisation).numpy()
        if actual.shape != expected.shape:
            raise ExportError(f"{path} gives shape {actual.shape} for {shape}; torch gives {expected.shape}")
        worst = max(worst, float(np.abs(actual - expected).max()))
    if not worst <= TOLERANCE:
        raise ExportError(
            f"{path} differs from torch by {worst:.2g} in {outputs_of(model)[0]}, more than {TOLERANCE}; do "
            "not use it, and try another version of torch, onnxscript or onnxruntime"
        )
    return Parity(shapes, worst)


def outputs_of(model: ImageNetwork) -> tuple[str, ...]:
    """Return the names of the outputs of an exported network; the first is compared with torch."""
    return HEAT_OUTPUTS if isinstance(model, Locator) else OUTPUTS


def _traced(model: ImageNetwork, normalisation: Normalisation) -> nn.Module:
    if isinstance(model, Locator):
        return ExportedLocator(model, normalisation)
    assert isinstance(model, Detector)
    return Exported(model, normalisation)


def _expected(model: ImageNetwork, images: Tensor, normalisation: Normalisation) -> Tensor:
    """Return what the first output is to be, without its axis of channels."""
    if isinstance(model, Locator):
        with torch.no_grad():
            return model.eval()(normalisation(images, model.in_channels))["logits"][:, 0]
    return predict(model, images, normalisation)


def _shapes(model: ImageNetwork) -> list[tuple[int, int, int, int]]:
    """Return input shapes that differ in every dimension; the first is no multiple of the stride."""
    unit = -(-_SIDE // model.stride) * model.stride
    return [
        (2, 1, unit + 3, 2 * unit - 5),
        (1, 1, unit, unit),
        (3, 1, unit // 2 + 1, 3 * unit // 2 + 1),
    ]


def _metadata(card: ModelCard) -> dict[str, str]:
    return {
        "pointmask.model": card.model.name,
        "pointmask.normalisation": json.dumps(asdict(card.normalisation)),
        "pointmask.input": f"{INPUT}: float32 (N, 1, H, W), grey values as stored",
        "pointmask.facts": json.dumps(dict(card.facts)),
    }


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the exporter's own log messages and warnings, on which users cannot act."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)

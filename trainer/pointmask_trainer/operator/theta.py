"""Theta as tensors: fixed for inference, or learnable within bounds round a start."""

from dataclasses import dataclass, fields
from typing import Literal

import torch
from torch import Tensor, nn

from pointmask.settings import bounds
from pointmask.theta import Theta, outflow


@dataclass(frozen=True, slots=True, eq=False)
class ThetaTensors:
    """The continuous entries of a `Theta`, under the same names, and the theta whose structure they share.

    Attributes
    ----------
    theta : Theta
        Gives whole numbers and choices: window, stages, steps, kind of conductance.
    tau, alpha, rho, source_sigma, law_offset, style : () Tensor
    D0, beta, growth, decay : (stages,) Tensor
    law_weights : (h, 15) Tensor
    law_bias, law_gain : (h,) Tensor
    """

    theta: Theta
    tau: Tensor
    alpha: Tensor
    rho: Tensor
    source_sigma: Tensor
    law_offset: Tensor
    D0: Tensor
    beta: Tensor
    growth: Tensor
    decay: Tensor
    law_weights: Tensor
    law_bias: Tensor
    law_gain: Tensor
    style: Tensor

    @classmethod
    def of(
        cls, theta: Theta, *, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
    ) -> "ThetaTensors":
        """Copy a theta into tensors that do not require gradients."""
        return cls(
            theta,
            **{name: torch.tensor(getattr(theta, name), dtype=dtype, device=device) for name in ENTRIES},
        )

    def to_theta(self) -> Theta:
        """Read the tensors back into a checked `Theta`.

        Raises
        ------
        ThetaError
            If a value is out of bounds.
        """
        return self.theta.with_(**{name: _plain(getattr(self, name).tolist()) for name in ENTRIES})


ENTRIES = tuple(field.name for field in fields(ThetaTensors) if field.name != "theta")
"""Names of the continuous entries, all differentiable in `pointmask_trainer.operator`."""


@dataclass(frozen=True, slots=True)
class Span:
    """How far one entry may move from its start.

    ``relative``: to ``start (1 +- size)``; ``absolute``: to ``start +- size``; ``table``: to ``start +-
    size`` times the root mean square of all its numbers, so that zeros can move too.
    """

    kind: Literal["relative", "absolute", "table"]
    size: float


SPANS = {
    "tau": Span("relative", 0.0),
    "alpha": Span("absolute", 0.05),
    "rho": Span("absolute", 0.05),
    "source_sigma": Span("relative", 0.3),
    "law_offset": Span("absolute", 0.15),
    "D0": Span("relative", 0.3),
    "beta": Span("relative", 0.3),
    "growth": Span("relative", 0.3),
    "decay": Span("relative", 0.3),
    "law_weights": Span("table", 0.3),
    "law_bias": Span("table", 0.3),
    "law_gain": Span("table", 0.3),
    "style": Span("absolute", 0.0),
}
"""Default spans. Those of D0, beta, rho and alpha are the published ones; tau is the others' unit.

A drawing style is the user's, so it stays unless a span is given for it. It has no gradient at 0, where no
margin is large enough to change a pixel: learn it from a start of 0.2, or of -0.2.
"""

_CLOSED = {name: bounds(Theta)[name] for name in ("alpha", "rho", "style")}  # that a span may reach beyond


class LearnableTheta(nn.Module):
    """Theta with one unbounded parameter per number, bounded by ``tanh`` round the start.

    Parameters
    ----------
    start : Theta
        Where all parameters are 0; kept to the last bit there.
    spans : dict of Span by name, optional
        Replaces entries of `SPANS`; a size of 0 freezes an entry.

    Notes
    -----
    The explicit scheme stays stable for every value of the parameters: where conductance and absorption
    would outgrow the time step, ``tau`` shrinks to what is stable.
    """

    def __init__(self, start: Theta, spans: dict[str, Span] | None = None) -> None:
        super().__init__()
        self.start = start
        self.spans = {**SPANS, **(spans or {})}
        tensors = ThetaTensors.of(start, dtype=torch.float64)
        for name in ENTRIES:
            value = getattr(tensors, name)
            self.register_buffer(f"start_{name}", value, persistent=False)
            if self.spans[name].size and value.numel():
                self.register_parameter(name, nn.Parameter(torch.zeros_like(value)))

    def forward(self, dtype: torch.dtype = torch.float32) -> ThetaTensors:
        """Return the present entries, connected to the parameters."""
        values = {name: self._value(name) for name in ENTRIES}
        largest = outflow(values["D0"], values["decay"]).max()
        values["tau"] = values["tau"] / (values["tau"] * largest).clamp(min=1)
        return ThetaTensors(self.start, **{name: value.to(dtype) for name, value in values.items()})

    def theta(self) -> Theta:
        """Return the present theta for the annotator."""
        with torch.no_grad():
            return self.forward(torch.float64).to_theta()

    def _value(self, name: str) -> Tensor:
        start: Tensor = getattr(self, f"start_{name}")
        if name not in self._parameters:
            return start
        moved = torch.tanh(getattr(self, name)) * self._reach(name, start)
        value = start + moved
        limits = _CLOSED.get(name)
        return value if limits is None else value.clamp(limits.low, limits.high)

    def _reach(self, name: str, start: Tensor) -> Tensor | float:
        span = self.spans[name]
        if span.kind == "relative":
            return span.size * start
        if span.kind == "absolute":
            return span.size
        return span.size * start.square().mean().sqrt()


def _plain(value: object) -> object:
    return tuple(_plain(item) for item in value) if isinstance(value, list) else value

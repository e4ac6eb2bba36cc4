"""The literature's annotators, written anew from their descriptions, for comparison with ours.

Each method is one module and one function of the same signature::

    method(image, points, *, size_prior=None, seed=0) -> Annotation

``size_prior`` is what a method is told about the targets' sizes (:class:`SizePrior`, one per point);
without it every target gets the same fixed box, which is the honest setting. `BASELINES` names the
functions without importing them, so that a table of methods costs nothing.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import Protocol, cast

from numpy.typing import ArrayLike

from pointmask.annotator.target import Annotation
from pointmask.bench.baselines._sizes import SizeKnowledge as SizeKnowledge
from pointmask.bench.baselines._sizes import SizePrior as SizePrior
from pointmask.bench.baselines._sizes import from_masks as from_masks

__all__ = ["BASELINES", "Baseline", "SizeKnowledge", "SizePrior", "from_masks", "load"]

BASELINES: Mapping[str, str] = MappingProxyType(
    {
        "mclc": "pointmask.bench.baselines.mclc:mclc",
        "com": "pointmask.bench.baselines.com:com",
        "d2d": "pointmask.bench.baselines.d2d:d2d_monte_carlo",
        "threshold": "pointmask.bench.baselines.threshold:threshold",
    }
)
"""Name of each method and where its function lives (``module:function``)."""


class Baseline(Protocol):
    """What every baseline looks like to a caller."""

    def __call__(
        self,
        image: ArrayLike,
        points: Sequence[tuple[int, int]],
        *,
        size_prior: Sequence[SizePrior] | None = None,
        seed: int = 0,
    ) -> Annotation:
        """Annotate one image; see the methods' own docstrings."""


def load(name: str) -> Baseline:
    """Import one method by its name in `BASELINES`.

    Parameters
    ----------
    name : str
        A key of `BASELINES`.

    Returns
    -------
    Baseline
        The method's function.

    Raises
    ------
    KeyError
        If there is no method of that name.
    """
    if name not in BASELINES:
        raise KeyError(f"no baseline is called {name!r}; choose one of {', '.join(BASELINES)}")
    module, function = BASELINES[name].split(":")
    return cast(Baseline, getattr(import_module(module), function))

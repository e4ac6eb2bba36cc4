"""Proof that a theta runs, once, before hundreds of images would each fail by it."""

from pathlib import Path

import numpy as np

from pointmask.annotator.image import annotate
from pointmask.errors import PointmaskError, ThetaError
from pointmask.theta import Polarity, Theta


def prove(theta: Theta, polarity: Polarity = "bright") -> None:
    """
    Annotate one built-in target; this also loads (the first time on a machine: compiles) the kernels.

    Parameters
    ----------
    theta : Theta
        Within its bounds, but not necessarily able to run.
    polarity : {"bright", "dark", "auto"}

    Raises
    ------
    ThetaError
        If it cannot, or gives soft labels that are not finite.
    """
    rows, cols = np.ogrid[-32:33, -32:33]
    # Large enough to be followed into a coarser window, so that nothing is left to compile.
    disk = 100.0 + (-100.0 if polarity == "dark" else 100.0) * (rows * rows + cols * cols < 100)
    try:
        soft = annotate(disk, [(32, 32)], theta=theta, polarity=polarity).soft
    except (PointmaskError, MemoryError):
        raise
    except Exception as error:
        reason = str(error).strip().splitlines()[-1:] or [type(error).__name__]
        raise ThetaError(
            f"theta cannot run ({type(error).__name__}: {reason[0][:200]}); start from a preset, such as "
            "--theta default, and change less"
        ) from error
    if not np.isfinite(soft).all():
        raise ThetaError(
            "theta gives soft labels that are not finite: the potential grows beyond all bounds; lower "
            "growth, tau or steps"
        )


def proved(source: Theta | str | Path) -> Theta:
    """Load a theta, see `pointmask.theta.Theta.load`, and `prove` that it runs; raises what these do."""
    theta = Theta.load(source)
    prove(theta)
    return theta

"""The drawing style: a soft label with its outline moved outwards or inwards."""

import numpy as np
from numpy.typing import NDArray

from pointmask.compiled import kernel

Field = NDArray[np.floating]

SLOPE = 1.5
"""Px that the outline moves further per unit of contrast: people who draw larger follow what shines."""

NEUTRAL = 0.2
"""Contrast at which a growing outline moves by the style itself; a shrinking one does at 1 minus this."""

STEEPEST = 3.0
"""The outline nowhere moves by more than this many times the style."""


@kernel()
def move_outline(soft: Field, contrast: Field, style: float, out: Field) -> None:
    """Grow or shrink a soft label by a margin that follows the contrast.

    Parameters
    ----------
    soft : (n, m) float in [0, 1]
    contrast : (n, m) float
        ``(I - background) / contrast of the target``, smoothed.
    style : float
        Margin in samples at the neutral contrast; negative shrinks, 0 copies.
    out : (n, m) float
        Overwritten. Must not be ``soft``. Never below ``soft`` for a positive style, never above for a
        negative one, and rising with the style everywhere.

    Notes
    -----
    Grey dilation: the largest of ``soft`` at every offset, times ``min(1, max(0, margin + 1 - length of the
    offset))``. Shrinking is the same on ``1 - soft`` and ``1 - contrast``. At a pixel of contrast c the
    margin is ``style + SLOPE (min(c, 1) - NEUTRAL)``, between 0 and ``STEEPEST style``. Shifts of the
    network's offset or of the level, and a plain margin, follow other people's masks less well:
    ``benchmarks/LOG.md``, 2026-11-30.
    """
    n, m = soft.shape
    grows = style >= 0
    size = abs(style)
    for i in range(n):
        for j in range(m):
            shade = min(contrast[i, j] if grows else 1.0 - contrast[i, j], 1.0)
            margin = min(max(size + SLOPE * (shade - NEUTRAL), 0.0), STEEPEST * size)
            best = soft[i, j] if grows else 1.0 - soft[i, j]
            reach = int(margin + 1.0) if margin > 0 else 0
            for y in range(max(i - reach, 0), min(i + reach + 1, n)):
                for x in range(max(j - reach, 0), min(j + reach + 1, m)):
                    value = soft[y, x] if grows else 1.0 - soft[y, x]
                    if value > best:
                        far = np.sqrt(float((y - i) * (y - i) + (x - j) * (x - j)))
                        best = max(best, value * min(margin + 1.0 - far, 1.0))
            out[i, j] = best if grows else 1.0 - best

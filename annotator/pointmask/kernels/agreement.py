"""Agreement between a mask and the grey values: rings around the mask, then sums in one pass."""

import numpy as np
from numpy.typing import NDArray

from pointmask.compiled import kernel

Field = NDArray[np.floating]

CORE, RIM, FAR = -1, 0, 4  # between them 1, 2 and 3: the rings outside


@kernel()
def ring_map(mask: NDArray[np.bool_], out: NDArray[np.int8]) -> None:
    """Compute each pixel's Chebyshev distance from the rim of the mask, up to 3.

    Parameters
    ----------
    mask : (n, m) bool
    out : (n, m) int8
        Overwritten with `RIM` where a pixel of the mask has one of its eight neighbours outside the mask or
        the window, `CORE` in the rest of the mask, 1, 2, 3 in the rings around it and `FAR` beyond.

    Notes
    -----
    Only pixels of the rim write to their neighbourhood, so the cost grows with the perimeter.
    """
    n, m = mask.shape
    out[:] = FAR
    for i in range(n):
        for j in range(m):
            if not mask[i, j]:
                continue
            inside = 0 < i < n - 1 and 0 < j < m - 1
            if inside:
                for a in range(i - 1, i + 2):
                    for b in range(j - 1, j + 2):
                        inside = inside and mask[a, b]
            if inside:
                out[i, j] = CORE
                continue
            for a in range(max(i - 3, 0), min(i + 4, n)):
                for b in range(max(j - 3, 0), min(j + 4, m)):
                    if not mask[a, b]:
                        out[a, b] = min(out[a, b], max(abs(a - i), abs(b - j)))
            out[i, j] = RIM


@kernel()
def agreement(values: Field, fine: Field, coarse: Field, rings: NDArray[np.int8], out: Field) -> None:
    """Compute the sums that the predicted IoU depends on.

    Parameters
    ----------
    values, fine, coarse : (n, m) float
        Grey values and two smoother versions.
    rings : (n, m) int8
        From `ring_map`.
    out : (12,) float
        Overwritten with the number of pixels in the mask and in its rim; the mean grey value of the mask,
        its rim, ring 1, ring 3, and rings 1 and 2 together; the standard deviation of the grey value in the
        mask and in rings 1 and 2; the maximum of ``coarse`` over that of ``fine`` in the mask, from 0 to 1.5;
        the second moment in px^2 of the positive grey values up to ring 3 about their centroid; and the mean
        of ``|values - fine|`` beyond ring 3. Means over no pixel are 0.
    """
    area, rim, first, third, fringe, far = 0, 0, 0, 0, 0, 0
    in_mask, in_rim, in_first, in_third, in_fringe, texture = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    mask_square, fringe_square, top_fine, top_coarse = 0.0, 0.0, 0.0, 0.0
    mass, mass_row, mass_col, mass_square = 0.0, 0.0, 0.0, 0.0
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            ring, value = rings[i, j], values[i, j]
            if ring == FAR:
                far += 1
                texture += abs(value - fine[i, j])
                continue
            weight = max(value, 0.0)
            mass += weight
            mass_row += weight * i
            mass_col += weight * j
            mass_square += weight * (i * i + j * j)
            if ring <= RIM:
                area += 1
                in_mask += value
                mask_square += value * value
                top_fine = max(top_fine, fine[i, j])
                top_coarse = max(top_coarse, coarse[i, j])
                if ring == RIM:
                    rim += 1
                    in_rim += value
            elif ring == 3:
                third += 1
                in_third += value
            else:
                fringe += 1
                in_fringe += value
                fringe_square += value * value
                if ring == 1:
                    first += 1
                    in_first += value
    out[0], out[1] = area, rim
    out[2], out[3], out[4] = in_mask / max(area, 1), in_rim / max(rim, 1), in_first / max(first, 1)
    out[5], out[6] = in_third / max(third, 1), in_fringe / max(fringe, 1)
    out[7] = np.sqrt(max(mask_square / max(area, 1) - out[2] ** 2, 0.0))
    out[8] = np.sqrt(max(fringe_square / max(fringe, 1) - out[6] ** 2, 0.0))
    out[9] = min(top_coarse / top_fine, 1.5) if top_fine > 0 else 0.0
    out[10] = 0.0
    if mass > 0:
        out[10] = max(mass_square / mass - (mass_row / mass) ** 2 - (mass_col / mass) ** 2, 0.0)
    out[11] = texture / max(far, 1)

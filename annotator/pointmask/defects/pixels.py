"""Dead, hot and stuck pixels of a sensor: found in a single frame, and replaced by what is around them.

Optics spread even a point over a pixel and its neighbours, so a pixel that alone stands far off its eight
neighbours is a defect of the sensor or of the transfer. Two defects side by side hide each other, and stay.
"""

from dataclasses import dataclass

import numpy as np

from pointmask.defects.search import Field, Measured, Places, Search
from pointmask.theta import Polarity

# Least distance from all neighbours, in 90th percentiles of the distance between a pixel and its
# surroundings, and in grey levels: frames that are flat to a level have specks of one or two.
_ROUGHNESSES = 6.0
_LEVELS = 8.0

# Least ratio of that distance to the range of the means of opposite neighbours. Integrated over pixels, a
# Gaussian of sigma 0.5 px has 4.3 at the most and one of 0.7 px 2.4; true targets of SIRST3's train list
# have less than 3. A target is no dip in the direction opposite to its polarity, so a defect within it,
# whose neighbours differ, is told by less: 0.97 of black pixels put into targets are found at 1.5, 0.7 at 5.
_ALONG = 5.0
_AGAINST = 1.5

# Of the pixels; noise of single pixels (salt and pepper, rain of particles) is not what is sought.
_MOST = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Defects:
    """
    Defective pixels of one frame, in raster order.

    Attributes
    ----------
    places : (k, 2) int64
        Rows and columns.
    values : (k,) float
        What to replace them by.
    floor : float
        Least distance from the neighbours that counts in this frame, in grey values.
    """

    places: Places
    values: Field
    floor: float

    def __len__(self) -> int:
        return len(self.places)


NONE = Defects(np.empty((0, 2), np.int64), np.empty(0), np.inf)


def find_defects(frame: Measured, polarity: Polarity, by: Search) -> Defects:
    """
    Find dead, hot and stuck pixels.

    Parameters
    ----------
    frame : Measured
    polarity : {"bright", "dark", "auto"}
        Of the targets: towards the other side, less is needed to be a defect. ``auto`` treats both alike.
    by : Search

    Returns
    -------
    Defects
        None where more than 2 % of the pixels would be defective.
    """
    floor = max(_ROUGHNESSES * frame.deviation, _LEVELS * frame.step)
    if not 0 < floor < np.inf:
        return NONE
    above = _AGAINST if polarity == "dark" else _ALONG
    below = _AGAINST if polarity == "bright" else _ALONG
    most = int(_MOST * frame.values.size) + 1
    places, instead = by.search(frame.values, floor, above, below, most)
    return Defects(places, instead, floor) if 0 < len(places) < most else NONE

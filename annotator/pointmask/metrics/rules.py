"""How published evaluations differ from ours, one row each; `counters.score` heeds them.

Read in the released programs (see the names at `RULES`), which differ in four places:

* *Grey truth*: masks are divided by 255 and never binarised. Values from 128 to 254 enter the union, can
  never be hit, and do not exist for Pd; pixAcc counts every value above 0 as labelled. 85 of the 1,001 masks
  of IRSTD-1k have such values.
* *Areas by value*: a false component as large as any matched one goes uncounted, so that Fa is too low.
* *Rounded centroids* of true targets, and another distance.
* Figures without a target are 0, not undefined.

None of them is a better definition.
"""

from dataclasses import dataclass
from typing import Literal

Compat = Literal["basicirstd", "basicirstd-2023", "dnanet", "lesps", "edgsp"]
"""Published evaluations that can be repeated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """
    Differences between published evaluations; the defaults are ours.

    Attributes
    ----------
    distance : float
        Largest distance in px between the centroids of a true target and of its component.
    closed : bool
        A distance equal to the largest one matches.
    rounded_truth : bool
        True centroids are rounded to whole pixels.
    area_by_value : bool
        A false component as large as any matched component goes uncounted.
    grey_truth : bool
        Only 255 can be hit, but 128 to 254 enter the union.
    """

    distance: float = 3.0
    closed: bool = False
    rounded_truth: bool = False
    area_by_value: bool = False
    grey_truth: bool = False


RULES: dict[str | None, Rule] = {
    None: Rule(),
    "basicirstd": Rule(grey_truth=True),  # metrics.py since January 2024
    "basicirstd-2023": Rule(grey_truth=True, area_by_value=True),  # metrics.py before
    "dnanet": Rule(grey_truth=True, area_by_value=True),  # model/metric.py, at its threshold of logit 0
    "lesps": Rule(grey_truth=True),
    "edgsp": Rule(area_by_value=True, rounded_truth=True, distance=2.0, closed=True),
}
"""By name; None is ours. Each states only what is known to differ, to be checked against its source."""

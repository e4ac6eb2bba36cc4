"""Strategies whose labels begin with points and evolve with the detector, LESPS and PAL, and their parts.

``evolution`` updates a label by a prediction, ``prestart`` finds the images that are easy from their edges,
``admission`` decides when a hard one joins: functions of arrays that know of no training.
May import: the contract in `base` and `training`, `labels`, and all below. Open first: ``lesps.py``.
"""

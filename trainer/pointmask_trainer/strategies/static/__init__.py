"""Strategies whose labels are made once and never change: masks, pseudo-masks, points.

May import: the contract in `base` and `training`, data and all below. Open first: ``point.py``.
"""

"""Frames as networks see them: without margins, gaps, bad pixels and faded borders.

May import: `pointmask`. Open first: ``frames.py``, then ``fading.py``.
"""

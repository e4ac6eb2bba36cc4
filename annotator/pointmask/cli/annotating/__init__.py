"""The command `annotate`, and what it prints of points that were tracked.

May import: everything of pointmask. Open first: ``annotate.py``.
"""

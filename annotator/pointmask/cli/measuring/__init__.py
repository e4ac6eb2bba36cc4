"""Commands that measure: `bench` runs annotators, `score` reads masks of any origin.

May import: everything of pointmask. Open first: ``score.py``.
"""

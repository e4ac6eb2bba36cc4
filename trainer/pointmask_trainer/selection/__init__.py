"""`pointmask select`: the training images that a run learned most from, and chance for comparison.

May import: run, analysis, data and all below. Open first: ``ranking.py``.
"""

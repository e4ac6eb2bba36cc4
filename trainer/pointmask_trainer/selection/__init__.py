"""`pointmask select`: the training images that a run learned most from, and chance for comparison.

May import: run, analysis, strategies, data and all below. Open first: ``run.py``.
"""

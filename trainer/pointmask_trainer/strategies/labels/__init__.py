"""What strategies make labels with: the annotator over whole splits, windows, and learning theta.

May import: operator, data, inference and all below; never a strategy. Open first: ``annotating.py``.
"""

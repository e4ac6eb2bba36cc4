"""What strategies weigh images with: the meta-classifier, its features and its hypergradient.

May import: data, detectors and all below; never a strategy. Open first: ``weighting.py``.
"""

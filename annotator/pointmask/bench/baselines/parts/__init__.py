"""What several baselines share, or one uses that a library has not: frame, CRF, CLAHE, level set.

May import: annotator, errors, the kernels beside it; never a baseline. Open first: ``frame.py``.
"""

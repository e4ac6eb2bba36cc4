"""`pointmask calibrate`: fit theta to a few dozen masks of the user's own.

`pairs` reads images, points and masks, `knobs` are the directions in which theta moves, `search` is the
optimiser with its cross-validation, and `fit` judges on held-out images whether the result is worth having.
May import: annotator, io, metrics and all below.
Open first: ``fit.py``.
"""

"""`pointmask calibrate`: fit theta to a few masks of the user's own.

`pairs` reads images, points and masks, and `samples` cuts them and counts. `style` fits the drawing style,
`knobs` are the other directions in which theta moves, `search` is their optimiser with its cross-validation,
`certainty` recalibrates the confidence. `fit` does one after the other, `gain` says what it is worth.
May import: annotator, io, drawing, metrics and all below.
Open first: ``fit.py``.
"""

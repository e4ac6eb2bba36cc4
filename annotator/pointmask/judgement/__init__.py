"""Whether the clicks of a whole list lie on targets, and if not, which systematic error put them elsewhere.

Numbers only: `statistic` measures how much a place stands out from its image, `transformations` names the
usual errors and what undoes them, and `verdict` judges a list. `pointmask.folder.judging` feeds it.
May import: nothing of pointmask. Open first: ``verdict.py``.
"""

"""Whether the clicks of a whole list lie on targets, and if not, which systematic error put them elsewhere.

Numbers only: `statistic` measures how much a place stands out from its image, `transformations` names the
usual errors and what undoes them, `verdict` judges a list, and `sample` chooses the images that it is judged
on. `pointmask.folder.judging`, `pointmask.doctor.whole` and the trainer read files for it.
May import: nothing of pointmask. Open first: ``verdict.py``.
"""

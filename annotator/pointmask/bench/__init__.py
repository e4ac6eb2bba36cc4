"""`pointmask bench`: annotators side by side on the same images, quality and time in one run.

`cases` are the images and points, `run` measures, `summary` averages, `report` and `chart` show; `baselines`
holds the literature's annotators, a class each, and other packages may add theirs.
May import: annotator, io, drawing, metrics, synth and all below. Nothing imports bench but the command.
Open first: ``run.py``.
"""

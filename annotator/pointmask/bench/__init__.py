"""`pointmask bench`: compare annotators on the same images, in quality and time.

`cases` loads images and points, `run` measures, `summary` averages, `report` and `chart` present; `baselines`
holds the annotators of the literature, one class each, and other packages may add theirs.
May import: annotator, io, drawing, metrics, synth and all below. Nothing imports bench but the command.
Open first: ``run.py``.
"""

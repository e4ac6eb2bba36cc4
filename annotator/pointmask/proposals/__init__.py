"""Proposals: where targets may be, from the image alone, for a person to accept or refuse.

`propose` does one image: `candidates` finds the places that stand out from all that surrounds them, the
annotator makes a mask of each, `evidence` measures it, and `ranking` turns the measurements into a score.
`table` does a folder. Nothing here is trained on pixels; `ranking` says what was fitted, and to what.
May import: annotator, io, kernels and all below. Open first: ``propose.py``.
"""

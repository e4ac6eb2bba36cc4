"""`pointmask score`: masks of any origin against true masks, image by image and target by target.

`sources` opens a place of masks, `pairs` finds the masks of one image by name, `run` measures, `intervals`
says how sure the figures are, `report` makes tables and files of them, and `page` shows the worst cases.
May import: io, metrics, drawing, executors, errors. Open first: ``run.py``.
"""

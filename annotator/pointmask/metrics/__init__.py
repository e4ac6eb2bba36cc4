"""IoU, nIoU, Pd, Fa and figures per target, each defined once.

`counters` adds up images and forms the figures, `assignment` pairs true targets with components, `targets`
scores target by target, `data_sets` tells the data sets of the field by file names.
May import: components, errors, and the result types of annotator.
Open first: ``counters.py``.
"""

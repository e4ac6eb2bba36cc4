"""A training folder in memory: images, points, masks, lists, and crops of them on the device.

`folder` knows what lies where, `split` reads a list of images, `points` pairs them with clicks, `pool` cuts
crops, `augment` and `normalisation` change them, `labels` are what a strategy made, `batch` is one step.
May import: config, distributed, errors, `pointmask.io`. Never detectors or strategies.
Open first: ``split.py``.
"""

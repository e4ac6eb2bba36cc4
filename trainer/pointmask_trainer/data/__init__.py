"""A training folder in memory: images, points, masks, lists, and crops of them on the device.

`folder` locates the files, `split` reads a list of images, `cleaning` takes out what is no scene, `points`
pairs them with clicks, `pool` extracts crops, `augment` and `normalisation` transform them, `labels` stores
the training labels, `batch` is one step.
May import: config, distributed, errors, `pointmask.io`. Never detectors or strategies.
Open first: ``split.py``.
"""

"""The files of one training run: their names, and how they are written and read.

`layout` defines the names, `journal` stores one line per epoch, `checkpoint` weights and training state,
`source` the location of the data, `events` writes TensorBoard files.
May import: data, detectors, config, errors. Open first: ``layout.py``.
"""

"""The files of one training run: what they are called, and how they are written and read back.

`layout` names them, `journal` holds one line per epoch, `checkpoint` weights and state, `source` where the
data lay, `events` TensorBoard.
May import: data, detectors, config, errors. Open first: ``layout.py``.
"""

"""Foundation models as others published them: our own forward code, weights from the user's disk.

`sam` and `sam2` are annotators of ``pointmask bench`` (``annotate``); ``loading`` recognises a file, builds
the network that its shapes describe, and gives it the weights::

    network = load_segmenter("sam_vit_b_01ec64.pth", "sam").network

May import: published, errors and what a baseline of pointmask needs; no detectors, no data. Open first:
``segmenter.py``.
"""

"""Foundation models as others published them: our own forward code, weights from the user's disk.

`sam` and `sam2` are annotators of ``pointmask bench`` (``annotate``), DINO teaches in strategy ``priors``.
``loading`` and ``dino_loading`` recognise a file, build the network that its shapes describe, and fill it::

    network = load_segmenter("sam_vit_b_01ec64.pth", "sam").network

May import: published, errors and what a baseline of pointmask needs; no detectors, no data. Open first:
``segmenter.py``.
"""

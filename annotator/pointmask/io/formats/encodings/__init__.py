"""Encodings of masks in documents: run lengths, brushes, outlines along pixel edges, restricted ``.npy``.

Pure functions between arrays and JSON values or bytes. May import: errors, components.
Open first: ``rle.py``.
"""

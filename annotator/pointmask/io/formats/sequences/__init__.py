"""Annotations of tracking and detection benchmarks: boxes of sequences, and of aerial images.

One class per file; `sequence` finds the images that a file counts. May import: base, labelled, parts, points,
images. Open first: ``mot.py``.
"""

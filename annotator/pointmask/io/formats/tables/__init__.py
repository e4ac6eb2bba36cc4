"""Formats of plain rows and records: CSV, JSON, Excel, MATLAB, ImageJ, regions, and our own manifest.

One class per file. May import: base, labelled, parts, encodings, sequences, points,
images, files.
Open first: ``csv.py``.
"""

"""Formats of plain lines: CSV, JSON lines, and our own manifest.

One class per file. May import: base, labelled, parts, encodings, points, images, files.
Open first: ``csv.py``.
"""

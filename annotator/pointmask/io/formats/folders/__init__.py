"""Formats that are a folder of a fixed layout: masks, point images, training folders, MCLC.

One class per file. May import: base, labelled, parts, encodings, points, images, files.
Open first: ``masks.py``.
"""

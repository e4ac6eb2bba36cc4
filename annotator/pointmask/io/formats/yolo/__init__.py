"""YOLO label files of all kinds: boxes, polygons, key points, tracks; roots as tools export them.

One class per file. May import: base, labelled, parts, encodings, points, images, files.
Open first: ``labels.py``.
"""

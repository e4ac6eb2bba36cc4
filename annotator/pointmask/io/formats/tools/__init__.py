"""Formats of annotation tools: COCO, CVAT, LabelMe, Label Studio, VIA, VOC, napari.

One class per file. May import: base, labelled, parts, encodings, points, images, files.
Open first: ``coco.py``.
"""

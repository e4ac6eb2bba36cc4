"""Formats of data sets, and of tools that are met less often: they are read, not written.

One class per file: SIRST's XML, CreateML, VoTT, Supervisely, COCO results, Label Studio's JSON-MIN.
May import: base, labelled, parts, encodings, tools, points, images, files. Open first: ``createml.py``.
"""

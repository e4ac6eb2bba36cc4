"""Files in and out; the right tower of the house, which knows no method.

Three rooms: `images` (any raster as one band), `points` (clicks, names and lists) and `formats` (annotations
of any tool, in and out); beside them `files` (writing whole or not at all), `lines` (appending), `lock` (one
job at a time) and `layout` (what lies where).
May import: errors, settings, components, registry, executors. Never annotator, kernels or numba.
Open first: ``images/open.py`` for images, ``formats/base.py`` for annotations.
"""

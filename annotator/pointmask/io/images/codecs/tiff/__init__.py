"""TIFF: any number of pages through tifffile, and a quick reader of what most files are, one plain page.

May import: the other codecs' helpers and errors. Open first: ``pages.py``.
"""

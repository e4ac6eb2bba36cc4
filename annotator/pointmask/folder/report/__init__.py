"""The page ``report.html`` of a folder job: which targets it shows, and how.

May import: `pointmask.folder.records`, annotator, drawing, metrics, io and all below.
Open first: ``page.py``.
"""

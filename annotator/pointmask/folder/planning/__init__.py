"""What a job has to do, before any image is opened: which image gets which points, and what cannot be done.

`planned` keeps the pairs in a few bytes per image.
May import: annotator, io and all below.
Open first: ``plan.py``.
"""

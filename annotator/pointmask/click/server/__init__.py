"""HTTP for the page: who may ask, which address does what, and how errors are told.

`guard` stands before everything and lets in only what the page itself sends.
May import: session and frames of click, and all below. Open first: ``guard.py``.
"""

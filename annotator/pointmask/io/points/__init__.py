"""Clicks by image: points as every other module sees them, and which name means which image.

`points` are the types, `packed` holds millions of them, `match` pairs names with image files, `lists` reads
id lists.
May import: images, files and layout of io, and errors. Never formats.
Open first: ``points.py``, then ``match.py``.
"""

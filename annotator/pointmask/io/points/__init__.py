"""Clicks by image: points as every other module sees them, and which name means which image.

`points` are the types, `packed` holds millions of them. `names` are forms and order of image names, `match`
is the one rule by which names find images, `settle` chooses among several names of one image, `by_frame`
joins points by them, `lists` reads id lists. `fit` moves points into the size of their image.
May import: images, files and layout of io, and errors. Never formats.
Open first: ``points.py``, then ``match.py``.
"""

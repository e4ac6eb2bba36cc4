"""Networks whose output is points: a heat map at a quarter of the image's size, with a peak at each target.

May import: blocks and the contract of image networks. Open first: ``base.py``.
"""

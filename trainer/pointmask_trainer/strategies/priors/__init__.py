"""A frozen foundation model as teacher: what it sees in a frame modulates the detector while it is trained.

May import: the foundation models, and PAL, whose evolution of labels it shares. Open first: ``priors.py``.
"""

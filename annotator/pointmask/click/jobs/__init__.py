"""Long work of a session, each a function that reports how far it is and can be stopped.

May import: session, base, masks, tracking, calibrate and all below. Open first: ``track.py``.
"""

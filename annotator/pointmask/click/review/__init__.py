"""The review queue: which targets to look at next, how far one is, and when to stop.

May import: session, base, contract and all below. Open first: ``queue.py``.
"""

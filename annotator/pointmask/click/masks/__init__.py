"""From what is known of a frame's targets to their masks: each on its own, then the pixels they share.

May import: contract, annotator, folder.records and all below. Open first: ``divided.py``.
"""

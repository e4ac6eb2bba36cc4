"""What a click folder held before its first line: the masks of a job that is reviewed, points to start from.

May import: journal, contract, folder and all below. Open first: ``manifest.py``.
"""

"""What a click folder held before its first line: the masks of a job that is reviewed, points to start from.

So are `proposals`, which are shown until each is judged.
May import: journal, contract, folder and all below. Open first: ``manifest.py``.
"""

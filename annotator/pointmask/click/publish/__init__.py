"""From a journal to the folder that all other commands read: masks, manifest, points.

`entries` makes a manifest line of a frame, `folder` writes them all, `pictures` keeps ``masks/`` up to date
while people edit.
May import: journal, contract, folder and all below. Open first: ``folder.py``.
"""

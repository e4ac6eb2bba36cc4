"""Networks of the literature, implemented from their descriptions, and `contrast_unet`, our own; a file each.

May import: torch, ``detectors.base`` and ``detectors.blocks``. Open first: ``alcnet.py``.
"""

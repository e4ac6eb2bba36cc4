"""Networks of the literature, implemented from their descriptions, one file each.

May import: torch, ``detectors.base`` and ``detectors.blocks``. Open first: ``alcnet.py``.
"""

"""Numba loops of the baselines alone; each has a slow twin in ``tests/tools/naive``.

May import: numba and numpy. Open first: ``crf.py``.
"""

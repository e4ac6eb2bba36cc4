"""Numba loops of tracking alone; each has a slow twin in ``tests/tools/naive``.

May import: numba and numpy. Open first: ``beam.py``.
"""

"""Numba loops of the proposals, under the rules of `pointmask.kernels`; slow twins in ``tests/tools/naive``.

May import: numba, numpy and `pointmask.kernels`. Open first: ``prominence.py``.
"""

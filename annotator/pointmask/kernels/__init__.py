"""Numba loops of the annotator: no I/O, no validation, no allocation that the caller could do.

Each has a slow twin in ``tests/tools/naive`` that its tests compare it with. Arrays are C-contiguous float64
unless a docstring says otherwise; results are written to the last arguments.
May import: numba and numpy. Open first: ``potential.py``, the whole operator, then ``diffuse.py``, its steps.
"""

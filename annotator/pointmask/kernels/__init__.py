"""Numba loops only: no I/O, no validation, no allocation that the caller could do."""

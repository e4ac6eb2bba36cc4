"""Layers shared by several networks.

May import: torch, and ``detectors.base``. Open first: ``common.py``.
"""

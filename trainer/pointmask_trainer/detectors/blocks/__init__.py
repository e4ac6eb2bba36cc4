"""Layers that several networks share.

May import: torch, and ``detectors.base``. Open first: ``common.py``.
"""

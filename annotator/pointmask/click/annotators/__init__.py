"""Several annotators: how well their folders agree, and how they become one.

May import: publish, contract, folder, metrics and all below. Open first: ``agree.py``.
"""

"""Point supervision of networks that find points: SPIRE's targets and losses.

May import: the contract of strategies and the locators'. Open first: ``spire.py``.
"""

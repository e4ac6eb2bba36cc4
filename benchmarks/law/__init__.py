"""The fit of a resemblance network on the torch operator: windows with true masks, and gradient descent.

Open first: ``windows.py``.
"""

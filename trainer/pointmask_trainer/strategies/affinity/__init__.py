"""Targets made within each batch, from the affinity of features to each point: the strategy and its parts.

``targets`` says which pixels of a crop are targets, background or ignored, ``contrast`` separates features,
``support`` sizes a point's surroundings, ``probe`` measures how targets drift.
May import: the contract in `base` and `training`, `labels`, and all below. Open first: ``gsacp.py``.
"""

"""The annotators that `pointmask bench` compares: ours, and the literature's, written anew from descriptions.

Each is a class that derives from `base.Baseline`, in a file of its own, and a line of the table in
`registry`, which names it without importing it; another package adds one by an entry point of the group
``pointmask.baselines``.
May import: annotator, kernels and all below. Open first: ``base.py``, then ``threshold.py``.
"""

"""Ways to supervise a detector: labels, sample weights, losses, and updates beside the detector's.

``static/`` holds those whose labels never change, ``evolving/`` those whose labels follow the detector,
``affinity/`` targets made within the batch; ``labels/`` and ``weights/`` are tools of several.

Each is a class that derives from `base.Strategy`, in a file of its own, and a line of the table in
`registry`, which names it without importing it; another package adds one by an entry point of the group
``pointmask.strategies``. A strategy sees the protocol `training.Training`, never the loop behind it.
May import: inference, operator, detectors, data and all below. Open first: ``base.py``, then
``static/point.py``.
"""

"""Sequences: points of one frame are tracked through the frames that follow.

`sequences` finds the sequences of a folder and carries points through them. `reading` yields their frames up
to a `scene_change`. `follow` tracks the targets of
one sequence, each with a `pursuit`, which extends competing `histories` from the `first_frame` on and models
the `appearance` of its target. `camera_motion` is compensated, `meetings` of targets are resolved, and
`smoothing` refines every path.
May import: annotator, io, kernels, mending and all below. Open first: ``sequences.py``, then ``follow.py``.
"""

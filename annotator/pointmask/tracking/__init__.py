"""Sequences: one click serves a run of frames.

`sequences` finds the sequences of a folder and carries points through them; `follow` follows the targets of
one sequence, each by a `pursuit`, which extends competing `histories` from the `first_frame` on and knows its
target's `appearance`; `camera_motion` is removed, `meetings` of targets are resolved, and `smoothing` refines
every path.
May import: annotator, io, kernels and all below. Open first: ``sequences.py``, then ``follow.py``.
"""

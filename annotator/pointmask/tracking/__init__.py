"""Sequences: one click serves a run of frames.

`sequences` finds the sequences of a folder and carries points through them; `follow` follows the targets of
one sequence, each by a `pursuit` that knows its target's `appearance`, with the `camera_motion` taken out and
`meetings` of targets kept apart; `smoothing` has the last word on every path.
May import: annotator, io, kernels and all below. Open first: ``sequences.py``, then ``follow.py``.
"""

"""Numbers in, masks out: one image and its points become soft labels, masks and confidences.

`image` is the front door, `point` solves one target, the other modules are its steps in the order in which it
takes them: `window`, `operator` (the diffusion), `superpixel`, `fuse`, then `crowd` and `confidence`.
May import: kernels, components, theta, errors. Never io: nothing here knows a file.
Open first: ``image.py``, then ``point.py``.
"""

"""The annotator's operator in torch: batched windows, gradients to every entry of theta.

`forward` is the whole, `diffuse` the iteration with its own backward pass, `theta` the parameters as tensors.
Agrees with `pointmask.annotator` to 1e-5 in float32 and 1e-10 in float64.
May import: torch, `pointmask.annotator`, `pointmask.theta`. Open first: ``forward.py``.
"""

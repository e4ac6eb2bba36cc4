"""Parts of the strategy ``d2d``: sample weights, their gradients, and the annotator's parameters."""

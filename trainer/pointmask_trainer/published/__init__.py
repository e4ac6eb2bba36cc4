"""Weights that others published, read without running any code of theirs.

``files`` reads a file into named tensors; ``keys`` gives them the names of our networks and checks each one::

    weights = read_weights("sam_vit_b_01ec64.pth")
    network.load_state_dict(fitted(weights, shapes_of(network), rules))

Nothing contacts a network: files are local.
May import: errors of both packages and pointmask.regular. Open first: ``files.py``.
"""

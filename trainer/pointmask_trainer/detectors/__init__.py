"""Segmentation networks of the literature, implemented from their descriptions, one file each.

All follow one contract (`base.Detector`): images of any size and any number of channels in, logits out,
and in training mode also auxiliary maps::

    net = build("acm_unet", in_channels=1)    # from registry
    net(images)["logits"]                     # (N, 1, H, W)

A new network is one file in ``networks`` and one line in ``registry``; another package adds one by an entry
point of the group ``pointmask.detectors``. Networks that find points instead of areas are in ``locators``.
May import: errors, blocks and networks; never data, training or strategies. Open first: ``base.py``.
"""

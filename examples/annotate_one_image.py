"""Annotate one image from its clicks, as in a notebook.

Run ``python annotate_one_image.py``. It makes a scene, annotates it and writes ``one_image.png``: the frame
on the left, the outline of each mask in green on the right. Check that the outlines follow the blobs.
The confidence printed for each target is its predicted IoU, so inspect the lowest first.
"""

import numpy as np
from PIL import Image
from scipy import ndimage as ndi

import pointmask
from pointmask import TargetSpec

# Any 2-D array of integers or floats works; load your own with
# image = np.asarray(Image.open("frame.png")).
specs = [TargetSpec(area=70, shape="aeroplane"), TargetSpec(area=25), TargetSpec(area=9)]
scene = pointmask.make_scene("clouds", seed=21, targets=specs, contrast=12)
image, clicks = scene.image, scene.points  # clicks are (row, col)

annotation = pointmask.annotate(image, clicks)

for target in annotation.targets:
    row, col = target.point
    note = f"  ({', '.join(target.flags)})" if target.flags else ""
    print(f"click ({row}, {col}): {target.area} pixels, confidence {target.confidence:.2f}{note}")

mask = annotation.mask  # (H, W) bool; annotation.soft and annotation.instances have the same shape
right = np.repeat(image[..., None], 3, axis=2)
right[ndi.binary_dilation(mask) & ~mask] = (0, 255, 0)
left = np.repeat(image[..., None], 3, axis=2)
both = Image.fromarray(np.concatenate([left, right], axis=1))
both.resize((both.width * 3, both.height * 3), Image.Resampling.NEAREST).save("one_image.png")
print("wrote one_image.png")

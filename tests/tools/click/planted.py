"""Frames with clear targets at known places, and the masks that `annotate` makes of them."""

import numpy as np
import tifffile

from pointmask import Theta, annotate
from pointmask.synth.scenes import make_scene
from pointmask.synth.targets import TargetSpec

THETA = Theta.load("default")


def planted(folder, count=3, *, shape=(96, 128), targets=2, seed=1, first=0, sub=""):
    """Write 14-bit frames with clear targets; return their scenes by name."""
    scenes = {}
    (folder / sub).mkdir(parents=True, exist_ok=True)
    for k in range(first, first + count):
        specs = [TargetSpec(area=14.0 + 6 * j, contrast=12.0, shape="blob") for j in range(targets)]
        scene = make_scene("sky", shape=shape, seed=(seed, k), bits=14, targets=specs, bad_pixels=0)
        name = f"{sub}{'/' if sub else ''}f{k:04d}.tif"
        tifffile.imwrite(folder / name, scene.image)
        scenes[name] = scene
    return scenes


def mask_of(image, points, polarity="bright"):
    """The mask that `annotate` makes of points."""
    return np.asarray(annotate(image, list(points), theta=THETA, polarity=polarity).mask)

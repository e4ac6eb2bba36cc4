"""A training folder of built-in scenes, and settings that train on it in seconds."""

from pathlib import Path

import numpy as np

from pointmask.io.images.array import encode_png
from pointmask.synth.scenes import make_scenes

TINY = (
    "batch=4",
    "epochs=2",
    "model.name=acm_unet",
    "augment.crop=32",
    "optim.lr=0.01",
    "run.device=cpu",
    "run.threads=1",
)


def make_folder(root: Path, count: int = 10, *, bits: int = 8, side: int = 48) -> Path:
    """Write ``images/``, ``masks/``, ``points.csv`` and lists of scenes with one target or more."""
    for name in ("images", "masks", "img_idx"):
        (root / name).mkdir(parents=True)
    names, rows = [], ["image,x,y"]
    for k, scene in enumerate(make_scenes(count, seed=3, shape=(side, side), bits=bits)):
        name = f"scene_{k:03d}"
        names.append(name)
        (root / "images" / f"{name}.png").write_bytes(encode_png(np.ascontiguousarray(scene.image)))
        (root / "masks" / f"{name}.png").write_bytes(encode_png(scene.mask))
        rows += [f"{name},{col},{row}" for row, col in scene.points]
    (root / "points.csv").write_text("\n".join(rows) + "\n")
    held = max(2, count // 5)
    (root / "img_idx" / "train_scenes.txt").write_text("\r\n".join(names[:-held]) + "\r\n")
    (root / "img_idx" / "val_scenes.txt").write_text("\n".join(names[-held:]) + "\n")
    return root

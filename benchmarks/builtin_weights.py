"""Make the weights that come with the package, from built-in scenes alone.

    python benchmarks/builtin_weights.py --work FOLDER            # three quarters of an hour of one core
    python benchmarks/builtin_weights.py --work FOLDER --scenes 40 --epochs 1 --out other.safetensors

Writes the scenes into FOLDER/scenes, trains in FOLDER/run (run it again to go on after an interruption), and
stores the weights of the last epoch in half precision, with a card that says where they come from, in place
of ``presets/builtin.safetensors``. No real image is read.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from pointmask.io.files import write_whole
from pointmask.io.images.array import encode_png
from pointmask.synth.hard import make_hard_scene
from pointmask.synth.scenes import make_scenes
from pointmask_trainer.config import Config, from_toml
from pointmask_trainer.run.checkpoint import BUILTIN_WEIGHTS, ModelCard, load_model, save_model
from pointmask_trainer.run.mask_settings import MaskSettings
from pointmask_trainer.run.source import Source
from pointmask_trainer.training.train import Watcher, train

SEED, HELD, PLAIN = 11, 100, 4  # of all scenes; to validate on; every fourth is of pointmask.synth.scenes
RECIPE = """
epochs = 8
batch = 8
strategy = { name = "full" }
model = { name = "contrast_unet", prior = 0.02, normalisation = "image" }
loss = { name = "softiou+focal" }
run = { device = "cpu", precision = "bf16", channels_last = true, threads = 1, validate_every = 4 }

[augment]
crop = 192
positive = 0.5
scale = 0.3
brightness = 0.5
contrast = 0.5
noise = 0.1
share = 0.5

[optim]
lr = 4e-3
schedule = "cosine"
warmup = 0.3
clip = 5.0
average = 0.995
"""


def main() -> None:
    """Write scenes, train, and store the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for scenes and run")
    parser.add_argument("--scenes", type=int, default=4000, help="to train on")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--out", type=Path, default=BUILTIN_WEIGHTS)
    options = parser.parse_args()
    config = from_toml(RECIPE)
    if options.epochs:
        config = replace(config, epochs=options.epochs)
    write_scenes(options.work / "scenes", options.scenes)
    watcher = Watcher(message=print, epoch=lambda metrics: print(metrics, flush=True))
    train(config, Source(root=options.work / "scenes"), options.work / "run", resume=True, watcher=watcher)
    store(options.work / "run", config, options.scenes, options.out)


def write_scenes(root: Path, count: int) -> None:
    """Write a training folder, unless it is there."""
    if (root / "img_idx").is_dir():
        return
    for name in ("images", "masks"):
        (root / name).mkdir(parents=True, exist_ok=True)
    plain = make_scenes(count + HELD, seed=SEED)
    names = [f"{k:05d}" for k in range(count + HELD)]
    for k, name in enumerate(names):
        scene = make_hard_scene((SEED, k)) if k % PLAIN else next(plain)
        write_whole(root / "images" / f"{name}.png", encode_png(scene.image))
        write_whole(root / "masks" / f"{name}.png", encode_png(scene.mask))
    (root / "img_idx").mkdir()  # last: by it the folder is known to be whole
    write_whole(root / "img_idx" / "train_scenes.txt", "".join(f"{name}\n" for name in names[HELD:]))
    write_whole(root / "img_idx" / "val_scenes.txt", "".join(f"{name}\n" for name in names[:HELD]))


def store(run: Path, config: Config, count: int, path: Path) -> None:
    """Write the best epoch's weights in half precision."""
    model, card = load_model(run)
    facts = {
        "trained_on": f"{count:,} scenes of pointmask.synth; no real image was ever seen",
        "licence": "MIT, as pointmask",
        "epochs": config.epochs,
    }
    own = ModelCard(config.model, card.normalisation, facts, MaskSettings("operator"))
    save_model(path, model.half(), own)
    print(f"{path}: {path.stat().st_size / 2**20:.2f} MiB")


if __name__ == "__main__":
    main()

"""Train a detector from clicks: annotate scenes, train on the masks, and score against the exact masks.

Run ``python train_on_points.py [FOLDER]``; it needs ``pip install 'pointmask[train]'``. It fills FOLDER
(default: ``train_example``) with 100 small scenes and does from Python what

    pointmask annotate FOLDER/images --points FOLDER/points.csv --out FOLDER/labels
    pointmask train FOLDER --strategy masks --masks FOLDER/labels --preset cpu --out FOLDER/run
    pointmask evaluate FOLDER/run FOLDER

do in a terminal. Open FOLDER/run/report.html for the curves and the worst scenes. The exact masks are used
for scoring only. Everything takes under a minute, since training starts from the weights of the package; more
epochs improve the detector. A second run has nothing left to do.
"""

import csv
import sys
from pathlib import Path

from PIL import Image

from pointmask import annotate_folder, make_scenes
from pointmask_trainer import Source, Watcher, evaluate_folder, load_config, train

SETTINGS = ("epochs=12", "augment.crop=64", "optim.lr=0.01", "run.validate_every=4", "run.device=cpu")


def write_scenes(folder: Path) -> None:
    """Write scenes, their exact masks, and one row per target: image,x,y (0-based pixels)."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    with (folder / "points.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["image", "x", "y"])
        for scene in make_scenes(100, seed=1, shape=(64, 64)):
            Image.fromarray(scene.image).save(folder / "images" / f"{scene.name}.png")
            Image.fromarray(scene.mask).save(folder / "masks" / f"{scene.name}.png")
            rows.writerows([f"{scene.name}.png", col, row] for row, col in scene.points)
            if not scene.points:
                rows.writerow([f"{scene.name}.png", "", ""])


def score(folder: Path) -> None:
    """Print the scores of the best epoch's detector on the validation scenes."""
    total = evaluate_folder(folder / "run", folder, device="cpu").evaluation.whole.score
    print(
        f"against exact masks: IoU {total.iou:.3f}, Pd {total.pd:.3f}, Fa {1e6 * total.fa:.0f} per million px"
    )


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "train_example")
    write_scenes(folder)
    summary = annotate_folder(folder / "images", folder / "points.csv", folder / "labels")
    print(f"{summary.targets} targets annotated")
    config = load_config(preset="cpu", settings=SETTINGS)
    source = Source(root=folder, masks=folder / "labels")
    best = train(config, source, folder / "run", resume=True, watcher=Watcher(message=print))
    print(f"best epoch {best['epoch']}: IoU {best['val_labels']['iou']:.3f} with the pseudo-masks of val.txt")
    score(folder)
    print(f"open {folder / 'run' / 'report.html'}")


if __name__ == "__main__":
    main()

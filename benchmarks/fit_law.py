"""Fit a resemblance network ("law" in theta) on the torch operator, from a seed, and write the theta.

python benchmarks/fit_law.py --out FILE                          preset synthetic: built-in scenes alone
python benchmarks/fit_law.py --sirst3 --out FILE                 and SIRST3's train list, in POINTMASK_SIRST3
python benchmarks/fit_law.py --scenes 60 --epochs 1 --out FILE   a quick test

All weights of the network, growth, decay and conductances begin at values that know no data and follow
the gradient of a soft IoU through the unrolled steps. Half of the windows come from degraded copies
(scales 0.6 to 1.7, then blur, steps, JPEG or noise), and two in five true masks are grown or shrunk by a
pixel and fitted in the style that stands for it. The confidence is fitted to other scenes of the same
kind. What is not fitted, the window, stages and rules for clicks and scales, is that of the preset
default. One number knows of people: OUTLINE. ``annotation_quality.py --theta FILE`` measures the result
on SIRST3, and ``calibration_draws.py --theta FILE --wild FOLDER`` on other sources.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
import torch
from law.fitting import blank, fit
from law.windows import of_scenes, of_sirst3
from support.logistic import logistic_weights

from pointmask.annotator.confidence import measure
from pointmask.annotator.fuse import binarise, fuse
from pointmask.annotator.operator import assemble, solve
from pointmask.annotator.superpixel import superpixel_of
from pointmask.theta import Theta

OUTLINE = 0.2  # style of the scenes' masks: their exact outline is at half the contrast, and people draw more
PENALTY = 1e-3  # on the squares of the confidence's weights


def main() -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scenes", type=int, default=5000, help="built-in scenes")
    parser.add_argument("--sirst3", action="store_true", help="also the train list of SIRST3")
    parser.add_argument("--every", type=int, default=1, help="take every n-th image of the train list")
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    torch.set_num_threads(1)
    start = time.monotonic()
    structure = Theta.load("default")
    samples = list(of_scenes(options.scenes, options.seed, structure, OUTLINE))
    if options.sirst3:
        folder = Path(os.environ.get("POINTMASK_SIRST3", ""))
        samples += of_sirst3(folder, options.every, options.seed, structure)
    print(f"{len(samples):,} targets, {time.monotonic() - start:.0f} s", flush=True)
    theta = fit(
        blank(structure, options.seed),
        samples,
        epochs=options.epochs,
        seed=options.seed,
        report=lambda epoch, loss: print(f"epoch {epoch}: loss {loss:.4f}", flush=True),
    )
    theta = with_confidence(theta, max(options.scenes // 5, 20), options.seed + 1)
    options.out.write_text(theta.to_toml(), encoding="utf-8")
    print(f"written: {options.out}, digest {theta.digest}, {time.monotonic() - start:.0f} s")


def with_confidence(theta: Theta, scenes: int, seed: int) -> Theta:
    """Fit the confidence to the masks of scenes that the network did not see."""
    operator = assemble(theta)
    inputs, ious = [], []
    for sample in of_scenes(scenes, seed, theta, OUTLINE):
        window = sample.window
        if sample.style:
            continue
        superpixel = superpixel_of(window, theta)
        soft = fuse(solve(window, operator), superpixel, theta.rho)
        mask, area = binarise(soft, theta.level, theta.half_size, theta.half_size, theta.reach)
        if area:
            inputs.append(measure(window, soft, soft, mask, theta))
            ious.append(float((mask & sample.truth).sum() / (mask | sample.truth).sum()))
    weights = logistic_weights(np.array(inputs), np.array(ious), penalty=PENALTY)
    return theta.with_(confidence=tuple(float(f"{weight:.5g}") for weight in weights))


if __name__ == "__main__":
    main()

"""Measure what degraded images cost: blur, compression, quantisation, defective pixels, noise, scale.

python benchmarks/degradations.py                        val list, ours and MCLC
python benchmarks/degradations.py --split train --every 5 --methods ours --results /tmp

Each image of a list is degraded in the same way for all methods (seeded), annotated from its centroid click,
and compared with its true mask. POINTMASK_SIRST3 names the folder of SIRST3. Prints IoU pooled over the list,
nIoU, the mean over images, and the loss against the images as they are; writes ``degradations.json`` and
``.md``.
"""

import argparse
import os
from pathlib import Path
from zlib import crc32

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"

import numpy as np  # noqa: E402
from masks.data import SPLITS, Frame, read_frames  # noqa: E402
from masks.degraded import DEGRADATIONS  # noqa: E402
from support.results import FOLDER, command, save  # noqa: E402

from pointmask.bench.baselines.registry import make_baseline  # noqa: E402
from pointmask.io.files import write_whole  # noqa: E402

Figures = dict[str, dict[str, float]]


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--split", choices=SPLITS, default="val")
    parser.add_argument("--every", type=int, default=1, help="one image of so many")
    parser.add_argument("--methods", default="ours,mclc")
    parser.add_argument("--only", help="degradations, with commas between")
    parser.add_argument("--results", type=Path, default=FOLDER)
    options = parser.parse_args()
    folder = Path(os.environ.get("POINTMASK_SIRST3", ""))
    if not (folder / "images").is_dir():
        raise SystemExit("POINTMASK_SIRST3 must name the folder that holds images/, masks/ and splits/")
    frames = read_frames(folder, (options.split,), options.every)
    names = options.only.split(",") if options.only else list(DEGRADATIONS)
    results = {method: measure(frames, method, names) for method in options.methods.split(",")}
    lines = table(results)
    print("\n".join(lines))
    facts = {"split": options.split, "every": options.every, "images": len(frames), "methods": results}
    path = save("degradations", facts, options.results)
    write_whole(path.with_suffix(".md"), "\n".join([f"`{command()}`", "", *lines, ""]))


def measure(frames: list[Frame], method: str, names: list[str]) -> Figures:
    """Return IoU and nIoU of a method by degradation."""
    annotator = make_baseline(method)
    found: Figures = {}
    for name in names:
        hits = union = 0
        shares = []
        for frame in frames:
            worse = DEGRADATIONS[name](frame, np.random.default_rng(crc32(frame.name.encode())))
            mask = annotator.annotate(worse.image, worse.points["centroid"]).mask
            truth = worse.labels > 0
            own_hits, own_union = int((mask & truth).sum()), int((mask | truth).sum())
            hits, union = hits + own_hits, union + own_union
            shares.append(own_hits / own_union if own_union else 1.0)
        found[name] = {"iou": hits / union, "niou": float(np.mean(shares))}
    return found


def table(results: dict[str, Figures]) -> list[str]:
    """Return the lines of a Markdown table, with the sum of losses at its end."""
    heads = [f"{method}: {what}" for method in results for what in ("IoU", "nIoU", "loss of nIoU")]
    lines = ["| images | " + " | ".join(heads) + " |", "|---|" + "---:|" * len(heads)]
    names = list(next(iter(results.values())))
    sums = dict.fromkeys(results, 0.0)
    for name in names:
        cells = []
        for method, figures in results.items():
            loss = figures[names[0]]["niou"] - figures[name]["niou"]
            sums[method] += loss
            cells += [f"{figures[name]['iou']:.3f}", f"{figures[name]['niou']:.3f}", f"{loss:+.3f}"]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines.append("| sum of losses | " + " | ".join(f" | | {total:.3f}" for total in sums.values()) + " |")
    return lines


if __name__ == "__main__":
    main()

"""Compare the baselines with the published programs: pooled IoU of both.

    POINTMASK_SIRST3=/data/sirst3 python benchmarks/baseline_fidelity.py
    python benchmarks/baseline_fidelity.py --data /data/sirst3 --sets sirst1 nudt irstd1k --results out

The folder holds ``images/``, ``masks/``, ``points_centroid.csv`` and ``points_coarse.csv`` of SIRST3 (its D2D
split without the test list). The expected figures were measured with the authors' unmodified programs on the
same images and points; times were measured with them on another machine, as processor time of one thread. The
exit status is 1 if any figure lies outside its tolerance, 2 if the data are missing.

About half a minute for SIRST-v1, 5 minutes for all three sets, on one core.
"""

import argparse
import csv
import os
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pointmask.bench.baselines.registry import BASELINES
from pointmask.bench.baselines.sizes import SizeKnowledge, from_masks
from pointmask.metrics.counters import binarise, pooled_iou

Clicks = list[tuple[int, int]]

# Figures of the originals: data set, method, size prior, protocol -> pooled IoU, tolerance.
EXPECTED: dict[tuple[str, str, SizeKnowledge, str], tuple[float, float]] = {
    ("sirst1", "mclc", "truth", "centroid"): (0.750, 0.02),
    ("sirst1", "mclc", "none", "centroid"): (0.700, 0.02),
    ("sirst1", "mclc", "truth", "coarse"): (0.741, 0.02),
    ("sirst1", "mclc", "none", "coarse"): (0.693, 0.02),
    ("sirst1", "d2d", "truth", "centroid"): (0.746, 0.02),
    ("sirst1", "d2d", "none", "centroid"): (0.690, 0.02),
    ("sirst1", "d2d", "truth", "coarse"): (0.735, 0.02),
    ("sirst1", "d2d", "none", "coarse"): (0.679, 0.02),
    ("sirst1", "com", "none", "centroid"): (0.21, 0.05),
    ("sirst1", "com", "none", "coarse"): (0.25, 0.05),
    ("nudt", "mclc", "truth", "centroid"): (0.629, 0.03),
    ("nudt", "mclc", "none", "centroid"): (0.634, 0.03),
    ("nudt", "mclc", "truth", "coarse"): (0.616, 0.03),
    ("nudt", "mclc", "none", "coarse"): (0.627, 0.03),
    ("nudt", "d2d", "truth", "centroid"): (0.639, 0.03),
    ("nudt", "d2d", "none", "centroid"): (0.643, 0.03),
    ("nudt", "d2d", "truth", "coarse"): (0.625, 0.03),
    ("nudt", "d2d", "none", "coarse"): (0.625, 0.03),
    ("irstd1k", "mclc", "truth", "centroid"): (0.689, 0.03),
    ("irstd1k", "mclc", "none", "centroid"): (0.575, 0.03),
    ("irstd1k", "mclc", "truth", "coarse"): (0.677, 0.03),
    ("irstd1k", "mclc", "none", "coarse"): (0.557, 0.03),
    ("irstd1k", "d2d", "truth", "centroid"): (0.689, 0.03),
    ("irstd1k", "d2d", "none", "centroid"): (0.601, 0.03),
    ("irstd1k", "d2d", "truth", "coarse"): (0.688, 0.03),
    ("irstd1k", "d2d", "none", "coarse"): (0.569, 0.03),
}

# Median ms per target of the originals on SIRST-v1, 2-core AMD EPYC; COM without its drawing and pauses.
ORIGINAL_MS = {
    ("mclc", "truth"): 29.6,
    ("mclc", "none"): 29.4,
    ("d2d", "truth"): 5.7,
    ("d2d", "none"): 5.6,
    ("com", "none"): 546.0,
}


HEADER = "set     method prior clicks    targets     IoU original    diff      ms original"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; times are process time per target, in ms."""

    data: str
    method: str
    size_prior: SizeKnowledge
    protocol: str
    images: int
    targets: int
    iou: float
    expected: float
    tolerance: float
    ms_median: float
    ms_original: float | None

    @property
    def ok(self) -> bool:
        """Whether the figure lies within its tolerance."""
        return abs(self.iou - self.expected) <= self.tolerance


def data_set(name: str) -> str:
    """Return the data set of SIRST3 to which an image belongs, by its file name."""
    return "sirst1" if name.startswith("Misc") else "irstd1k" if name.startswith("XDU") else "nudt"


def read_clicks(path: Path) -> dict[str, Clicks]:
    """Read ``image,x,y`` rows as clicks (row, col) by image."""
    clicks: dict[str, Clicks] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            clicks.setdefault(row["image"], []).append((int(row["y"]), int(row["x"])))
    return clicks


def scenes(
    folder: Path, data: str, protocol: str, limit: int | None
) -> Iterator[tuple[str, NDArray[np.uint8], NDArray[np.bool_], Clicks]]:
    """Yield name, RGB image, true mask and clicks of one data set, as the originals read them."""
    clicks = read_clicks(folder / f"points_{protocol}.csv")
    names = sorted(name for name in clicks if data_set(name) == data)
    for name in names[:limit]:
        image = np.asarray(Image.open(folder / "images" / name).convert("RGB"))
        truth = binarise(np.asarray(Image.open(folder / "masks" / name).convert("L")))
        yield name, image, truth, clicks[name]


def measure(
    folder: Path, key: tuple[str, str, SizeKnowledge, str], *, seed: int = 0, limit: int | None = None
) -> Row:
    """Run one method over one data set, whole images at a time, and compare with the original's figure."""
    data, method, size_prior, protocol = key
    annotate = BASELINES.load(method)().annotate
    masks, truths, times, num_targets = [], [], [], 0
    for name, image, truth, clicks in scenes(folder, data, protocol, limit):
        own_seed = [seed, zlib.crc32(name.encode())]
        priors = from_masks(truth, clicks, np.random.default_rng(own_seed), size_prior)
        start = time.process_time()
        result = annotate(image, clicks, size_prior=priors, seed=own_seed[1] ^ seed)
        times.append((time.process_time() - start) * 1e3 / len(clicks))
        masks.append(result.mask)
        truths.append(truth)
        num_targets += len(clicks)
    expected, tolerance = EXPECTED[key]
    original = ORIGINAL_MS.get((method, size_prior)) if data == "sirst1" else None
    iou = pooled_iou(masks, truths)
    return Row(*key, len(masks), num_targets, iou, expected, tolerance, median(times), original)


def table_line(row: Row, *, judge: bool) -> str:
    """Format one row under `HEADER`; `judge` adds a word if the figure is outside its tolerance."""
    original = "-" if row.ms_original is None else f"{row.ms_original:.1f}"
    verdict = "" if row.ok or not judge else f"  OUTSIDE {row.tolerance:.2f}"
    return (
        f"{row.data:8}{row.method:7}{row.size_prior:6}{row.protocol:9}{row.targets:8d}{row.iou:8.3f}"
        f"{row.expected:9.3f}{row.iou - row.expected:+8.3f}{row.ms_median:8.2f}{original:>9}{verdict}"
    )


def main() -> int:
    """Parse arguments, run, print one line per configuration."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=os.environ.get("POINTMASK_SIRST3"))
    parser.add_argument("--sets", nargs="+", default=["sirst1"], choices=["sirst1", "nudt", "irstd1k"])
    parser.add_argument(
        "--methods", nargs="+", default=["mclc", "d2d", "com"], choices=["mclc", "d2d", "com"]
    )
    parser.add_argument("--priors", nargs="+", default=["truth", "none"], choices=["truth", "none"])
    parser.add_argument(
        "--protocols", nargs="+", default=["centroid", "coarse"], choices=["centroid", "coarse"]
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--limit", type=int, help="first so many images of each set, for a trial: nothing is judged"
    )
    parser.add_argument("--results", type=Path, help="also write baseline_fidelity.json to this folder")
    args = parser.parse_args()
    if args.data is None or not (args.data / "images").is_dir():
        parser.error(f"no images/ in {args.data}; pass --data or set POINTMASK_SIRST3 to the SIRST3 folder")

    keys = [
        key
        for key in EXPECTED
        if key[0] in args.sets
        and key[1] in args.methods
        and key[2] in args.priors
        and key[3] in args.protocols
    ]
    print(HEADER)
    rows = []
    for key in keys:
        row = measure(args.data, key, seed=args.seed, limit=args.limit)
        rows.append(row)
        print(table_line(row, judge=args.limit is None), flush=True)
    if args.results:
        from support.results import (
            save,
        )  # in this folder: importable when the script runs, not when tests import it

        save("baseline_fidelity", {"rows": [asdict(row) | {"ok": row.ok} for row in rows]}, args.results)
    return 0 if args.limit or all(row.ok for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())

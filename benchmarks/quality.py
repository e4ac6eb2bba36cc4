"""Compare annotators on SIRST3's real images, in the folder POINTMASK_SIRST3.

python benchmarks/quality.py --size-prior truth           val list; true sizes for methods that use them
python benchmarks/quality.py --split all --protocol coarse
python benchmarks/quality.py --limit 20 --results /tmp    about 20 images; a quick test

Prints the tables of `pointmask bench`; writes ``quality-<split>-<protocol>-<size prior>.json`` in its format.
Points are those of the published protocols, ``points_centroid.csv`` and ``points_coarse.csv``.
"""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from support.results import FOLDER, command

from pointmask.io.files import write_whole

if TYPE_CHECKING:
    from pointmask.bench.cases import LazyCase

METHODS = "ours,mclc,d2d,com,pgc2f,threshold"


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--split", choices=["train", "val", "all"], default="val")
    parser.add_argument("--protocol", choices=["centroid", "coarse"], default="centroid")
    parser.add_argument("--size-prior", choices=["none", "box", "class", "truth"], default="none")
    parser.add_argument("--methods", default=METHODS)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--limit", type=int, help="about so many images, spread over the list")
    parser.add_argument("--results", type=Path, default=FOLDER)
    options = parser.parse_args()
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"  # time one thread; must be set before numpy is imported

    from rich.console import Console

    from pointmask.bench.report import heading, machine_line, tables, to_json
    from pointmask.bench.run import run_bench
    from pointmask.bench.summary import summarise

    folder = Path(os.environ.get("POINTMASK_SIRST3", ""))
    if not (folder / "images").is_dir():
        raise SystemExit("POINTMASK_SIRST3 must name the folder that holds images/, masks/ and splits/")
    sources = split_sources(folder, options.split, options.protocol, options.seeds)
    if options.limit:
        sources = sources[:: max(1, len(sources) // options.limit)]
    run = run_bench(sources, options.methods.split(","), size_prior=options.size_prior, seeds=options.seeds)
    summary = summarise(run, data=f"SIRST3 {options.split}", protocol=options.protocol, command=command())
    console = Console(width=160, highlight=False)
    console.print(heading(summary), machine_line(summary), sep="\n")
    for item in (*tables(summary), *summary["notes"]):
        console.print(item)
    path = options.results / f"quality-{options.split}-{options.protocol}-{options.size_prior}.json"
    write_whole(path, to_json(summary))
    print(f"written: {path}")
    if run.skipped:
        raise SystemExit(f"{len(run.skipped)} images were left out, the first: {run.skipped[0]}")


def split_sources(folder: Path, split: str, protocol: str, seeds: int) -> list["LazyCase"]:
    """Return the images of one list, with the published points."""
    from pointmask.bench.cases import folder_sources
    from pointmask.io.points.lists import read_ids

    points = folder / f"points_{protocol}.csv"
    sources = folder_sources(folder / "images", folder / "masks", points, seeds=seeds)
    if split == "all":
        return sources
    stems = {Path(key).stem for key in read_ids(folder / "splits" / f"{split}.txt").ids}
    return [source for source in sources if Path(source.name).stem in stems]


if __name__ == "__main__":
    main()

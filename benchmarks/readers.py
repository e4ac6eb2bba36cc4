"""Measure what reading points costs in each format: time and memory, against the same points as CSV.

python benchmarks/readers.py                                     # 1,000,000 points; about an hour
python benchmarks/readers.py --points 100000 --only mot --only "coco, boxes"

Every format holds the same points: formats with one file for all images have 10 in each, those with a file
per image 1,000 in each, and those with a line per frame one in each; each is compared with a CSV of the same
points in the same images. Every reading has a process of its own; the readings of a format alternate with
those of its CSV, and medians are compared. Time is of the processor. Memory is the highest resident memory
of the process, of which Python and its libraries alone take the baseline. A reader that gives other points
than the CSV ends the run. Writes ``readers.json`` and ``readers.md``.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple

from reading.clicks import Clicks, Images
from reading.files import DOCUMENTS, FOLDERS, FRAMES, Writer, rows
from support.peak import forget_peak, peak_mib
from support.results import FOLDER, command, save

from pointmask.io.files import write_whole
from pointmask.io.formats import FORMATS, read_points

GROUPS = {10: DOCUMENTS, 1000: FOLDERS, 1: FRAMES}
"""Formats by the points in an image."""
CSV = rows("points.csv", "image,x,y", lambda image, x, y: f"{image},{x},{y}")


class Reading(NamedTuple):
    """What one reading took: seconds of the processor, MiB at its highest, MiB before it."""

    seconds: float
    peak: float
    baseline: float
    checksum: int


@dataclass(frozen=True)
class Ratio:
    """What a format costs."""

    seconds: float
    mib: float
    csv_seconds: float
    csv_mib: float
    baseline_mib: float
    time: float
    memory: float


def main() -> None:
    """Measure all formats, print the table row by row and write it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [name for group in GROUPS.values() for name in group]
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", action="append", choices=names, help="this format; may be repeated")
    parser.add_argument("--results", type=Path, default=FOLDER)
    parser.add_argument("--read", nargs=3, metavar=("FORMAT", "PATH", "IMAGES"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        print(json.dumps(reading(*options.read)))
        return
    print(HEAD, end="")
    ratios = {}
    for name, ratio in measured(options.points, options.rounds, options.only or names):
        ratios[name] = asdict(ratio)
        print(row(name, ratio), end="", flush=True)
    figures = {"points": options.points, "rounds": options.rounds, "formats": ratios}
    save("readers", figures, options.results)
    table = HEAD + "".join(row(name, Ratio(**ratio)) for name, ratio in ratios.items())
    write_whole(options.results / "readers.md", f"`{command()}`\n\n{options.points:,} points\n\n{table}")


HEAD = "| format | s | time / CSV | MiB | memory / CSV |\n| --- | ---: | ---: | ---: | ---: |\n"


def row(name: str, ratio: Ratio) -> str:
    """Return a line of the table."""
    return f"| {name} | {ratio.seconds:.2f} | {ratio.time:.2f} | {ratio.mib:.0f} | {ratio.memory:.2f} |\n"


def measured(points: int, rounds: int, names: list[str]) -> Iterator[tuple[str, Ratio]]:
    """Yield the costs of each format."""
    for per_image, group in GROUPS.items():
        clicks = Clicks(points, per_image)
        chosen = [name for name in group if name in names]
        if chosen:
            with tempfile.TemporaryDirectory() as folder:
                csv = CSV(clicks, Path(folder))
                for name in chosen:
                    yield name, compared(*group[name], clicks, csv, rounds)


def compared(form: str, write: Writer, clicks: Clicks, csv: Path, rounds: int) -> Ratio:
    """Compare a format with CSV."""
    with tempfile.TemporaryDirectory() as folder:
        path = write(clicks, Path(folder))
        pairs = [
            (in_process("csv", csv, clicks.images), in_process(form, path, clicks.images))
            for _ in range(rounds)
        ]
    if len({one.checksum for pair in pairs for one in pair}) > 1:
        sys.exit(f"{form}: it gives other points than the CSV")
    csv_seconds, csv_mib = median(one.seconds for one, _ in pairs), median(one.peak for one, _ in pairs)
    seconds, mib = median(one.seconds for _, one in pairs), median(one.peak for _, one in pairs)
    return Ratio(
        seconds,
        mib,
        csv_seconds,
        csv_mib,
        median(one.baseline for one, _ in pairs),
        median(other.seconds / one.seconds for one, other in pairs),
        mib / csv_mib,
    )


def in_process(form: str, path: Path, images: int) -> Reading:
    """Read a file in a process of its own."""
    call = [sys.executable, __file__, "--read", form, str(path), str(images)]
    return Reading(*json.loads(subprocess.run(call, check=True, stdout=subprocess.PIPE).stdout))


def reading(form: str, path: str, images: str) -> Reading:
    """Read a file and say what it took."""
    source = Images(Path(path).parent, count=int(images))
    FORMATS.load(form)
    forget_peak(cuda=False)
    baseline = peak_mib(cuda=False) or 0.0
    started = time.process_time()
    points = read_points(path, format=form, images=source)
    seconds = time.process_time() - started
    peak = peak_mib(cuda=False) or 0.0
    checksum = sum(
        (count + 1) * (point.row * 1009 + point.col)
        for _, listed in points
        for count, point in enumerate(listed)
    )
    return Reading(seconds, peak, baseline, checksum)


if __name__ == "__main__":
    main()

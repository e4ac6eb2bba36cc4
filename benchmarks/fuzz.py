"""Test readers on damaged files: each must give a clean error or a valid result, in little time and memory.

python benchmarks/fuzz.py --mutants 10000
python benchmarks/fuzz.py --mutants 500 --only coco --only "image png" --seed 3

Mutants are small valid samples of each format, damaged at the level of bytes and of the format: bit flips,
truncation, huge numbers, deep nesting, wrong types, repeated keys, NaN. Each mutant has 2 s of processor
time and 1 GiB of address space in all. Results must be valid; errors must be short messages
that name the file. Rejecting single images with a reason counts as reading. Writes ``fuzz.json``
and ``fuzz.md``; the exit status is 1 if anything failed.
"""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from support.results import FOLDER, command, save

from pointmask.io.files import write_whole

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from tools.formats.fuzz import MEMORY, SECONDS, SUBJECTS, Report, run

_HEAD = (
    "| reader | mutants | refused | read | failed | slowest, s | peak, MB |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
)


def main() -> None:
    """Run all subjects, print the table row by row and write it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mutants", type=int, default=10_000, help="of each reader")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="readers at once, each in a process of its own")
    parser.add_argument("--only", action="append", choices=SUBJECTS, help="this reader; may be repeated")
    parser.add_argument("--results", type=Path, default=FOLDER)
    options = parser.parse_args()
    reports: dict[str, Report] = {}
    print(_HEAD, end="")
    subjects = options.only or SUBJECTS
    with ThreadPoolExecutor(options.jobs) as pool:
        results = pool.map(lambda subject: run((subject,), options.mutants, options.seed), subjects)
        for subject, result in zip(subjects, results, strict=True):
            reports |= result
            print(row(subject, result[subject]), end="", flush=True)
    figures: dict[str, Any] = {
        "mutants": options.mutants,
        "seed": options.seed,
        "limits": {"seconds": SECONDS, "bytes": MEMORY},
        "readers": {subject: asdict(report) for subject, report in reports.items()},
    }
    save("fuzz", figures, options.results)
    table = _HEAD + "".join(row(subject, report) for subject, report in reports.items())
    write_whole(options.results / "fuzz.md", f"`{command()}`\n\n{table}")
    sys.exit(any(report.failures for report in reports.values()))


def row(subject: str, report: Report) -> str:
    """Return one line of the table, and one for each of the first failures."""
    failed = len(report.failures)
    figures = (report.refused + report.read + failed, report.refused, report.read, failed)
    cells = (subject, *(f"{n:,}" for n in figures), f"{report.slowest:.2f}", f"{report.peak / 1e6:.0f}")
    failures = "".join(f"\nmutant {index}: {what}\n" for index, what in report.failures[:5])
    return f"| {' | '.join(cells)} |\n{failures}"


if __name__ == "__main__":
    main()

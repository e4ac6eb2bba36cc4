"""Measure the quality of the masks on SIRST3's real images, from the point alone.

python benchmarks/annotation_quality.py                        all parts, both lists; about three minutes
python benchmarks/annotation_quality.py --quick                every 20th image; a quick test
python benchmarks/annotation_quality.py --parts clicks,confidence --split val --results /tmp
python benchmarks/annotation_quality.py --parts confidence --sheet /tmp/sheet.png

The images are in --data, or in the folder that POINTMASK_SIRST3 names. Prints tables. A run of all parts over
all images also writes ``quality-annotation.json`` and ``.md`` to benchmarks/results; other runs write only to
--results. The parts:

quality      IoU by list, data set and size, collapsed and overgrown targets; theta and the paper's preset
ablation     each component disabled in turn
clicks       points moved by up to 3 px, and placed beside the target
invariance   mask pixels that change with gain, offset, depth, mirroring and sign
confidence   predicted against true IoU
time         processor time per target
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"  # time one thread; must be set before numpy is imported

import numpy as np  # noqa: E402
from masks.ablation import ablation  # noqa: E402
from masks.clicks import clicks  # noqa: E402
from masks.confidence import confidence  # noqa: E402
from masks.data import PROTOCOLS, SPLITS, Frame, read_frames  # noqa: E402
from masks.invariance import invariance  # noqa: E402
from masks.run import FrameResult, by_group, by_size, figures, run  # noqa: E402
from masks.sheet import write_sheet  # noqa: E402
from masks.tables import LEGEND, PARTS, markdown, sheets, text  # noqa: E402
from rich.console import Console  # noqa: E402
from support.results import FOLDER, command, save  # noqa: E402

from pointmask.annotator.image import annotate  # noqa: E402
from pointmask.bench.machine import record  # noqa: E402
from pointmask.errors import PointmaskError  # noqa: E402
from pointmask.io.files import write_whole  # noqa: E402
from pointmask.theta import Theta  # noqa: E402

NAME = "quality-annotation"
SEED = 0
QUICK = 20  # one image of so many
SHEET_TARGETS = 60


def main() -> None:
    """Measure, print and write."""
    options = _options()
    theta = Theta.load(options.theta)
    splits = SPLITS if options.split == "all" else (options.split,)
    frames = read_frames(_folder(options.data), splits, QUICK if options.quick else 1)
    results = measure(frames, theta, options.theta, options.parts, seeds=1 if options.quick else 3)
    facts = {
        "data": f"SIRST3 {options.split}" + (f", every {QUICK}th image" if options.quick else ""),
        "theta": {"name": options.theta, "digest": theta.digest},
    }
    _show(facts, results)
    whole = set(options.parts) == set(PARTS) and options.split == "all" and not options.quick
    folder = options.results or (FOLDER if whole else None)
    if folder:
        path = save(NAME, {**facts, **results}, folder)
        heading = [_title(facts), f"`{command()}`", _machine()]
        write_whole(path.with_suffix(".md"), markdown(heading, results))
        print(f"written: {path.with_suffix('.md')}")
    if options.sheet:
        val = [frame for frame in frames if frame.split == "val"] or frames
        write_sheet(options.sheet, val, theta, SHEET_TARGETS, SEED)
        print(f"written: {options.sheet}")


def measure(
    frames: Sequence[Frame], theta: Theta, name: str, parts: Sequence[str], *, seeds: int
) -> dict[str, Any]:
    """Measure some parts.

    Parameters
    ----------
    frames : sequence of Frame
    theta : Theta
    name : str
        Name of theta in the tables.
    parts : sequence of str
        From `PARTS`.
    seeds : int
        Number of draws of misplaced clicks.
    """
    annotate(frames[0].image, frames[0].points["centroid"], theta=theta)  # compile before timing
    scored = {protocol: run(frames, theta, protocol) for protocol in PROTOCOLS}
    results: dict[str, Any] = {}
    if "quality" in parts:
        paper = {protocol: run(frames, Theta.load("paper"), protocol) for protocol in PROTOCOLS}
        results["quality"] = {name: quality(scored), "paper": quality(paper)}
    if "ablation" in parts:
        results["ablation"] = ablation(frames, theta)
    if "clicks" in parts:
        results["clicks"] = clicks(frames, theta, seeds)
    if "invariance" in parts:
        results["invariance"] = invariance(frames, theta)
    if "confidence" in parts:
        results["confidence"] = {split: confidence(own) for split, own in by_list(scored["centroid"]).items()}
    if "time" in parts:
        results["time"] = {group: milliseconds(own) for group, own in by_group(scored["centroid"]).items()}
    return results


def quality(scored: dict[str, list[FrameResult]]) -> dict[str, Any]:
    """Summarise by protocol and list, for groups and size classes."""
    return {
        protocol: {
            split: {
                "groups": {group: figures(members) for group, members in by_group(own).items()},
                "sizes": by_size(own),
            }
            for split, own in by_list(frames).items()
        }
        for protocol, frames in scored.items()
    }


def by_list(scored: Sequence[FrameResult]) -> dict[str, list[FrameResult]]:
    """Group frames by list, and add all of them if there are several lists."""
    lists = {split: [f for f in scored if f.frame.split == split] for split in SPLITS}
    lists = {split: own for split, own in lists.items() if own}
    return {**lists, "both": list(scored)} if len(lists) > 1 else lists


def milliseconds(scored: Sequence[FrameResult]) -> dict[str, float]:
    """Return median and 95th percentile over images of the time per target."""
    times = [f.ms for f in scored]
    return {"median": round(float(np.median(times)), 4), "p95": round(float(np.percentile(times, 95)), 4)}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder of images/, masks/, splits/ and points_*.csv")
    parser.add_argument("--theta", default="default", help="a preset or a TOML file")
    parser.add_argument("--parts", type=_parts, default=PARTS, help="some of " + ",".join(PARTS))
    parser.add_argument("--split", choices=[*SPLITS, "all"], default="all")
    parser.add_argument("--quick", action="store_true", help=f"every {QUICK}th image, one draw of clicks")
    parser.add_argument("--results", type=Path, help="where to write the JSON and Markdown files")
    parser.add_argument(
        "--sheet", type=Path, help=f"also draw {SHEET_TARGETS} random val targets into this PNG"
    )
    return parser.parse_args()


def _parts(words: str) -> tuple[str, ...]:
    parts = tuple(words.split(","))
    if unknown := set(parts) - set(PARTS):
        raise argparse.ArgumentTypeError(
            f"{', '.join(sorted(unknown))} is unknown; take some of {','.join(PARTS)}"
        )
    return parts


def _folder(named: Path | None) -> Path:
    folder = named or Path(os.environ.get("POINTMASK_SIRST3", ""))
    if not (folder / "images").is_dir():
        raise SystemExit(
            f"{folder} holds no images/; name the folder of SIRST3 by --data or POINTMASK_SIRST3"
        )
    return folder


def _show(facts: dict[str, Any], results: dict[str, Any]) -> None:
    console = Console(width=160, highlight=False)
    console.print(_title(facts), _machine(), sep="\n", markup=False)
    for sheet in sheets(results):
        console.print(text(sheet), *filter(None, [sheet.note]))
    console.print(LEGEND)


def _title(facts: dict[str, Any]) -> str:
    theta = facts["theta"]
    return f"Quality of the masks: {facts['data']}, theta {theta['name']} ({theta['digest']})"


def _machine() -> str:
    machine = record()
    commit = f", commit {machine['commit']}" if machine["commit"] else ""
    return f"{machine['cpu']}{commit}, {machine['date']}"


if __name__ == "__main__":
    try:
        main()
    except PointmaskError as error:
        raise SystemExit(str(error)) from None

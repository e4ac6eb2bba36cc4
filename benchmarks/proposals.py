"""Share of true targets among the first proposals of a frame, their false alarms, and their cost.

POINTMASK_SIRST3=... python benchmarks/proposals.py                       val list of SIRST3
POINTMASK_SIRST3=... python benchmarks/proposals.py --more A/ B/          and other folders, laid out alike
POINTMASK_SIRST3=... python benchmarks/proposals.py --quick               every 10th image; a quick test

A proposal finds a target if their centroids are at most 3 px apart, one to one (Hungarian). Nothing was
chosen on the val list, nor on the other folders, which hold ``images/`` and ``masks/``. False alarms are
those per frame above the score that gave 0.1, 0.3, 1 and 3 on the train list. Milliseconds are processor time
of one thread for a frame, median over those of 256 x 256, beside the time of one call of `annotate` with one
point in the same run. Writes ``proposals.json`` and ``.md``.
"""

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from masks.data import Frame, read_frames
from proposed.recall import NEAR, PER_FRAME, Places, centroids, found_by, recall_table
from support.results import FOLDER, save

from pointmask.annotator.image import annotate
from pointmask.io.files import write_whole
from pointmask.io.images.array import read, read_mask
from pointmask.io.images.folder import list_images
from pointmask.proposals.propose import Proposal, propose
from pointmask.proposals.ranking import least_score

QUICK = 10
TIMED = (256, 256)
BUDGETS = (0.1, 0.3, 1.0, 3.0)

Found = list[tuple[Frame, Sequence[Proposal]]]


def main() -> None:
    """Search, measure, print and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--more", type=Path, nargs="*", default=[], help="folders of images/ and masks/")
    parser.add_argument("--quick", action="store_true", help=f"every {QUICK}th image")
    parser.add_argument("--results", type=Path, default=FOLDER)
    options = parser.parse_args()
    folder = Path(os.environ.get("POINTMASK_SIRST3", ""))
    if not (folder / "images").is_dir():
        raise SystemExit("POINTMASK_SIRST3 must name the folder that holds images/, masks/ and splits/")
    every = QUICK if options.quick else 1
    lists = {"SIRST3 val": read_frames(folder, splits=("val",), every=every)}
    for other in options.more:
        lists[other.name] = read_pairs(other)[::every]
    found = {name: search(frames) for name, frames in lists.items()}
    facts: dict[str, Any] = {
        "near": NEAR,
        "recall": {name: recall_table((f, places(p)) for f, p in own) for name, own in found.items()},
        "false_alarms": {name: false_alarms(own) for name, own in found.items()},
        "cost": cost([frame for frames in lists.values() for frame in frames]),
    }
    text = table(facts)
    print(text)
    save("proposals", facts, options.results)
    write_whole(options.results / "proposals.md", text)


def read_pairs(folder: Path) -> list[Frame]:
    """Read a folder of images and masks of the same names."""
    names = list_images(folder / "images")
    return [
        Frame(
            name, folder.name, "", read(folder / "images" / name), read_mask(folder / "masks" / name), {}, {}
        )
        for name in names
    ]


def search(frames: Sequence[Frame]) -> Found:
    """Propose targets for every frame."""
    return [(frame, propose(frame.image, count=max(PER_FRAME))) for frame in frames]


def places(proposals: Sequence[Proposal]) -> Places:
    """Return the centroids (n, 2) of proposals."""
    return np.array([(p.row, p.col) for p in proposals]).reshape(-1, 2)


def false_alarms(found: Found) -> dict[str, dict[str, float]]:
    """Return recall and false alarms per frame at the scores of some budgets, by budget."""
    figures = {}
    for budget in BUDGETS:
        least = least_score(budget)
        hits = targets = alarms = 0
        for frame, proposals in found:
            kept = [p for p in proposals if p.score >= least]
            true = centroids(frame)
            paired = len(found_by(places(kept), true))
            hits, targets, alarms = hits + paired, targets + len(true), alarms + len(kept) - paired
        figures[f"{budget:g}"] = {
            "score": least,
            "per_frame": alarms / len(found),
            "recall": hits / max(targets, 1),
        }
    return figures


def cost(frames: Sequence[Frame]) -> dict[str, float]:
    """Return milliseconds of processor time of a frame, and of one click, both medians."""
    timed = [frame for frame in frames if frame.image.shape == TIMED]
    search_times, click_times = [], []
    for frame in timed:
        start = time.thread_time()
        proposals = propose(frame.image)
        middle = time.thread_time()
        if proposals:
            annotate(frame.image, [proposals[0].target.point])
            click_times.append(time.thread_time() - middle)
        search_times.append(middle - start)
    return {
        "frames": len(timed),
        "ms_per_frame": 1e3 * float(np.median(search_times)),
        "ms_per_click": 1e3 * float(np.median(click_times)),
    }


def table(facts: dict[str, Any]) -> str:
    """Format the figures as Markdown."""
    lines = [f"Recall within {facts['near']:g} px by proposals per frame", ""]
    lines += ["| images | targets | " + " | ".join(str(k) for k in PER_FRAME) + " |"]
    lines += ["| --- | ---: |" + " ---: |" * len(PER_FRAME)]
    for name, rows in facts["recall"].items():
        groups = rows if len(rows) > 2 else ["all"]
        for group in groups:
            row = rows[group]
            title = name if group == "all" else f"{name}, {group}"
            cells = " | ".join(f"{row[str(k)]:.3f}" for k in PER_FRAME)
            lines.append(f"| {title} | {row['targets']:.0f} | {cells} |")
    lines += ["", "False alarms per frame at the score that gave so many on the train list (recall)", ""]
    lines += ["| images | " + " | ".join(f"{b:g}" for b in BUDGETS) + " |"]
    lines += ["| --- |" + " ---: |" * len(BUDGETS)]
    for name, budgets in facts["false_alarms"].items():
        cells = [f"{row['per_frame']:.2f} ({row['recall']:.3f})" for row in budgets.values()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    taken = facts["cost"]
    lines += [
        "",
        f"{taken['ms_per_frame']:.1f} ms per frame of 256 x 256 (median of {taken['frames']}), "
        f"{taken['ms_per_frame'] / taken['ms_per_click']:.0f} times one click "
        f"({taken['ms_per_click']:.2f} ms); processor time of one thread.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()

"""What strategies gave here: tables that are made from the result files when the site is built.

``<!-- figures: NAME ROW... -->`` in a page becomes the protocol of ``strategy_table-NAME.json`` in
``benchmarks/results``, and a table of these rows, or all, with ``full`` and ``masks`` to compare.
"""

import json
import re
from pathlib import Path
from statistics import mean, stdev
from typing import Any

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
MARK = re.compile(r"<!-- figures: (\S+)((?: \w+)*) -->")
LABELS = {
    "full": "true masks (`full`)",
    "masks": "our masks (`masks`)",
    "mclc": "masks of MCLC",
    "montecarlo": "masks of D2D Monte-Carlo",
    "pgc2f": "masks of PG-C2F",
    "point": "points (`point`)",
    "lesps": "`lesps`",
    "lesps_annotator": "`lesps` from our masks",
    "pal": "`pal`",
    "pal_annotator": "`pal` from our masks",
    "gsacp": "`gsacp`",
    "d2d": "`d2d`",
    "a4_val": "our masks, also of validation images (`a4_val`)",
    "a2": "diffusion alone (`a2`)",
    "a3": "superpixels alone (`a3`)",
    "b1": "everything by one loss (`joint`, `b1`)",
    "b2": "`d2d`, weights all 1 (`b2`)",
    "b3": "`d2d`, labels stay (`b3`)",
    "b4": "`d2d`, no validation gradient (`b4`)",
    "published": "`d2d`, weights by the published signal",
}
"""Rows of the result files that the site shows, in this order."""
REFERENCES = ("full", "masks")
UNITS = {"iou": 100, "niou": 100, "pd": 100, "fa": 1e6}

Entry = dict[str, Any]


def on_page_markdown(markdown: str, **_: object) -> str:
    """Put the tables where the page wants them."""
    return MARK.sub(lambda found: section(found[1], found[2].split()), markdown)


def section(name: str, rows: list[str]) -> str:
    """Format the protocol of a result file, and the table of some of its rows."""
    path = RESULTS / f"strategy_table-{name}.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    groups: dict[str, list[Entry]] = {row: [] for row in LABELS}
    for entry in content["cells"]:
        if entry["row"] in groups:
            groups[entry["row"]].append(entry)
    absent = [row for row in rows if not groups.get(row)]
    if absent:
        raise ValueError(f"{path} has no finished cell of {', '.join(absent)}")
    shown = [row for row in LABELS if groups[row] and (not rows or row in {*rows, *REFERENCES})]
    return f"{protocol(content, groups['masks'][0])}\n\n{table({row: groups[row] for row in shown})}"


def protocol(content: Entry, entry: Entry) -> str:
    """Say how the figures were made."""
    images, settings = entry["images"], content["settings"]
    unseen = settings.get("lists") == "unseen"
    split = f"{images['train']} images of {entry['data_set']}'s train list, {images['val']}"
    split += " others of it to choose the epoch by" if unseen else " of its val list to choose the epoch by"
    command = content["command"]
    if "--preset" not in command:  # recorded before another preset became the default of the script
        command += f" --preset {content['preset']}"
    scored = "the val list, which took no part in any training" if unseen else "the val list"
    return (
        f"`--preset {content['preset']}`, {settings['epochs']} epochs, detector `{entry['detector']}`, "
        f"{split}. IoU, nIoU and Pd in per cent, Fa per million pixels, against the true masks of {scored}, "
        "at the epoch that the labels chose; mean ± standard deviation over seeds. "
        f"(`{command}`)"
    )


def table(groups: dict[str, list[Entry]]) -> str:
    """Format a line for each row; columns that are known of no row are left out."""
    lines = []
    for row, entries in groups.items():
        chosen = [entry["chosen"] for entry in entries]
        lines.append(
            {
                "supervision": LABELS[row],
                "seeds": str(len(entries)),
                "IoU": spread([scores["val_truth"]["iou"] for scores in chosen], "iou"),
                "nIoU": spread([scores["val_truth"]["niou"] for scores in chosen], "niou"),
                "Pd": spread([scores["val_truth"]["pd"] for scores in chosen], "pd"),
                "Fa": spread([scores["val_truth"]["fa"] for scores in chosen], "fa"),
                "IoU, operator draws": spread(
                    [scores.get("operator", {}).get("iou") for scores in chosen], "iou"
                ),
                "labels' IoU": labels([entry["labels"] for entry in entries if entry["labels"]]),
                "minutes": f"{mean(entry['minutes'] for entry in entries):.1f}",
            }
        )
    columns = [name for name in lines[0] if any(line[name] for line in lines)]
    rule = [":---" if name == "supervision" else "---:" for name in columns]
    cells = [columns, rule, *([line[name] for name in columns] for line in lines)]
    return "\n".join(f"| {' | '.join(parts)} |" for parts in cells)


def spread(values: list[float | None], key: str) -> str:
    """Format the mean and standard deviation of the values that are known; empty for none."""
    known = [UNITS[key] * value for value in values if value is not None]
    if not known:
        return ""
    return f"{mean(known):.1f}" + (f" ± {stdev(known):.1f}" if len(known) > 1 else "")


def labels(versions: list[Entry]) -> str:
    """Format the mean IoU of the first and the last labels of the train list with its true masks."""
    parts = []
    for which in ("first", "last"):
        known = [version[which]["train"] for version in versions if version[which].get("train") is not None]
        parts += [f"{100 * mean(known):.1f}"] if known else []
    return " to ".join(dict.fromkeys(parts))

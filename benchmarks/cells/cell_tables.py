"""The page of tables that gathered results of cells make, beside the paper's figures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from cells.rows import DATA_SETS, ROWS
from pointmask.bench.report import markdown_table
from pointmask.settings import parse_toml
from pointmask_trainer.errors import ConfigError

Entry = dict[str, Any]
Figures = Sequence[float]

PAPER = Path(__file__).parent.parent / "published.toml"
BASE = "masks"
"""The row that others are compared with."""

_ABLATION = ("point", "a2", "a3", "masks", "a4_val", "b1", "b2", "b3", "b4", "published", "d2d", "full")
_SELECTION = ("masks", "alpha30", "random30", "difficulty30")
_STRATEGIES = {
    "full": "full supervision", "point": "points", "masks": "static labels", "mclc": "MCLC",
    "montecarlo": "D2D Monte-Carlo, static", "pgc2f": "PG-C2F", "lesps": "LESPS",
    "lesps_annotator": "LESPS from our masks", "pal": "PAL", "pal_released": "PAL, released loss",
    "pal_annotator": "PAL from our masks", "gsacp": "GSACP", "gsacp_base": "GSACP, no part",
    "gsacp_ema": "GSACP, teacher alone", "gsacp_hbc": "GSACP, hard background alone",
    "gsacp_asg": "GSACP, adaptive supports alone", "d2d": "D2D",
}  # fmt: skip
_KEYS = ("iou", "niou", "pd", "fa")
_UNITS = {"iou": 100, "niou": 100, "pd": 100, "fa": 1e6}


@dataclass(frozen=True, slots=True)
class Group:
    """The finished cells of one detector, data set and row, by seed."""

    by_seed: Mapping[int, Entry]

    @property
    def seeds(self) -> str:
        """How many; empty for none."""
        return str(len(self.by_seed)) if self.by_seed else ""

    def values(self, key: str, which: str = "chosen") -> dict[int, float]:
        """One figure of every seed, in per cent, or in 1e-6 for false alarms."""
        read = {seed: entry[which]["val_truth"][key] for seed, entry in self.by_seed.items()}
        return {seed: _UNITS[key] * value for seed, value in read.items() if value is not None}

    def operator(self, key: str) -> str:
        """One figure of the chosen weights by the operator's masks, as `figure`; empty where unknown."""
        found = [entry["chosen"].get("operator", {}).get(key) for entry in self.by_seed.values()]
        return _spread([_UNITS[key] * value for value in found if value is not None])

    def figure(self, key: str, which: str = "chosen") -> str:
        """Mean and standard deviation over seeds; empty for none."""
        return _spread(list(self.values(key, which).values()))

    def of_data_set(self, name: str) -> list[float]:
        """IoU of every seed on the images of a data set, in per cent."""
        parts = (entry["val_by_data_set"] or {} for entry in self.by_seed.values())
        known = (part[name]["iou"] for part in parts if name in part)
        return [100 * value for value in known if value is not None]

    def mean_of(self, key: str) -> str:
        """Mean of a plain value of the entries, where it is known."""
        known = [entry[key] for entry in self.by_seed.values() if entry[key] is not None]
        return f"{mean(known):.1f}" if known else ""

    def labels(self) -> str:
        """IoU of the train list's labels with true masks: first and last version."""
        parts = []
        for which in ("first", "last"):
            kept = [entry["labels"][which].get("train") for entry in self.by_seed.values() if entry["labels"]]
            known = [100 * value for value in kept if value is not None]
            parts += [f"{mean(known):.1f}"] if known else []
        return " to ".join(dict.fromkeys(parts))

    def against(self, other: "Group") -> str:
        """Difference of IoU over the seeds that both have, and its standard error."""
        ours, theirs = self.values("iou"), other.values("iou")
        both = [ours[seed] - theirs[seed] for seed in ours if seed in theirs]
        if not both:
            return ""
        error = f" ± {stdev(both) / len(both) ** 0.5:.1f}" if len(both) > 1 else ""
        return f"{mean(both):+.1f}{error}"


class Cells:
    """Entries by what they are of.

    Parameters
    ----------
    entries : sequence of dict
        ``cells`` of a result file.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries

    def group(self, detector: str, data_set: str, row: str) -> Group:
        """Finished cells of a row."""
        wanted = (detector, data_set, row)
        return Group(
            {e["seed"]: e for e in self._entries if (e["detector"], e["data_set"], e["row"]) == wanted}
        )

    def pairs(self, rows: Sequence[str], first: tuple[str, str]) -> list[tuple[str, str]]:
        """Detectors and data sets of which a row is there; `first` if there is none."""
        found = dict.fromkeys((e["detector"], e["data_set"]) for e in self._entries if e["row"] in rows)
        return list(found) or [first]

    def detectors(self, data_set: str) -> list[str]:
        """Detectors that were trained on a data set."""
        return list(dict.fromkeys(e["detector"] for e in self._entries if e["data_set"] == data_set))


def page(content: Mapping[str, Any]) -> str:
    """Lay out all tables: what was measured beside what is printed of it, then what is only printed.

    Parameters
    ----------
    content : Mapping
        Gathered results; see `_cell_results.merge`.
    """
    paper = parse_toml(PAPER.read_text(encoding="utf-8"), str(PAPER), ConfigError)
    cells = Cells(content["cells"])
    parts = ["# Strategies of supervision", *protocol(content, paper)]
    own = (paper["ablation"]["detector"], paper["ablation"]["data_set"])
    tables = [
        (f"Ablation: {detector} on {data_set}", ablation(cells, detector, data_set, paper))
        for detector, data_set in cells.pairs(_ABLATION, own)
    ]
    tables += [(f"Detectors on {data_set}", detectors(cells, data_set, paper)) for data_set in DATA_SETS]
    tables += [
        ("Detectors trained on SIRST3, on the images of each data set: IoU", parts_table(cells, paper))
    ]
    tables += [
        (f"30 % of the images: {detector} on {data_set}", selection(cells, detector, data_set, paper))
        for detector, data_set in cells.pairs(_SELECTION[1:], own)
    ]
    tables += [
        ("Printed in D2D's paper, not measured here", only_printed(cells, paper)),
        ("As the methods' own papers print them", elsewhere(paper)),
    ]
    for heading, table in tables:
        parts += [f"## {heading}", table] if table else []
    return "\n\n".join(parts) + "\n"


def protocol(content: Mapping[str, Any], paper: Mapping[str, Any]) -> Iterator[str]:
    """Say how the figures were made, and how the paper's were."""
    s = content["settings"]
    if s:
        rate, schedule = s["optim.lr"], s["optim.schedule"]
        units = dict.fromkeys(d.get("model.normalisation", "list") for d in content["detectors"].values())
        average = f", weights averaged at {s['optim.average']:g}" if s.get("optim.average") else ""
        yield (
            f"Ours: preset `{content['preset']}` ({s['epochs']} epochs, batch {s['batch']}, crops of "
            f"{s['augment.crop']} px, {s['optim.name']} at {rate:g}, {schedule}{average}, grey values "
            f"normalised by {' or '.join(units)}, {s['run.precision']}, validated every "
            f"{s['run.validate_every']} epochs). IoU, nIoU and Pd in per cent, Fa in 1e-6, "
            "against the true masks of the **val** list of D2D's 6:2:2 split, at the images' own size, at "
            "the epoch that the val list's **pseudo-labels** chose (full supervision: its true masks). "
            "Mean ± standard deviation over seeds; differences to A4 (`masks`) over common seeds, ± standard "
            "error. *Last*: IoU of the last epoch. *Best on truth*: IoU of the epoch that is best on the "
            "true masks of the same val list, a diagnostic that chooses nothing. *Labels*: IoU of the train "
            "list's labels with true masks, first to last version. *Operator*: the same weights, each target "
            "drawn by the annotator's operator."
        )
        if s.get("lists") == "unseen":
            yield (
                "**Unseen**: the val list took no part in any training here. A fifth of the train list "
                "validated, chose the epoch, and gave D2D its validation gradient; the val list was scored "
                "at the end, like a test list. *Best on truth* is of that fifth."
            )
        yield f"Last command: `{content['command']}`. The JSON file names each cell's commits and device."
    yield (
        f"Paper: {paper['source']}, as printed. It trains for 400 epochs and scores the **test** list, which "
        "is not used here, with every image resized to 256 x 256 px; the published code keeps the epoch that "
        "is **best on that test list**. Single figures cannot be compared across; differences between rows "
        "can, with care."
    )


def ablation(cells: Cells, detector: str, data_set: str, paper: Mapping[str, Any]) -> str:
    """Table 3 of the paper."""
    columns = (
        "row", "seeds", "IoU", "nIoU", "Pd", "Fa", *_titles("operator "), "minus A4", "last",
        "best on truth", "labels", "minutes", "paper IoU (ALCLNet, SIRST3)", "nIoU", "Pd",
    )  # fmt: skip
    base, rows = cells.group(detector, data_set, BASE), []
    for row in _ABLATION:
        group = cells.group(detector, data_set, row)
        rows.append(
            [
                f"{ROWS[row].label}",
                group.seeds,
                *(group.figure(key) for key in _KEYS),
                *(group.operator(key) for key in _KEYS),
                "" if row == BASE else group.against(base),
                group.figure("iou", "last"),
                group.figure("iou", "best_on_true_masks"),
                group.labels(),
                group.mean_of("minutes"),
                *_printed(paper["ablation"].get(row), 3),
            ]
        )
    return _measured(columns, rows)


def detectors(cells: Cells, data_set: str, paper: Mapping[str, Any]) -> str:
    """Tables 1 and 2 of the paper, one data set."""
    columns = (
        "detector", "strategy", "seeds", *_titles("ours "), *_titles("operator "), "last IoU", "labels",
        "minutes", "MiB", *_titles("D2D's paper "),
    )  # fmt: skip
    rows = []
    for detector in dict.fromkeys([*paper[data_set], *cells.detectors(data_set)]):
        printed = paper[data_set].get(detector, {})
        for strategy, label in _STRATEGIES.items():
            group = cells.group(detector, data_set, strategy)
            ours = (
                *(group.figure(key) for key in _KEYS),
                *(group.operator(key) for key in _KEYS),
                group.figure("iou", "last"),
                group.labels(),
                group.mean_of("minutes"),
                group.mean_of("peak_mib"),
            )
            rows.append([detector, label, group.seeds, *ours, *_printed(printed.get(strategy), 4)])
    return _measured(columns, rows)


def only_printed(cells: Cells, paper: Mapping[str, Any]) -> str:
    """Figures of tables 1 to 3 of the paper of which there are none of ours."""
    columns = ("data set", "detector", "strategy", "IoU", "nIoU", "Pd", "Fa")
    own = (paper["ablation"]["data_set"], paper["ablation"]["detector"])
    rows = [
        [*own, ROWS[row].label, *_printed(paper["ablation"][row], 4)]
        for row in _ABLATION
        if row in paper["ablation"] and not cells.group(own[1], own[0], row).by_seed
    ]
    of_ablation = {row[2] for row in rows}
    for data_set in DATA_SETS:
        for detector, printed in paper[data_set].items():
            rows += [
                [data_set, detector, _STRATEGIES[strategy], *_printed(figures, 4)]
                for strategy, figures in printed.items()
                if not cells.group(detector, data_set, strategy).by_seed
                and not ((data_set, detector) == own and ROWS[strategy].label in of_ablation)
            ]
    return markdown_table(columns, rows) if rows else ""


def elsewhere(paper: Mapping[str, Any]) -> str:
    """Figures of the methods' own papers, with the protocol of each: none is that of another."""
    columns = ("method", "detector", "IoU", "nIoU", "Pd", "Fa", "source", "protocol")
    rows = [
        [
            entry["method"],
            entry["detector"],
            *(f"{entry[key]:.2f}" if key in entry else "" for key in _KEYS),
            entry["source"],
            entry["protocol"],
        ]
        for entry in paper["elsewhere"]
    ]
    return markdown_table(columns, rows)


def parts_table(cells: Cells, paper: Mapping[str, Any]) -> str:
    """Table 1 of the paper, its columns by data set."""
    names = ("SIRST-v1", "NUDT-SIRST", "IRSTD-1k")
    columns = ["detector", "strategy", "seeds"]
    columns += [f"{name}, {whose}" for name in names for whose in ("ours", "paper")]
    rows = []
    for detector in dict.fromkeys([*paper["parts"], *cells.detectors("SIRST3")]):
        printed = paper["parts"].get(detector, {})
        for strategy, label in _STRATEGIES.items():
            group = cells.group(detector, "SIRST3", strategy)
            theirs = printed.get(strategy, [None] * len(names))
            pairs = (
                (_spread(group.of_data_set(name)), *_printed(figures, 1))
                for name, figures in zip(names, theirs, strict=True)
            )
            rows.append([detector, label, group.seeds, *(figure for pair in pairs for figure in pair)])
    return _measured(columns, rows)


def selection(cells: Cells, detector: str, data_set: str, paper: Mapping[str, Any]) -> str:
    """Figures 6 and 7a of the paper."""
    columns = (
        "train list", "images", "seeds", "IoU", "nIoU", "Pd", "Fa", "minus all", "paper IoU",
    )  # fmt: skip
    base, rows = cells.group(detector, data_set, BASE), []
    for row in _SELECTION:
        group = cells.group(detector, data_set, row)
        images = dict.fromkeys(str(entry["images"]["train"]) for entry in group.by_seed.values())
        printed = paper["selection"].get(detector) if row == "alpha30" and data_set == "SIRST3" else None
        rows.append(
            [
                "all images" if row == BASE else ROWS[row].label,
                ", ".join(images),
                group.seeds,
                *(group.figure(key) for key in _KEYS),
                "" if row == BASE else group.against(base),
                *_printed(None if printed is None else [printed], 1),
            ]
        )
    note = (
        "Static labels and as many epochs as with all images, so three tenths of the steps; row `d2d` of the "
        "same seed ranks the images. Ranking needs the points of all images."
    )
    # Without a selected list there is nothing to compare.
    chosen = [row for row in rows if row[2]]
    return f"{note}\n\n{_measured(columns, rows)}" if len(chosen) > 1 else ""


def _measured(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return the table of the rows that have seeds, without columns that are empty; empty if none has."""
    seeds = columns.index("seeds")
    own = [row for row in rows if row[seeds]]
    kept = [k for k in range(len(columns)) if any(row[k] for row in own)]
    if not own:
        return ""
    return markdown_table([columns[k] for k in kept], [[row[k] for k in kept] for row in own])


def _titles(whose: str) -> list[str]:
    return [f"{whose}IoU", "nIoU", "Pd", "Fa"]


def _printed(figures: Figures | None, count: int) -> list[str]:
    """Figures of the paper as printed; empty where it prints none."""
    shown = [f"{value:.2f}" for value in (figures or ())[:count]]
    return shown + [""] * (count - len(shown))


def _spread(values: Sequence[float]) -> str:
    if not values:
        return ""
    return f"{mean(values):.1f}" + (f" ± {stdev(values):.1f}" if len(values) > 1 else "")

"""Write the tables of the page Quality and speed, and the first of them into the README.

python benchmarks/table.py    (or: make bench-table)

Replaces the text between the two markers in docs/quality.md and README.md. A dated footnote marks every
figure in which a published method is ahead of ours or a goal is missed. A missing or unknown result file is
an error, never a missing row.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from support.results import FOLDER

from pointmask.bench.report import figure, markdown_table, milliseconds, times_ours
from pointmask.io.files import write_whole

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
ROOT = Path(__file__).parent.parent

Result = dict[str, Any]
Fact = tuple[str, str, str | None]  # what, figure, and what is wrong with it

MASKS = "quality-annotation"
OTHERS = "other_sources"
POINT_ONLY, TRUE_SIZE = "quality-val-centroid-none", "quality-val-centroid-truth"
SOURCES = {
    OTHERS: "python benchmarks/other_sources.py --wild FOLDER",
    MASKS: "python benchmarks/annotation_quality.py",
    POINT_ONLY: "python benchmarks/quality.py",
    TRUE_SIZE: "python benchmarks/quality.py --size-prior truth",
    "scaling": "python benchmarks/scaling.py",
    "startup": "python benchmarks/startup.py",
    "folder_job": "python benchmarks/folder_job.py",
    "memory": "python benchmarks/memory.py",
}
"""Result files that the table is made from, and how each is made."""

SHOWN_ELSEWHERE = (
    "quality-",
    "baseline_fidelity",
    "calibration",
    "click_day",
    "click_latency",
    "confidence-",
    "d2d_",
    "degradations",
    "detectors",
    "durable",
    "extremes",
    "fuzz",
    "judgement",
    "loader",
    "proposals",
    "readers",
    "scale",
    "strategy_cost",
    "strategy_table",
    "torch_operator",
    "tracking",
)
"""Beginnings of the names of results that belong beside them but not in the table."""


def main() -> None:
    """Read the results and write both pages."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=FOLDER)
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "quality.md")
    parser.add_argument("--readme", type=Path, default=ROOT / "README.md")
    options = parser.parse_args()
    results = load(options.results)
    contents = {options.page: table(results), options.readme: first_table(results)}
    pages = {path: filled(path, content) for path, content in contents.items()}
    for path, text in pages.items():
        write_whole(path, text)
        print(f"written: {path}")


def load(folder: Path) -> dict[str, Result]:
    """Read the result files; exit if one is missing or unknown."""
    files = {path.stem: path for path in sorted(folder.glob("*.json"))}
    missing = [how for name, how in SOURCES.items() if name not in files]
    if missing:
        raise SystemExit("results are missing; make them with:\n  " + "\n  ".join(missing))
    unknown = [name for name in files if name not in SOURCES and not name.startswith(SHOWN_ELSEWHERE)]
    if unknown:
        raise SystemExit(
            f"{folder} holds results that no row shows: {', '.join(unknown)}; add them to SOURCES"
        )
    return {name: json.loads(files[name].read_text(encoding="utf-8")) for name in SOURCES}


def filled(page: Path, content: str) -> str:
    """Return the text of a page with another content between the markers."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{page} has no markers; put {BEGIN} and {END} where the table is to stand")
    return f"{before}{BEGIN}\n{content}\n{END}{after}"


def table(results: dict[str, Result]) -> str:
    """Format the tables, their sources and the footnotes."""
    notes = Footnotes()
    parts = [
        others(results[OTHERS], notes),
        source(results[OTHERS]),
        masks(results[MASKS]),
        source(results[MASKS]),
        quality(results[POINT_ONLY], results[TRUE_SIZE], notes),
        source(results[POINT_ONLY], results[TRUE_SIZE]),
        markdown_table(("cost", "measured"), list(cost_lines(results, notes))),
        source(*(results[name] for name in SOURCES if name in FACTS)),
    ]
    return "\n\n".join([*parts, *notes.texts])


def first_table(results: dict[str, Result]) -> str:
    """Format the table that stands alone in the README, its source and its footnotes."""
    notes = Footnotes()
    return "\n\n".join([others(results[OTHERS], notes), source(results[OTHERS]), *notes.texts])


class Footnotes:
    """Numbered, dated remarks under the table."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def add(self, result: Result, text: str) -> str:
        """Add a remark and return its mark."""
        number = len(self.texts) + 1
        self.texts.append(f"<sup>{number}</sup> {result['machine']['date'][:10]}: {text}")
        return f" <sup>{number}</sup>"


_KNOWN_SOURCES = {
    "mdvsfa": "400 frames of MDvsFA's training set, inserted targets",
    "crowded": "30 frames of DenseSIRST, targets close together",
}


def others(result: Result, notes: Footnotes) -> str:
    """Tabulate both presets and published annotators on SIRST3's val list and on sources of others."""
    rows = result["rows"]
    sources = list(dict.fromkeys(row["source"] for row in rows))
    labels = list(dict.fromkeys(row["label"] for row in rows))
    cells = {(row["label"], row["source"]): row for row in rows}
    ours = [label for label in labels if label.startswith("pointmask")]
    lines = []
    for label in labels:
        own = [cells[label, name] for name in sources]
        ahead = [
            text
            for row in own
            if label not in ours
            for text in lead(f"IoU on {row['source']}", row["iou"], cells[ours[0], row["source"]]["iou"])
        ]
        mark = notes.add(result, f"{label} is ahead of ours in {'; '.join(ahead)}.") if ahead else ""
        lines.append(
            [label + mark, own[0]["fitted_on"], *(f"{figure(r['iou'])} / {figure(r['niou'])}" for r in own)]
        )
    counts = "; ".join(
        f"{name}: {_KNOWN_SOURCES.get(name, 'real images')}, {cells[ours[0], name]['targets']} targets"
        for name in sources
    )
    heading = f"IoU / nIoU from one centroid click per target, no size told ({counts})."
    return f"{heading}\n\n{markdown_table(('annotator', 'fitted on', *sources), lines)}"


def masks(result: Result) -> str:
    """Tabulate the quality of our masks by data set and list."""
    lists = {"val": "val", "both": "train and val"}
    columns = (
        "pooled IoU",
        *(f"{name}, {clicks}" for name in lists.values() for clicks in ("centroid", "coarse")),
    )
    quality = result["quality"]["default"]
    rows = [
        [
            group,
            *(
                figure(quality[clicks][name]["groups"][group]["iou"])
                for name in lists
                for clicks in ("centroid", "coarse")
            ),
        ]
        for group in quality["centroid"]["val"]["groups"]
    ]
    return markdown_table(columns, rows)


def quality(point_only: Result, sized: Result, notes: Footnotes) -> str:
    """Tabulate the methods, first with the point alone, then with true sizes."""
    columns = ("annotator", "knows", "IoU", "nIoU", "target IoU", "ms per target", "time / ours [95 %]")
    rows = [method(row, point_only, point_only, notes) for row in point_only["methods"].values()]
    rows += [
        method(row, sized, sized, notes) for row in sized["methods"].values() if row["size_prior"] != "none"
    ]
    heading = (
        f"{point_only['images']} real images, {point_only['targets']} targets ({point_only['data']}, "
        f"{point_only['protocol']} points); processor time of one thread. *True size*: box and class come "
        "from the true mask."
    )
    return f"{heading}\n\n{markdown_table(columns, rows)}"


def method(row: Result, result: Result, ours_of: Result, notes: Footnotes) -> list[str]:
    """Format one line of the quality table."""
    ours = ours_of["methods"]["ours"]
    ahead = list(leads(row, ours)) if row is not ours else []
    mark = ""
    if ahead:
        mark += notes.add(result, f"{row['label']}{knowing(row)} is ahead of ours in {'; '.join(ahead)}.")
    if row["label"] == "COM":
        mark += notes.add(
            result,
            "COM's list searches are array operations here. The released program searches lists in Python "
            "and takes about 0.5 s per target.",
        )
    return [
        row["label"] + mark,
        "point" if row["size_prior"] == "none" else "point, true size",
        figure(row["iou"]),
        figure(row["niou"]),
        figure(row["target_iou"]),
        milliseconds(row["ms_median"]),
        "1" if row is ours else times_ours(row["over_ours"]),
    ]


def knowing(row: Result) -> str:
    """Name the true sizes in the label of a method that used them."""
    return "" if row["size_prior"] == "none" else ", told the true sizes,"


def leads(row: Result, ours: Result) -> Iterator[str]:
    """Yield each figure in which a method is ahead of ours."""
    for key, name in (("iou", "IoU"), ("niou", "nIoU"), ("target_iou", "target IoU")):
        yield from lead(name, row[key], ours[key])
    for key, name in (("by_size", "target IoU at {} px"), ("by_group", "IoU on {}")):
        for part, figures in row[key].items():
            yield from lead(name.format(part), figures["iou"], ours[key][part]["iou"])
    for key, name in (("collapsed", "collapsed targets"), ("overgrown", "overgrown targets")):
        if row[key] is not None and ours[key] is not None and round(row[key], 3) < round(ours[key], 3):
            yield f"{name} ({100 * row[key]:.1f} against {100 * ours[key]:.1f} %)"
    if row["ms_median"] < ours["ms_median"]:
        yield f"time ({milliseconds(row['ms_median'])} against {milliseconds(ours['ms_median'])} ms)"


def lead(name: str, theirs: float | None, ours: float | None) -> Iterator[str]:
    """Yield one figure if theirs is larger in the displayed digits."""
    if theirs is not None and ours is not None and round(theirs, 3) > round(ours, 3):
        yield f"{name} ({figure(theirs)} against {figure(ours)})"


def cost_lines(results: dict[str, Result], notes: Footnotes) -> Iterator[list[str]]:
    """Yield the lines of the cost table, each with a footnote if it misses its goal."""
    for name, facts in FACTS.items():
        result = results[name]
        for what, value, wrong in facts(result):
            yield [what, value + (notes.add(result, wrong) if wrong else "")]


def scaling_facts(result: Result) -> Iterator[Fact]:
    """Yield growth with targets, window and image, and the effect of a second thread."""
    sweeps = result["sweeps"]
    for key, low, high in (
        ("targets", 0.95, 1.05),
        ("targets in one frame", 0.95, 1.05),
        ("image side", -0.1, 0.1),
    ):
        sizes, grown = sweeps[key]["sizes"], sweeps[key]["exponent"]
        what = f"number of {key}" if "targets" in key else key
        wrong = None if low <= grown <= high else f"the exponent {grown:.2f} lies outside of {low} to {high}."
        exponent = f"{round(grown, 2) + 0.0:.2f}"  # never -0.00
        yield f"exponent of time over {what}, {sizes[0]:,} to {sizes[-1]:,}", exponent, wrong
    window = sweeps["window side"]
    each = [milliseconds(ms) for ms in window["ms_per_target"]]
    yield f"ms per target at window sides {', '.join(map(str, window['sizes']))} px", ", ".join(each), None
    yield "two threads against one", f"{result['threads']['speed_up']:.2f} x", None


def startup_facts(result: Result) -> Iterator[Fact]:
    """Yield the times of new interpreters."""
    for name in ("pointmask --help", "import pointmask", "first annotate"):
        yield f"{name}, new process", f"{result['seconds'][name]:.2f} s", None


def folder_job_facts(result: Result) -> Iterator[Fact]:
    """Yield the cost of the whole job against the null job, on built-in scenes and on real images."""
    for part, images in ((result, "256 x 256 scenes"), (result.get("real"), "SIRST3")):
        if part:
            ratio = part["ratio"]
            wrong = f"the goal is 1.5 x; it took {ratio:.2f} x." if ratio > 1.5 else None
            yield (
                f"folder job against decoding and encoding the same files, {images}",
                f"{ratio:.2f} x",
                wrong,
            )


def memory_facts(result: Result) -> Iterator[Fact]:
    """Yield the peak resident memory of a long folder job."""
    peak = result["peak_mib"] * 1.048576
    wrong = f"the goal is 600 MB; it took {peak:.0f} MB." if peak > 600 else None
    yield f"peak memory over a folder of {result['images']:,} images", f"{peak:.0f} MB", wrong


FACTS: dict[str, Callable[[Result], Iterator[Fact]]] = {
    "folder_job": folder_job_facts,
    "memory": memory_facts,
    "scaling": scaling_facts,
    "startup": startup_facts,
}


def source(*results: Result) -> str:
    """Format processor, date and commands of the figures."""
    machine = results[0]["machine"]
    commands = ", ".join(f"`{result['command']}`" for result in results)
    commits = ", ".join(dict.fromkeys(str(result["machine"]["commit"]) for result in results))
    return f"{machine['cpu']}, {machine['date'][:10]}, commit {commits}: {commands}"


if __name__ == "__main__":
    main()

"""Kind E: recognition that ends in catch-alls, or gives up on what is common."""

import shutil
from pathlib import Path

from ..checks import (
    Check,
    Fault,
    both,
    clicks_on_the_pixel,
    either,
    failed,
    never,
    no_masks,
    read,
    refused,
    says,
)
from ..judge import Case, annotate
from ..run import Outcome
from ..scenes import FIRST, SECOND, SEQUENCE, Scenes
from ..words import FIX, MANY_ENCODINGS

SCENES = Scenes("images")
GENERIC = never("only that it is not recognised", "not recognised as points|add a header line")
DOTA = either(
    read(Scenes("dota/images")), refused("that it is no list of points", "not recognised as points|dota")
)
MAT = refused("that it is no list of points", r"not recognised as points|\bmatlab\b|\.mat\b")

DIVIDER = says("which dividers are read", r"^(?=.*\bcommas?\b)(?=.*\bsemicolons?\b)(?=.*\btabs?\b)")
HEADLESS = both(
    refused("that a header line is missing", r"\bheader\b"),
    says("the three columns", r"'scene_000\.png', '33', '15'"),
)
COMMA = either(read(SCENES), refused("decimal comma", r"\bdecimal commas?\b"))
ENCODING = says("the encoding", MANY_ENCODINGS)


def encoded(scenes: Scenes, *, guessed: bool) -> Check:
    """Read it, and say so if the encoding is guessed, or name the encoding."""
    well = both(read(scenes), ENCODING) if guessed else read(scenes)
    return either(well, refused("the likely encoding", MANY_ENCODINGS, FIX))


def not_as_bytes(outcome: Outcome) -> Fault | None:
    """Text of two bytes a letter is not printed letter by letter with the zeros between."""
    return Fault(r"shows 'i\x00m\x00a...'") if "\\x00" in outcome.raw or "\0" in outcome.raw else None


def english_names(folder: Path, _: Path) -> None:
    """Add the images under the names that the documents in other encodings use."""
    (folder / "scenes").mkdir()
    for number, path in enumerate(sorted((folder / "images").iterdir())):
        shutil.copyfile(path, folder / "scenes" / f"scene_00{number}.png")


def backgrounds(outcome: Outcome) -> Fault | None:
    """Two images have two targets each; two are backgrounds, on which nothing is marked."""
    marked = {
        name: [FIRST[name], SECOND[name]] if name in ("scene_000", "scene_001") else [] for name in FIRST
    }
    scenes = Scenes("images", given=marked)
    without = "that they are images without target"
    skipped = both(
        read(scenes, skipped=["scene_002", "scene_003"]),
        says(without, r"\bbackgrounds?\b|\bno (target|box)|\bwithout (a )?(target|box)", FIX),
        never("the name of a field that is not there", "xmin is None"),
    )
    return either(read(scenes, written=True), skipped)(outcome)


def labelled(label: str) -> Check:
    """Every target carries the name of its class."""

    def check(outcome: Outcome) -> Fault | None:
        path = outcome.folder / "o" / "manifest.jsonl"
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        count = text.count('"label"')
        if count and text.count(f'"label": "{label}"') == count:
            return None
        return Fault(f"labels are not {label!r}")

    return check


EMPTY_LABELS = {f"scene_{number:03}": [] for number in range(20)} | {
    "scene_020": [(33, 78), (20, 42)],
    "scene_021": [(64, 53), (74, 104)],
    "scene_022": [(12, 88), (89, 30)],
    "scene_023": [(13, 103), (17, 66)],
}

CASES = (
    Case(
        "any-folder-is-points",
        (annotate("dota/images", "dota", DOTA), annotate("mat14bit/images", "mat14bit", MAT)),
    ),
    Case(
        "createml-misread",
        (
            annotate(
                "images",
                "cml.json",
                either(read(SEQUENCE), refused("that it is CreateML", r"create ?ml", FIX)),
            ),
        ),
    ),
    Case(
        "csv-encodings",
        (
            annotate("images", "gbk.csv", encoded(SCENES, guessed=True)),
            annotate(
                "scenes",
                "utf16nobom.csv",
                both(not_as_bytes, either(read(Scenes("scenes")), refused("the encoding", r"utf-?16", FIX))),
            ),
            annotate("scenes", "gb2312.xml", encoded(Scenes("scenes"), guessed=False)),
            annotate("scenes", "labelme_gbk", encoded(Scenes("scenes"), guessed=True)),
        ),
        english_names,
    ),
    Case(
        "csv-european-excel",
        (
            annotate("images", "decimal_comma.csv", COMMA),
            annotate("images", "sep.csv", read(SCENES)),
            annotate("images", "tabs_comma.csv", COMMA),
        ),
    ),
    Case(
        "csv-whitespace",
        (
            *(
                annotate("images", name, either(read(SCENES), both(failed, no_masks, DIVIDER)))
                for name in ("space.txt", "aligned.txt")
            ),
            annotate("images", "nohead.txt", either(read(SCENES), both(failed, no_masks, DIVIDER), HEADLESS)),
        ),
    ),
    Case("sirst-background-xml", (annotate("images", "bboxes", backgrounds),)),
    Case(
        "sirst-centroid-xml",
        (
            annotate(
                "images",
                "centroids",
                either(
                    both(read(SCENES), clicks_on_the_pixel(SCENES)),
                    refused("what the file has", r"\bcentroid\b", FIX),
                ),
            ),
        ),
    ),
    Case(
        "sirst-mask-folder-with-xml",
        (
            annotate(
                "images",
                "masks",
                both(refused("that they are masks: --simulate", r"\bmasks?\b.*--simulate\b"), GENERIC),
            ),
        ),
    ),
    Case(
        "yolo-export-roots",
        (
            annotate(
                "roboflow",
                "roboflow",
                both(
                    read(Scenes("roboflow")),
                    never("README is a label file", r"\bREADME\."),
                    labelled("drone"),
                ),
            ),
            annotate(
                "cvat/obj_train_data",
                "cvat",
                both(
                    read(Scenes("cvat/obj_train_data")),
                    never("train.txt is a label file", r"^\s*train: "),
                    labelled("drone"),
                ),
            ),
        ),
    ),
    Case(
        "yolo-first-labels-empty",
        (annotate("images", "labels", read(Scenes("images", given=EMPTY_LABELS), written=True)),),
    ),
)

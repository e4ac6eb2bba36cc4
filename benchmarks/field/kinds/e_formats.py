"""Kind E: documents of other tools, each of which is read or named for what it is."""

import shutil
from pathlib import Path

from ..checks import Check, both, either, failed, never, no_masks, read, refused, says
from ..judge import Case, Command, annotate
from ..scenes import SEQUENCE, BrokenCaseError, Scenes
from ..words import FIX

SCENES = Scenes("scenes")
GENERIC = never("only that it is not recognised", "not recognised as points|add a header line")

# Documents of the images of the case, each with a pattern of the format's name or of what gives it away.
OF_THE_SEQUENCE = {
    "antiuav_IR_label.json": r"anti-?uav|\bgt_rect\b",
    "boxes.jsonl": r"\bbox(es)?\b|\bcorners\b",
    "dict.json": r"looks like",
    "filename.jsonl": r"looks like|\bfilename\b",
    "list.json": r"looks like",
    "ls_json_min.json": r"label ?studio.*\bmin|json[- _]?min",
    "mot_gt.txt": r"\bmot\b|mot ?challenge",
    "otb_groundtruth.txt": (
        r"\botb\b|\blasot\b|\bgot-?10k\b"
        r"|box(es)? (of|per|for) (each|every|one|a) (frame|image)"
    ),
    "supervisely": r"supervisely",
    "visdrone": r"visdrone",
}

# Documents of scene_000 ... 003, which the images of the case are not.
OF_THE_SCENES = {
    "coco_results.json": r"\bcoco\b.*\bresults?\b|\bresults?\b.*\bcoco\b",
    "imagej.csv": r"image ?j|\bfiji\b",
    "mats": r"\.mat\b|\bmatlab\b",
    "napari_Points.csv": r"\bnapari\b",
    "points.mat": r"\.mat\b|\bmatlab\b",
    "tf_boxes.csv": r"tensor ?flow|\bboxes\b|\bxmin\b.*\bbox",
    "txts": r"looks like|(text )?file (of|per|for) (each|every|one|an) image",
    "via.csv": r"\bvia\b|\bvgg\b",
    "xyxy.csv": r"\bboxes\b|\bcorners\b",
}

# Documents that name no image.
OF_NO_IMAGE = {
    "ds9.reg": r"\bds9\b|region file",
    "photutils.csv": r"photutils|daofind|star ?finder|source (catalogue|catalog|table|list)|looks like",
}


def named(pattern: str) -> Check:
    """Refuse it by its name and with a way out."""
    return both(refused("what it looks like and what to do", pattern, FIX), GENERIC)


def unpaired(pattern: str) -> Check:
    """Refuse it by its name, or read it and find no image of the names that it gives."""
    paired_with_none = both(failed, no_masks, says("8 points of 4 images", r"\b8\b.{0,9}\bin 4\b"), GENERIC)
    return either(named(pattern), paired_with_none)


def scenes_of_another_case(folder: Path, cases: Path) -> None:
    """Add the images that half of the documents name."""
    source = cases / "csv-whitespace" / "images"
    if not source.is_dir():
        raise BrokenCaseError(f"{source} is not there; its images are needed here too")
    shutil.copytree(source, folder / "scenes", copy_function=shutil.copyfile)


def line_by_line(pattern: str) -> Check:
    """Name it for the images whose lines are boxes; the others have no target and may have empty masks."""
    boxed = [name for name, places in (SEQUENCE.given or {}).items() if places]
    return both(
        read(SEQUENCE, skipped=boxed), says("what it looks like and what to do", pattern, FIX), GENERIC
    )


def commands() -> list[Command]:
    """Annotate by each document the images of the case, and those that the document names."""
    made = [
        annotate("images", name, either(read(SEQUENCE), named(pattern), line_by_line(pattern)))
        for name, pattern in OF_THE_SEQUENCE.items()
    ]
    for name, pattern in OF_THE_SCENES.items():
        made.append(annotate("images", name, unpaired(pattern)))
        made.append(annotate("scenes", name, either(read(SCENES), named(pattern))))
    made += [annotate("images", name, named(pattern)) for name, pattern in OF_NO_IMAGE.items()]
    return made


CASES = (Case("formats-not-read", tuple(commands()), scenes_of_another_case),)

"""Kind F: true masks of unusual values, sizes and kinds, which every command must take in the same way."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from ..checks import Fault, both, done, either, failed, no_masks, read, refused, says
from ..judge import Case, annotate, command
from ..run import Outcome
from ..scenes import FIRST, SECOND, Scenes, distance, targets
from ..words import FIX, size

SCENES = Scenes("images")

# Values 0 and 1 are refused with the file, the largest value and the fix.
says_largest = says(
    "file, largest value and fix",
    r"\bscene_0\d\d\b",
    r"\b(value|values|largest|maximum)\b.*\b1\b",
    r"\b255\b|> 0|\bmultiply",
)
TRUTH = either(read(SCENES), both(failed, no_masks, says_largest))

says_no_masks = says(
    "that pictures are no masks",
    r"\bbinary\b|\bgr[ea]y\b|\blevels?\b|\bphoto|\bpictures?\b|\bno masks\b",
)
says_array = says(
    "that they are arrays of points",
    r"\b(lists?|arrays?|columns?)\b.{0,30}\b(points|coordinates|x, ?y)\b|\bpoints\b.{0,30}\barrays?\b"
    r"|\(n, 2\)|\(2, 2\)",
)

HALF = says("the other size", size(80, 60))
CROPPED = says("the other size", size(160, 118))
BOTH_SIZES = says("both sizes", size(80, 60), size(160, 120))

SPOTS = [(53, 51), (104, 50)]
NODATA = Scenes("images", given={"nod": SPOTS, "plain": SPOTS})


def converted(outcome: Outcome) -> Fault | None:
    """Require a box round each target in the COCO file."""
    path = outcome.folder / "c.json"
    if not path.is_file():
        return Fault("writes no c.json")
    coco = json.loads(path.read_text(encoding="utf-8"))
    names = {image["id"]: Path(image["file_name"]).stem for image in coco["images"]}
    middles: dict[str, list[tuple[float, float]]] = {}
    for row in coco["annotations"]:
        x, y, w, h = row["bbox"]
        middles.setdefault(names[row["image_id"]], []).append((x + w / 2 - 0.5, y + h / 2 - 0.5))
    missed = [
        name
        for name in FIRST
        for place in (FIRST[name], SECOND[name])
        if distance(place, middles.get(name, [])) > 1
    ]
    if missed or sum(map(len, middles.values())) != 8:
        return Fault(f"c.json has {sum(map(len, middles.values()))} targets, not 8", damage=True)
    return None


def scored(outcome: Outcome) -> Fault | None:
    """Require of our row of the table an IoU as masks and clicks of the same targets give."""
    row = re.search(r"pointmask\W+none\W+(\d\.\d{3})", outcome.text)
    if row is None:
        return Fault("prints no IoU")
    return None if float(row[1]) > 0.3 else Fault(f"IoU {row[1]}", damage=True)


FIGURES = says(
    "20 images, 40 targets, IoU 0.351, Fa 0", r"\b20\D+40\D+0\.351\D+0\.35\d\D+1\.000\D+0(\.0+)?\D"
)


def ones_named(outcome: Outcome) -> Fault | None:
    """Require that masks of the largest value 1 are named, and no others."""
    named = set(re.findall(r"scene_0\d\d", outcome.text))
    ones = {path.stem for path in (outcome.folder / "masks_mixed").iterdir() if _largest(path) == 1}
    return None if named and named <= ones else Fault("does not name the masks whose largest value is 1")


def _largest(path: Path) -> int:
    with Image.open(path) as image:
        return int(np.asarray(image).max())


def linked(folder: Path, _: Path) -> None:
    """Make the folder of images that evaluate reads."""
    (folder / "D").mkdir()
    (folder / "D" / "images").symlink_to("../images")


def sequence(folder: Path, _: Path) -> None:
    """Add a sequence with its folders img/ and mask/."""
    for path in sorted((folder / "images").iterdir()):
        shape, there = targets(path)
        mask = np.zeros(shape, dtype=np.uint8)
        for target in there:
            mask[target.pixels] = 255
        for name in ("img", "mask"):
            (folder / "seq" / name).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / "seq" / "img" / path.name)
        Image.fromarray(mask).save(folder / "seq" / "mask" / path.name)


CASES = (
    Case(
        "masks-0-1",
        (
            annotate("images", "masks", TRUTH, "--simulate", "centroid"),
            annotate("images", "pts", TRUTH),
            annotate("images", "instances", TRUTH, "--simulate", "centroid"),
            command(
                "convert masks c.json --from masks --to coco",
                either(both(done, converted), both(failed, no_masks, says_largest)),
            ),
            command(
                "bench images --masks masks --points p.csv",
                either(both(done, scored), both(failed, no_masks, says_largest)),
            ),
        ),
    ),
    Case(
        "simulate-on-photos",
        (
            annotate("images", "images", both(failed, no_masks, says_no_masks), "--simulate", "centroid"),
            annotate(
                "seq",
                "seq",
                either(read(Scenes("seq/img", flat=True)), both(failed, no_masks, says_no_masks)),
                "--simulate",
                "centroid",
            ),
        ),
        sequence,
    ),
    Case(
        "simulate-other-size",
        (
            annotate(
                "images",
                "masks",
                either(both(read(SCENES), HALF), both(refused("the reason"), BOTH_SIZES)),
                "--simulate",
                "centroid",
            ),
            annotate(
                "images", "pts", either(both(read(SCENES), HALF), both(refused("the reason"), BOTH_SIZES))
            ),
            annotate(
                "misc111/images",
                "misc111/masks",
                both(
                    CROPPED,
                    either(
                        read(Scenes("misc111/images")), read(Scenes("misc111/images"), skipped=["scene_000"])
                    ),
                ),
                "--simulate",
                "centroid",
            ),
        ),
    ),
    Case(
        "npy-point-arrays",
        tuple(
            annotate(
                "images",
                points,
                both(
                    says_array,
                    either(read(SCENES), refused("what to do", FIX)),
                ),
            )
            for points in ("points_uint16", "points_int64")
        ),
    ),
    Case(
        "nodata-finite",
        (
            command(
                "predict model.safetensors images --threshold 0.3 --out o",
                either(
                    read(NODATA),
                    both(
                        read(NODATA, skipped=["nod"]),
                        says("which value of which file", r"\bnod\.tif\b.*(no[- _]?data|-9999)"),
                    ),
                ),
            ),
        ),
    ),
    Case(
        "evaluate-mixed-0-1-and-255",
        (
            command(
                "evaluate best/model.safetensors D --list all --masks masks_mixed --out e1",
                either(both(done, FIGURES), both(failed, ones_named, says("their largest value", r"\b1\b"))),
            ),
            command(
                "evaluate best/model.safetensors D --list all --masks masks_255 --out e2", both(done, FIGURES)
            ),
        ),
        linked,
    ),
)

"""Kind D: numbers that get a wrong meaning from how many there are, or from two names of columns."""

from dataclasses import replace

from ..checks import Check, both, either, read, refused, says
from ..judge import Case, annotate
from ..scenes import SEQUENCE, Scenes
from ..words import NO_TARGETS, says_box

SCENES = Scenes("images")


def box_or_refused(scenes: Scenes) -> Check:
    """Click on the middle of the box and say so, or on nothing, and ask."""
    return both(says_box, either(read(scenes), refused("what to do")))


says_empty = says(
    "that an object is empty",
    r"\b(empty|degenerate)\b.{0,30}\b(box|bbox|object|annotation)|\b(box|bbox|object|annotation)\b.{0,60}"
    r"\b(empty|0 x 0|zero|no (area|extent|size))\b|\barea\b.{0,12}\b0\b|\[0, 0, 0, 0\]|\bannotation 999\b",
)
PIXELS = (r"\bpixels?\b", r"\bfractions?\b|\bnormali[sz]ed\b|\b0 to 1\b")

CASES = (
    Case(
        "coco-empty-object",
        (
            annotate(
                "images",
                "empty_object.json",
                both(
                    says_empty,
                    either(
                        read(SCENES), read(SCENES, skipped=["scene_000"]), refused("which object", "999|bbox")
                    ),
                ),
            ),
        ),
    ),
    Case(
        "csv-normalised-percent",
        (
            annotate("images", "normalised.csv", refused("that they are fractions", r"\bfractions?\b")),
            annotate(
                "images",
                "percent.csv",
                says("that hardly a click shows a target", rf"{NO_TARGETS}|\bpercent\b|\bper cent\b"),
            ),
        ),
    ),
    Case(
        "csv-xywh-topleft",
        (
            *(
                annotate("images", name, box_or_refused(SCENES))
                for name in ("head.csv", "head2.csv", "xywh.csv")
            ),
            annotate(
                "images", "nohead.csv", either(read(SCENES), refused("what is missing", "header|column"))
            ),
            annotate(
                "antiuav/images",
                "antiuav/xywh.jsonl",
                box_or_refused(replace(SEQUENCE, folder="antiuav/images")),
            ),
        ),
    ),
    Case(
        "yolo-other-columns",
        (
            *(
                annotate(f"{kind}/images", f"{kind}/labels", read(Scenes(f"{kind}/images")))
                for kind in ("pose2", "pose3", "track", "float")
            ),
            annotate(
                "pixels/images",
                "pixels/labels",
                both(
                    says("that these are pixels, not fractions", *PIXELS),
                    either(read(Scenes("pixels/images")), refused("what to do")),
                ),
            ),
        ),
    ),
    Case(
        "yolo-track-conf-id",
        (
            annotate(
                "images",
                "labels",
                either(
                    read(SCENES),
                    refused(
                        "line and columns",
                        r"scene_00\d\.txt\W+(line )?1\b",
                        r"\bcolumns?\b|\bnumbers\b|\bvalues\b",
                    ),
                ),
            ),
        ),
    ),
)

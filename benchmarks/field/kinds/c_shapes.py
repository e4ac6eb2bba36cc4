"""Kind C: shapes beside those that a reader knows: boxes, the middle of which is to be clicked on."""

from ..checks import either, read, refused
from ..judge import Case, Command, annotate
from ..scenes import SECOND, Scenes
from ..words import BOX

BOXED = {name: [place] for name, place in SECOND.items()}  # one of the two targets of each image


def whole_or_skipped(images: str, points: str) -> Command:
    """Both targets of each image, or neither and the reason."""
    return annotate(images, points, either(read(Scenes(images)), refused("which shape is not read", BOX)))


CASES = (
    Case(
        "boxes-only",
        (
            annotate("cvat/images", "cvat/a.xml", read(Scenes("cvat/images"))),
            annotate("ls/images", "ls/b.json", read(Scenes("ls/images", given=BOXED))),
        ),
    ),
    Case(
        "mixed-shapes-dropped",
        (whole_or_skipped("cvat/images", "cvat/a.xml"), whole_or_skipped("ls/images", "ls/a.json")),
    ),
    Case("xanylabeling-rectangle-4-corners", (annotate("images", "lm", read(Scenes("images"))),)),
)

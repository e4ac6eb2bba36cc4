"""Kind A: the orientation of a picture, which annotation tools heed and readers of pixels do not."""

from ..checks import Check, either, read, refused
from ..judge import Case, annotate
from ..scenes import Scenes
from ..words import FIX


def upright_or_refused(folder: str, name: str) -> Check:
    """Masks lie on the upright image, or the message names the file, its orientation and what to do."""
    message = refused("file, orientation and fix", rf"\b{name}", r"orientation|exif", FIX)
    return either(read(Scenes(folder)), message)


CASES = (
    Case(
        "exif-orientation",
        (
            annotate("jpeg6/images", "jpeg6/lm", upright_or_refused("jpeg6/images", "IR_0000")),
            annotate("square3/images", "square3/lm", upright_or_refused("square3/images", "IR_0000")),
            annotate("png6/images", "png6/p.csv", upright_or_refused("png6/images", r"a\.png")),
        ),
    ),
)

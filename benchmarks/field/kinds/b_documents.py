"""Kind B: what a document says of its image and nobody compares with the image."""

from ..checks import Check, both, either, failed, read, refused, says
from ..judge import Case, annotate, command
from ..scenes import Scenes
from ..words import FIX, size

SCENES = Scenes("images")
FRAMES = Scenes("images", each=1)

FROM_ONE = says(
    "that the files count from one",
    r"\b(count|number|start)\w*\b.{0,60}\b(from|at) (one|1)\b|\b1-based\b|\boff by (one|1)\b"
    r"|\bby (one|1) (frame|image|file)",
)
PROBLEM = both(failed, says("a PROBLEM", r"^PROBLEM\b"))
SIZE = says("that the document is of 80 x 60", size(80, 60))


def scaled_or_skipped(folder: str) -> Check:
    """Masks on the targets and a note of the other size, or nothing but both sizes and what to do."""
    skipped = refused("both sizes and the fix", size(80, 60), size(160, 120), FIX)
    return either(both(read(Scenes(folder)), SIZE), skipped)


def says_names_differ(document: str) -> Check:
    """Require a line that says that a document and its content name different images."""
    parting = r"differ|disagree|another|own name|renamed|instead|prefer|contradict|not the same"
    line = rf"^(?=.*\b({document}|filename|imagePath)\b)(?=.*({parting}))"
    return says("that document and content name different images", line)


def own_or_skipped(folder: str, document: str) -> Check:
    """Points go to the image of the document's own name, or nowhere, and the output says so."""
    return both(says_names_differ(document), either(read(Scenes(folder)), refused("what to do")))


CASES = (
    Case(
        "coco-id-types",
        (
            annotate(
                "images", "str_ids.json", either(read(SCENES), refused("which id has no image", "image_id"))
            ),
        ),
    ),
    Case(
        "cvat-frames-from-one",
        (
            annotate(
                "images",
                "a.xml",
                either(
                    both(read(FRAMES), FROM_ONE),
                    both(failed, FROM_ONE),
                    refused("which frames", r"\bframes?\b|frame_0"),
                ),
            ),
            command(
                "check images --points a.xml",
                either(both(PROBLEM, says("whose points they are", r"belong to another image")), FROM_ONE),
            ),
        ),
    ),
    Case(
        "document-size-mismatch",
        (
            annotate("images", "half_size.json", scaled_or_skipped("images")),
            annotate("images", "half_size_seg.json", scaled_or_skipped("images")),
            annotate("labelme/images", "labelme/lm", scaled_or_skipped("labelme/images")),
            command("check images --points half_size.json", SIZE),
            command("check labelme/images --points labelme/lm", SIZE),
        ),
    ),
    Case(
        "stale-file-names",
        (
            annotate("voc/images", "voc/xml", own_or_skipped("voc/images", r"scene_00\d\.xml")),
            annotate("labelme/images", "labelme/lm", own_or_skipped("labelme/images", r"scene_00\d\.json")),
        ),
    ),
)

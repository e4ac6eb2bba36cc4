"""Kind J: fields that do not matter to a click and yet cost an image."""

from ..checks import both, either, read, says
from ..judge import Case, annotate
from ..scenes import FIRST, Scenes

SCENES = Scenes("images")
DIALECTS = ("score_percent", "seg_empty_nested", "seg_flat", "video_frame_key")
ONE = {name: [FIRST[name]] if name == "scene_000" else [] for name in FIRST}

SUPERFLUOUS = says(
    "that the column is superfluous",
    r"\bframes?\b.*\b(superfluous|unnecessary|not needed|needless|ignored|left out|delete|drop|remove|single"
    r"|files? of)",
)

CASES = (
    Case(
        "coco-segmentation-dialects",
        tuple(annotate("images", f"{name}.json", read(SCENES)) for name in DIALECTS),
    ),
    Case(
        "csv-nan-and-float-frames",
        (
            annotate("images", "nan.csv", read(Scenes("images", given=ONE), written=True)),
            annotate("images", "pandas_frame.csv", read(SCENES)),
            annotate(
                "images",
                "frame_no.csv",
                both(
                    SUPERFLUOUS,
                    either(read(SCENES), read(SCENES, skipped=["scene_001", "scene_002", "scene_003"])),
                ),
            ),
        ),
    ),
    Case("voc-size-zero", (annotate("images", "xml", read(SCENES)),)),
)

"""Kind I: nobody judges the whole, so that what is wrong everywhere passes point by point."""

from pathlib import Path

from ..checks import both, done, either, failed, never, read, refused, says
from ..judge import Case, annotate, command
from ..scenes import Scenes
from ..words import CLICKS, FEW, FIX, NO_TARGETS, says_no_targets

PROBLEM = both(
    failed,
    says(
        "one PROBLEM for all points",
        rf"^PROBLEM\b.*\b({FEW}|\d+ of( the| all)? \d+|swapped|corners?)\b.*\b({CLICKS})\b",
    ),
)
NO_ALARM = never("that hardly a click shows a target", rf"^PROBLEM|{NO_TARGETS}")
PGM = r"\bpgm\b|\.pgm\b"


def without_the_mistake(folder: Path, _: Path) -> None:
    """Add the same points in the right order, on which there must be no alarm."""
    head, *rows = (folder / "swapped" / "s.csv").read_text(encoding="utf-8").split()
    right = [",".join((name, y, x)) for name, x, y in (row.split(",") for row in rows)]
    (folder / "swapped" / "right.csv").write_text("\n".join((head, *right, "")), encoding="utf-8")


def nothing_at_all(folder: Path, _: Path) -> None:
    """Add a folder that no version can read an image in."""
    (folder / "nothing").mkdir()
    (folder / "nothing" / "a.doc").write_bytes(b"no image")


CASES = (
    Case(
        "points-systematically-displaced",
        (
            command("check swapped/images --points swapped/s.csv", PROBLEM),
            annotate("swapped/images", "swapped/s.csv", says_no_targets),
            command("check topleft/images --points topleft/labels", PROBLEM),
            command("check swapped/images --points swapped/right.csv", both(done, NO_ALARM)),
            annotate("swapped/images", "swapped/right.csv", both(read(Scenes("swapped/images")), NO_ALARM)),
        ),
        without_the_mistake,
    ),
    Case(
        "check-nothing-readable",
        (
            annotate(
                "images",
                "p.csv",
                either(
                    read(Scenes("images")),
                    both(
                        refused("the kind of file and what to do", PGM, FIX),
                        never("no such file", "no file of that name"),
                    ),
                ),
            ),
            command(
                "check images",
                either(
                    both(failed, says("a PROBLEM", r"^PROBLEM\b")),
                    both(done, says("that it reads 1 pgm", r"^images\b.*\bpgm\b.*\b1\b.*\b160 x 120\b")),
                ),
            ),
            command("check nothing", both(failed, says("a PROBLEM", r"^PROBLEM\b"))),
            annotate(
                "mix/images",
                "mix/p.csv",
                either(
                    read(Scenes("mix/images")),
                    both(
                        read(Scenes("mix/images"), skipped=["scene_000"]),
                        says("that .pgm is not read", r"scene_000\.pgm.*\b(not read|convert|save)"),
                        never("no such file", "no file of that name"),
                    ),
                ),
            ),
        ),
        nothing_at_all,
    ),
)

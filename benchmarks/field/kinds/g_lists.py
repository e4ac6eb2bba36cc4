"""Kind G: lists of ids: where they lie, which are alternatives, and what a run was trained on."""

from pathlib import Path

import numpy as np
from PIL import Image

from ..checks import Check, Fault, both, done, either, failed, lines_of, never, says
from ..judge import Case, command
from ..run import Outcome
from ..words import FIX

TRAIN = "--strategy full --preset cpu --epochs 1"
TEST = {"Misc_8", "Misc_9", "Misc_10"}
SEEN = says(
    "that the run has trained or validated on them",
    r"\b(trained|training|train list|validat\w+)\b",
    r"\bMisc_(8|9|10)\b",
)
UNUSED = says("that lists lie unused", r"\bidx_427\b", r"\blists?\b|--train-list")
says_missing = says(
    "that images/ is missing",
    r"\bimages/?\b['\"]?[^.;\n]{0,40}\b(missing|not there|is not|does not exist|no such|not found)\b"
    r"|\b(no|without|missing|lacks|neither)\b[^.;\n]{0,40}\bimages\b",
)


def same_lists(outcome: Outcome) -> Fault | None:
    """Require that lists are as they were, in the folder and in the corrected copy, if there is one."""
    before = {path.name: lines_of(path) for path in (outcome.folder / "before").iterdir()}
    copied = sorted((outcome.folder / "fixed").rglob("*.txt"))
    for path in (*sorted((outcome.folder / "splits").iterdir()), *copied):
        ids = lines_of(path)
        if path.name not in before:
            return Fault(f"writes a list {path.name}", damage=True)
        if ids != before[path.name]:
            return Fault(f"{path.name} has {len(ids)} of its {len(before[path.name])} ids", damage=True)
    if (outcome.folder / "fixed").exists() and len(copied) != len(before):
        return Fault(f"the copy has {len(copied)} of {len(before)} lists", damage=True)
    return None


def planted_leak(folder: Path, _: Path) -> None:
    """Keep the lists as they were, and add a pair with an image in both, which must be reported."""
    for name in ("before", "leak"):
        (folder / name).mkdir()
    for path in sorted((folder / "splits").iterdir()):
        (folder / "before" / path.name).write_bytes(path.read_bytes())
    (folder / "leak" / "train_full.txt").write_text("scene_000\nscene_001\nscene_007\n", encoding="utf-8")
    (folder / "leak" / "test_full.txt").write_text("scene_007\nscene_008\n", encoding="utf-8")


def learned(outcome: Outcome) -> set[str]:
    """Read what the run has trained and validated on."""
    lists = [outcome.folder / outcome_run(outcome) / f"{name}.txt" for name in ("train", "val")]
    return {name for path in lists if path.is_file() for name in lines_of(path)}


def outcome_run(outcome: Outcome) -> str:
    """Name the folder of the run that a command writes or evaluates."""
    return outcome.words[1] if outcome.words[0] == "evaluate" else outcome.after("--out") or "run"


def clean(outcome: Outcome) -> Fault | None:
    """Require a run that has seen nothing of the test list."""
    ids = learned(outcome)
    if not ids:
        return Fault("no run with lists of what it learned from")
    return (
        Fault(f"learns from {', '.join(sorted(ids & TEST))} of the test list", True) if ids & TEST else None
    )


def no_run(outcome: Outcome) -> Fault | None:
    """Require that there is nothing to evaluate, since the training has stopped."""
    return Fault("there is a run") if learned(outcome) else failed(outcome)


def seen_lists(folder: Path, _: Path) -> None:
    """Add lists with which the test list is no longer unseen."""
    (folder / "seen").mkdir()
    (folder / "seen" / "train.txt").write_text("".join(f"Misc_{n}\n" for n in (1, 2, 3, 8)), encoding="utf-8")
    (folder / "seen" / "val.txt").write_text("Misc_9\n", encoding="utf-8")


def masks_of_one(folder: Path, _: Path) -> None:
    """Add the data set under the usual names, with masks of the value 1."""
    for source, target in (("IRSTD1k_Img", "images"), ("IRSTD1k_Label", "masks")):
        (folder / "ones" / target).mkdir(parents=True)
        for path in sorted((folder / "data" / source).iterdir()):
            with Image.open(path) as image:
                pixels = np.asarray(image)
            pixels = (pixels > 0).astype(np.uint8) if target == "masks" else pixels
            Image.fromarray(pixels).save(folder / "ones" / target / path.name)
    for name in ("trainval.txt", "test.txt"):
        (folder / "ones" / name).write_bytes((folder / "data" / name).read_bytes())


def _named_folders() -> Check:
    folders = (r"\bIRSTD1k_Img\b", r"\bIRSTD1k_Label\b")
    return both(failed, says_missing, says("the folders that it saw", *folders, FIX))


CASES = (
    Case(
        "check-fix-splits",
        (
            command(
                "check images --lists splits --fix fixed",
                both(same_lists, done, never("a PROBLEM", r"^PROBLEM\b")),
            ),
            command(
                "check images --lists leak",
                both(failed, says("that train and test share an image", r"^PROBLEM\b", r"\bscene_007\b")),
            ),
        ),
        planted_leak,
    ),
    Case(
        "train-lists-not-found",
        (
            command(f"train . {TRAIN} --out run", either(both(done, clean), UNUSED)),
            command(
                "evaluate run . --list idx_427/test.txt --out e", either(both(done, clean), no_run, SEEN)
            ),
            command(f"train . {TRAIN} --train-list seen/train.txt --val-list seen/val.txt --out run2", done),
            command("evaluate run2 . --list idx_427/test.txt --out e2", SEEN),
        ),
        seen_lists,
    ),
    Case(
        "image-folder-missing-message",
        (
            command(f"train data {TRAIN} --out run", either(both(done, clean), _named_folders())),
            command(
                f"train ones {TRAIN} --out run",
                either(
                    both(done, clean, never("that masks are empty", r"\bmasks? (is|are) empty\b")),
                    both(
                        failed,
                        says("the values of the masks", r"\bmasks?\b", r"\b(values?|largest)\b.*\b1\b"),
                        never("that masks are empty", r"\bevery mask is empty\b"),
                    ),
                ),
            ),
        ),
        masks_of_one,
    ),
)

"""Kind H: one message of pairing for every cause, where tools and systems change names in known ways."""

from ..checks import Check, Fault, both, done, either, failed, never, no_masks, read, refused, says
from ..judge import Case, annotate, command
from ..run import Outcome
from ..scenes import Scenes

SCENES = Scenes("images")
RENAME = r"\brename\b|\bdid you mean\b|\btake\b.{0,40}\b(off|away)\b|\bprefix\b|\bwithout (the|its|their)\b"
PAIRED = (
    r"\bprefix|\bhash\b|\bhexadecimal\b|\bpaired\b|\b(adds|added|puts|put) (before|in front)\b"
    rf"|\blabel ?studio (adds|changes|changed|gave|made|makes|puts)\b|{RENAME}"
)

says_paired = says("that names were paired", PAIRED)
ENDING = says("the common ending _pixels0", r"(?<!\w)_pixels0\b")
UNPAIRED = never("that masks and images have no partner", r"\b(have|has) no (mask|image)\b")


def paired_or_named(scenes: Scenes) -> Check:
    """Pair names and say so, or say what to rename."""
    noted = both(read(scenes), says_paired)
    named = both(refused("what to rename", RENAME), never("that a file climbs out", "climbs out"))
    return either(noted, named)


def both_names(given: str, there: str) -> Check:
    """Require a line with the name that is given and the one that is meant."""
    line = rf"^(?=.*(?-i:{given}))(?=.*(?-i:{there})).*$"
    return says("which name is meant", line)


def masks_kept(outcome: Outcome) -> Fault | None:
    """Require the four masks in the corrected copy, if there is one, under whatever name."""
    copy = outcome.folder / "f"
    kept = sum("mask" in path.parent.name for path in copy.rglob("*.png"))
    return Fault(f"leaves {4 - kept} masks out", damage=True) if copy.exists() and kept < 4 else None


def trained(outcome: Outcome) -> Fault | None:
    """Require a run with weights."""
    weights = list((outcome.folder / "run").rglob("*.safetensors"))
    return None if weights else Fault("no run with weights")


CASES = (
    Case(
        "masks-pixels0",
        (
            command("check images --masks masks", both(ENDING, either(both(done, UNPAIRED), failed))),
            annotate(
                "images",
                "masks",
                both(ENDING, either(read(SCENES), both(failed, no_masks))),
                "--simulate",
                "centroid",
            ),
            command(
                "train train --strategy full --preset cpu --epochs 1 --out run",
                both(ENDING, either(both(done, trained), failed)),
            ),
            command(
                "check images --masks masks --fix f",
                both(ENDING, masks_kept, either(both(done, UNPAIRED), failed)),
            ),
        ),
    ),
    Case(
        "names-zip-gbk-nfd-case",
        (
            annotate("gbk.zip", "cn.csv", read(Scenes("images", renamed=("scene", "红外")))),
            annotate("nfd", "nfc.csv", read(Scenes("nfd"))),
            annotate(
                "images",
                "upper.csv",
                both(
                    both_names(r"SCENE_000\.PNG", r"\bscene_000\.png"),
                    either(read(SCENES), both(failed, no_masks)),
                ),
            ),
            annotate(
                "num",
                "num.csv",
                both(
                    both_names(r"(?<![\w.#/,])1(?![\w.,])", r"\b000001\b"),
                    either(read(Scenes("num")), both(failed, no_masks)),
                ),
            ),
        ),
    ),
    Case(
        "label-studio-names",
        (
            annotate("images", "coco_prefix.json", paired_or_named(SCENES)),
            annotate("ls/images", "ls/proj_prefix.json", paired_or_named(Scenes("ls/images"))),
            annotate("ls/images", "ls/suffix_hash.json", paired_or_named(Scenes("ls/images"))),
            annotate("space/images", "space/a.json", paired_or_named(Scenes("space/images"))),
        ),
    ),
    Case(
        "paths-with-dotdot",
        (
            annotate("images", "ls_updir.json", either(read(SCENES), paired_or_named(SCENES))),
            annotate("images", "updir.csv", read(SCENES)),
            annotate("images", "xany_mixed_dir.json", read(SCENES)),
        ),
    ),
    Case("cvat-subset", (annotate("images", "a.xml", read(Scenes("images"))),)),
)

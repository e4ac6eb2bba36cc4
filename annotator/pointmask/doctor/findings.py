"""What the doctor can find, in words: the table of all kinds of findings, and the diagnosis they make up."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pointmask.io.points.names import natural_key
from pointmask.judgement.transformations import Cause
from pointmask.judgement.verdict import Verdict

FINDINGS_KEYS = ("is_healthy", "points", "groups", "findings")
"""Keys of a diagnosis as JSON, by which a file of findings is known."""

Note = tuple[str, str]
"""Kind of finding, and what is to be said about one file."""


@dataclass(slots=True)
class Group:
    """
    Files of one kind.

    Attributes
    ----------
    role : str
        ``images`` or ``masks``.
    kind : str
        Suffix, stored bands and the type they are read as, such as ``png RGB, read as float32``.
    files, frames : int
        How many.
    sizes : Counter
        Frames by (height, width).
    bits : int
        Bits that the largest value needs; 0 where numbers are not unsigned integers.
    """

    role: str
    kind: str
    files: int = 0
    frames: int = 0
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    bits: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One thing to know about the data.

    Attributes
    ----------
    what : str
        In a few words.
    fix : str
        What to do about it.
    items : tuple of str
        The files concerned, with details.
    is_problem : bool
        Whether images would be skipped or truth misread; otherwise it is a note.
    kind : str
        Short name that stays the same between versions.
    """

    what: str
    fix: str
    items: tuple[str, ...]
    is_problem: bool
    kind: str

    @property
    def heading(self) -> str:
        """How many files are concerned, and by what."""
        is_singular = len(self.items) == 1 and self.kind not in _OF_A_WHOLE
        return f"{len(self.items):,} {_of_one(self.what) if is_singular else self.what}"


def _of_one(what: str) -> str:
    """Put what is said of several into the singular: the first noun and its verb, and the words for it."""
    noun = re.sub(rf"\b({'|'.join(_NOUNS)})s\b", r"\1", what, count=1)
    verb = re.sub(rf"\b({'|'.join(_VERBS)})\b", lambda found: _VERBS[found[0]], noun, count=1)
    return re.sub(r"\btheir\b", "its", re.sub(r"\bthem\b", "it", re.sub(r"\bthey are\b", "it is", verb)))


POLARITY = "point polarity"
"""Kind of the finding that not all targets are bright."""

_OF_A_WHOLE = ("point list", "mask set", POLARITY)  # said of one list or set, whatever is in it
_NOUNS = ("file", "id", "point", "image", "mask", "target", "frame", "list", "journal", "assumption", "set")
_VERBS = {
    "are": "is",
    "were": "was",
    "have": "has",
    "do": "does",
    **{verb: f"{verb}s" for verb in ("lie", "differ", "hold", "fit", "belong", "mark", "show")},
    **{verb: verb for verb in ("cannot", "changed")},
}


@dataclass(frozen=True, slots=True)
class Remedies:
    """
    What a corrected copy needs to know beside the files themselves; see `pointmask.doctor.fix`.

    Attributes
    ----------
    names : tuple of str
        The images that were looked at.
    unreadable : Mapping
        Images that cannot be read, with the reason.
    mask_files : Mapping
        Mask file by image name, where exactly one mask belongs to the image's first frame.
    taken_out : Mapping
        By the source of a list, the images that must leave it, with the reason.
    cause : Cause or None
        Systematic error of all points.
    """

    names: tuple[str, ...] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
    mask_files: Mapping[str, str] = field(default_factory=dict)
    taken_out: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """
    Result of `pointmask.doctor.examine`.

    Attributes
    ----------
    groups : tuple of Group
        What was recognised.
    points : str
        What the points are; empty if none were given.
    findings : tuple of Finding
        Problems first.
    remedies : Remedies
        For the corrected copy.
    """

    groups: tuple[Group, ...]
    points: str
    findings: tuple[Finding, ...]
    remedies: Remedies = Remedies()

    @property
    def is_healthy(self) -> bool:
        """Whether there is no problem (notes do not count)."""
        return not any(finding.is_problem for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Return the diagnosis as lists, dicts, numbers and text, with all items."""
        return {
            "is_healthy": self.is_healthy,
            "points": self.points,
            "groups": [
                {
                    "role": group.role,
                    "kind": group.kind,
                    "files": group.files,
                    "frames": group.frames,
                    "bits": group.bits,
                    "sizes": [
                        {"width": width, "height": height, "frames": count}
                        for (height, width), count in group.sizes.most_common()
                    ],
                }
                for group in self.groups
            ],
            "findings": [
                {
                    "kind": finding.kind,
                    "is_problem": finding.is_problem,
                    "what": finding.what,
                    "count": len(finding.items),
                    "fix": finding.fix,
                    "items": list(finding.items),
                }
                for finding in self.findings
            ],
        }


# Kind of finding -> (what, fix, is_problem), in the order in which they are listed.
_KINDS = {
    "nothing": ("place without an image", "convert its files, or give another folder; a job stops", True),
    "unreadable": ("files cannot be read", "copy or export them again; a job skips them", True),
    "unlisted": ("ids of the list do not fit the images", "correct the list; a job skips these", True),
    "unpaired": ("points do not fit the images", "correct the point list; a job skips these", True),
    "point size": (
        "images have another size than the points' document says",
        "give the images that were annotated; a job scales points of the same aspect, skips others",
        True,
    ),
    "outside": (
        "points lie outside their image",
        "correct them (0-based x = column, y = row); skipped",
        True,
    ),
    "stems": ("images differ only in their suffix", "rename all but one, their masks would collide", True),
    "wrapped": (
        "images hold the lower 8 bits of deeper data",
        "export them again at 16 bits; what is bright turns dark wherever the upper bits were cut",
        True,
    ),
    "swapped bytes": (
        "images have the bytes of their pixels exchanged",
        "write them again in the other byte order; of raw files, give --raw u16be for u16le or the reverse",
        True,
    ),
    "mask size": (
        "masks differ in size from their image",
        "export them again at the image's size; --fix resizes those of the same aspect",
        True,
    ),
    "mask stranger": (
        "masks fit no image by name, without exception",
        "name them like their images, but for a word such as _mask at the end",
        True,
    ),
    "mask dim": ("masks hold nothing above half of the range", "multiply them (truth is > 127 of 255)", True),
    "mask inverted": (
        "masks are target in more than half of their pixels",
        "look at them: target is 255, background 0; save 255 minus each that is inverted",
        True,
    ),
    "mask twice": (
        "masks fit several images, or several masks one image",
        "rename them like the image",
        True,
    ),
    "mask pair": ("masks belong to another image", "rename them like the image they fit", True),
    "mask grey": (
        "masks are not binary, so programs disagree about the truth",
        "save them as 0 and 255; --fix takes > 127 as the truth, as all commands here do",
        True,
    ),
    "point pair": ("points belong to another image", "correct the names in the point list", True),
    "point swapped": ("points have x and y exchanged", "exchange them (x = column, y = row)", True),
    "off mask": ("points lie off every target of the mask", "move or delete them, or draw the target", True),
    "no point": ("targets of the masks have no point", "click on them; a job would miss them", True),
    "point twice": ("points mark one target twice", "delete one of each pair, or use --fix", True),
    "click journal": (
        "journals of clicks are damaged",
        "bring the masks up to the damage, as is said there; then move the file away",
        True,
    ),
    "click ahead": (
        "journals of clicks are newer than their masks",
        "bring the masks up to date, with the command that is named there",
        True,
    ),
    "click changed": (
        "images changed since people marked them",
        "put the old files back, or use the new ones on the page of pointmask click",
        True,
    ),
    "leak": (
        "images are in a list for training and in one for testing, as they are or nearly so",
        "take them out of the training list, or use --fix; figures measured with them flatter",
        True,
    ),
    "click unfinished": ("frames are not finished", "finish them with pointmask click", False),
    "click unsure": ("targets are marked as unsure", "let somebody else look at them", False),
    "mask empty": ("masks are empty", "nothing, if these images hold no target", False),
    "mask orphan": ("masks have no image", "rename them like the image, or leave them", False),
    "mask none": ("images have no mask", "nothing, if these are not to be scored", False),
    "mask flat": ("masks show nothing in their image", "look at them; very faint targets do so", False),
    "constant": ("images are constant", "export them again; nothing can be found in them", False),
    "not finite": (
        "images hold NaN or infinity",
        "nothing: lone pixels are filled from their neighbours, others are never part of a mask",
        False,
    ),
    "margins": (
        "images have margins of one value, such as letterbox bars",
        "nothing: they are treated as outside of the image; crop the images for other programs",
        False,
    ),
    "defects": (
        "images hold dead, hot or stuck pixels",
        "nothing: they are replaced from their neighbours before anything else",
        False,
    ),
    "lines": (
        "images hold dead, hot or stuck rows or columns",
        "nothing: they are replaced from both of their sides before anything else",
        False,
    ),
    "stuck": (
        "sets of frames hold pixels that never change, unlike all others",
        "nothing, if they stand out little; take symbols of a display off the images",
        False,
    ),
    "bands": (
        "images have bands that differ",
        "nothing, if their luminance is meant; of a palette, such as rainbow, export the frames in grey",
        False,
    ),
    "combed": (
        "images are interlaced, or their odd and even lines were read by two amplifiers",
        "deinterlace them, or take the lines of one half; masks of combed targets are ragged",
        False,
    ),
    "few levels": ("images have very few grey levels", "export them again with more bits", False),
    "stretched": (
        "images were stretched after they were quantised",
        "nothing, or export the original depth",
        False,
    ),
    "shallow": ("16-bit images fit 8 bits", "nothing, or check what was lost in the export", False),
    "copies": ("images hold the same pixels as another", "keep one of each in a list, or use --fix", False),
    "near": ("images are nearly the same as another", "keep such images in one list", False),
    "loosely": (
        "assumptions were made to pair names with images",
        "nothing, if they are right; else name files and rows alike",
        False,
    ),
    "list style": ("lists are not plain ids in lines", "nothing here; for other programs use --fix", False),
    "in no list": ("images are in no list", "nothing, if they are left out on purpose", False),
    "assumed": ("assumptions were made to read the points", "look whether they hold", False),
    "point flat": ("points lie on flat or dark pixels", "look at them; very faint targets do so", False),
    "point many": ("targets of the masks hold several points", "nothing, if targets touch there", False),
    "no points": ("images have no points", "list them, or annotate with --empty-masks", False),
}  # fmt: skip


# By what is judged and its systematic error: the kind of finding that is its sign in single images.
_SIGNS = {
    ("clicks", "swapped"): "point swapped",
    ("clicks", "names off by one"): "point pair",
    ("masks", "names off by one"): "mask pair",
}


def with_whole(verdicts: Sequence[Verdict], findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """
    Put the judgements of the whole list of points, and of all masks, before findings of single images.

    Parameters
    ----------
    verdicts : sequence of Verdict
    findings : sequence of Finding
        Those that a systematic error explains become notes.
    """
    wholes = [_of_whole(verdict) for verdict in verdicts if verdict.is_wrong or verdict.is_unclear]
    signs = {_SIGNS.get((v.of, v.cause.name)) for v in verdicts if v.cause is not None}
    rest = [replace(one, is_problem=False) if one.kind in signs else one for one in findings]
    return tuple(sorted((*wholes, *rest), key=lambda one: not one.is_problem))


def _of_whole(verdict: Verdict) -> Finding:
    subject, places, kind = "list of points", "clicks", "point list"
    if verdict.of == "masks":
        subject, places, kind = "set of masks", "masks", "mask set"
    if verdict.is_unclear:
        fix = "look at some of them on their images: annotate --save overlay"
        what = f"{subject}: too few {places} to tell whether they fit"
        return Finding(what, fix, (str(verdict),), False, kind)
    fix = verdict.fix
    if verdict.kind == "polarity":  # of which a folder says nothing: it is chosen when it is annotated
        return Finding(f"{subject}: other than bright targets", fix, (str(verdict),), False, POLARITY)
    if verdict.of == "clicks" and verdict.cause is not None and verdict.cause.change is not None:
        fix += "; or use --fix, which writes such a list"
    what = f"{subject}: hardly a {places[:-1]} shows a target"
    if verdict.makes_sense:
        what = f"{subject}: all {places} lie beside their targets"
    return Finding(what, fix, (str(verdict),), True, kind)


class Notes:
    """Collects findings under the keys of the table."""

    def __init__(self) -> None:
        self._items: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, kind: str, item: str) -> None:
        """Add what is to be said about one file."""
        self._items[kind].append(item)

    def extend(self, notes: Iterable[Note]) -> None:
        """Add several."""
        for kind, item in notes:
            self.add(kind, item)

    def findings(self) -> tuple[Finding, ...]:
        """Return what was collected, in the order of the table, items in natural order."""
        return tuple(
            Finding(what, fix, tuple(sorted(self._items[kind], key=natural_key)), is_problem, kind)
            for kind, (what, fix, is_problem) in _KINDS.items()
            if kind in self._items
        )

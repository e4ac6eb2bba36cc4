"""The judgement of a whole list of clicks: do they lie on targets, and if not, what would mend them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pointmask.judgement.displaced import find_shift
from pointmask.judgement.elsewhere import find_cause
from pointmask.judgement.evidence import Clicked, Evidence, by_chance
from pointmask.judgement.statistic import Floats
from pointmask.judgement.transformations import FRACTIONS, Cause, for_masks, of_polarity

Kind = Literal["few", "fits", "polarity", "displaced", "elsewhere", "nowhere"]
Subject = Literal["clicks", "masks"]

CHANCE = 0.1
"""Share of an image's places at which a click counts as on a target."""

_ON = -np.log10(CHANCE)
_FEWEST = 4  # distinct clicks that tell of a list that lies elsewhere
_FEWEST_SHIFTED = 12  # of one that lies a few pixels beside its targets
# Of 984 clicks on bright targets of SIRST3, MDvsFA and DenseSIRST that show one, none shows a dark one.
_FEWEST_OPPOSITE, _OPPOSITE = 3, 0.1  # number and share of targets that make a polarity wrong
_BAD = 0.5  # share of clicks on targets above which a list is not said to lie elsewhere
_HARDLY = 0.45  # that above which it is not said to lie nowhere
# Surprise, cut at _ENOUGH so that one lucky click saves no list, at the clicks of lists of barely visible
# targets (SNR 2 in 64 x 64 px, each click up to 3 px beside): 0.92 +- 0.30, where chance gives 0.40 +- 0.34.
_ENOUGH = 1.2
_DIM, _DIM_SPREAD = 0.85, 0.3
_SURE = 3.5  # standard errors below which no list of right clicks is
_UNCLEAR = 0.05  # probability from which chance explains the clicks


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    What is to be thought of a list of clicks.

    Attributes
    ----------
    kind : {"few", "fits", "polarity", "displaced", "elsewhere", "nowhere"}
        Too few distinct clicks to tell right ones from chance; nothing wrong; on targets of the polarity that
        is not looked for; a few pixels beside the targets; where a systematic error put them; on no target
        for no known reason.
    clicks, images : int
        How many were judged.
    on_target : int
        Clicks at which the image stands out as it does at a tenth of its places.
    cause : Cause or None
        Systematic error that explains the clicks.
    mended : int
        Clicks on targets, were it undone.
    of : {"clicks", "masks"}
        What was judged; of masks, the middles of their targets stand for clicks.
    opposite : int
        Clicks on targets of the polarity that is not looked for.
    wanted : {"", "bright", "dark", "auto"}
        Polarity to look for instead; empty unless `kind` is "polarity".
    """

    kind: Kind
    clicks: int
    images: int
    on_target: int = 0
    cause: Cause | None = None
    mended: int = 0
    of: Subject = "clicks"
    opposite: int = 0
    wanted: Literal["", "bright", "dark", "auto"] = ""

    @property
    def is_wrong(self) -> bool:
        """Whether the list, or the polarity, should be corrected."""
        return self.kind in ("polarity", "displaced", "elsewhere", "nowhere")

    @property
    def makes_sense(self) -> bool:
        """Whether masks of these clicks are worth having: most touch targets, or too few are known."""
        if self.kind == "polarity":
            return 2 * self.opposite < self.on_target
        return self.kind not in ("elsewhere", "nowhere")

    @property
    def is_unclear(self) -> bool:
        """Whether there are clicks, but so few that they may lie anywhere."""
        return self.kind == "few" and self.clicks > 0

    def __str__(self) -> str:
        places = "clicks" if self.of == "clicks" else "middles of targets in the masks"
        said = f"{self.on_target:,} of {self.clicks:,} {places} in {self.images:,} images"
        figures = f"{said} show a target, where chance gives {CHANCE * self.clicks:,.0f}"
        if self.kind == "few":
            return f"{figures}; they are too few to tell whether the list fits"
        if self.cause is None:
            return f"{figures}; no usual error explains it" if self.kind == "nowhere" else figures
        mended = f" (undone, {self.mended:,} would)" if self.mended > self.on_target else ""
        return f"{figures}; the {self.of} {self.cause.what}{mended}"

    @property
    def fix(self) -> str:
        """What to do; empty if nothing is wrong."""
        if self.cause is not None:
            is_own = self.of == "clicks" or self.kind == "polarity"
            return self.cause.fix if is_own else for_masks(self.cause)
        if self.kind == "nowhere" and self.of == "masks":
            return "look at some masks on their images: their names, and the images that they were drawn on"
        if self.kind == "nowhere":
            return "look at some clicks on their images (annotate --save overlay): order and unit of x and y"
        return ""


def judge(
    frames: Iterable[Clicked],
    of: Subject = "clicks",
    polarity: Literal["bright", "dark", "auto"] = "auto",
) -> Verdict:
    """
    Judge a list of clicks as a whole.

    Parameters
    ----------
    frames : iterable of Clicked
        Images with clicks, or a sample of them: some hundred clicks are plenty. Pixels are not kept.
    of : {"clicks", "masks"}
        What the clicks are.
    polarity : {"bright", "dark", "auto"}
        Of the targets that are looked for; with "auto", any will do.

    Returns
    -------
    Verdict
        The same for the same input.
    """
    evidence = Evidence(frames)
    if evidence.with_clicks > 1 and evidence.at_origin == evidence.with_clicks:
        return Verdict("elsewhere", evidence.with_clicks, evidence.with_clicks, 0, FRACTIONS, of=of)
    count, images = evidence.count, evidence.images
    if not count:
        return Verdict("few", 0, 0, of=of)
    before = evidence.surprise()
    on = _on_target(before)
    if count >= _FEWEST and on < _BAD * count:
        found = find_cause(evidence)
        if found is not None:
            cause, after = found
            return Verdict("elsewhere", count, images, on, cause, _on_target(after), of)
        if on < _HARDLY * count and _is_worse_than_dim(before):
            return Verdict("nowhere", count, images, on, of=of)
    if on < _BAD * count and by_chance(before) > _UNCLEAR:
        return Verdict("few", count, images, on, of=of)
    if polarity != "auto":
        opposite = int((evidence.are_dark() == (polarity == "bright"))[before > _ON].sum())
        if opposite >= max(_FEWEST_OPPOSITE, _OPPOSITE * on):
            other: Literal["bright", "dark"] = "dark" if polarity == "bright" else "bright"
            wanted = other if opposite == on else "auto"
            cause = of_polarity(other, wanted, opposite, on)
            return Verdict("polarity", count, images, on, cause, of=of, opposite=opposite, wanted=wanted)
    shift = find_shift(evidence) if count >= _FEWEST_SHIFTED else None
    if shift is not None:
        mended = _on_target(evidence.surprise(shift.change))
        return Verdict("displaced", count, images, on, shift, mended, of)
    return Verdict("fits", count, images, on, of=of)


def _on_target(scores: Floats) -> int:
    return int((scores > _ON).sum())


def _is_worse_than_dim(scores: Floats) -> bool:
    """Whether no list of right clicks, however dim its targets, would surprise so little."""
    return bool(np.minimum(scores, _ENOUGH).mean() < _DIM - _SURE * _DIM_SPREAD / np.sqrt(scores.size))

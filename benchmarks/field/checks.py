"""Checks of what a command did: each gives None if the behaviour is right, else a fault that says why not."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

from .run import Outcome
from .scenes import EIGHT, Place, Scenes, Target, distance

# IoU of a mask's component with the pixels above half of the target's height: 0.75 to 1 for ours on a target,
# 0.47 for a detector's, about 0 where a click beside a target has grown into flat ground.
LEAST = 0.35


@dataclass(frozen=True)
class Fault:
    """
    Why a behaviour is not right.

    Attributes
    ----------
    why : str
        One clause.
    damage : bool
        Something false was written, or the program crashed: more than a refusal.
    """

    why: str
    damage: bool = False


Check = Callable[[Outcome], Fault | None]


def both(*checks: Check) -> Check:
    """Require every check; the first that does not hold is the fault."""

    def check(outcome: Outcome) -> Fault | None:
        faults = [fault for fault in (check(outcome) for check in checks) if fault is not None]
        return Fault(faults[0].why, any(fault.damage for fault in faults)) if faults else None

    return check


def either(*checks: Check) -> Check:
    """
    Accept any of several behaviours.

    The fault says what the first lacks and what the last does. Whether something false was written is for the
    first to say: masks that are right as far as they go are no damage, though a refusal should write none.
    """

    def check(outcome: Outcome) -> Fault | None:
        faults = []
        for check in checks:
            fault = check(outcome)
            if fault is None:
                return None
            faults.append(fault)
        reasons = dict.fromkeys((faults[0].why, faults[-1].why))
        return Fault("; nor: ".join(reasons), faults[0].damage)

    return check


def done(outcome: Outcome) -> Fault | None:
    """Require exit status 0."""
    return None if outcome.status == 0 else Fault(f"exit status {outcome.status}", outcome.crashed)


def failed(outcome: Outcome) -> Fault | None:
    """Require another exit status, by a message and not by a crash."""
    if outcome.crashed:
        return Fault("crashed", damage=True)
    return Fault("does not fail") if outcome.status == 0 else None


def says(what: str, *patterns: str) -> Check:
    """Require every pattern in the output, each within a line; case counts only within ``(?-i:)``."""

    def check(outcome: Outcome) -> Fault | None:
        for pattern in patterns:
            if not re.search(pattern, outcome.text, re.IGNORECASE | re.MULTILINE):
                return Fault(f"does not say {what}")
        return None

    return check


def never(what: str, pattern: str) -> Check:
    """Forbid a pattern in the output."""

    def check(outcome: Outcome) -> Fault | None:
        hit = re.search(pattern, outcome.text, re.IGNORECASE | re.MULTILINE)
        return Fault(f"says {what}") if hit else None

    return check


def no_masks(outcome: Outcome) -> Fault | None:
    """Require that no mask was written, not even an empty one."""
    if not outcome.masks:
        return None
    return Fault(f"writes {len(outcome.masks)} masks", damage=True)


def refused(what: str, *patterns: str) -> Check:
    """Require that it fails, writes no mask and says this."""
    return both(failed, no_masks, says(what, *patterns))


def read(scenes: Scenes, *, written: bool = False, skipped: Collection[str] = ()) -> Check:
    """
    Require of every image the mask that it should have, and no other.

    Parameters
    ----------
    scenes : Scenes
        The images and where their targets lie.
    written : bool
        An image without target must have an empty mask; else it may have none.
    skipped : collection of str
        Images that must have no mask; the command then must fail, else it must not.

    Returns
    -------
    Check
        A mask that is missing is no damage; one that shows no target, or something beside it, is.
    """

    def check(outcome: Outcome) -> Fault | None:
        marked = scenes.marked(outcome.folder)
        masks = {scenes.mask_key(key) if scenes.flat else key: mask for key, mask in outcome.masks.items()}
        faults = []
        if len(masks) < len(outcome.masks):
            faults.append(Fault(f"{len(outcome.masks)} masks of {len(masks)} images", damage=True))
        faults += [Fault(f"{key}: a mask of no image", True) for key in masks.keys() - marked.keys()]
        for key, (shape, targets) in sorted(marked.items()):
            if key in skipped:
                if key in masks:
                    faults.append(Fault(f"{key}: a mask, though it should be skipped", damage=True))
            elif key in masks:
                why = _wrong(masks[key], shape, targets)
                if why:
                    faults.append(Fault(f"{key}: {why}", damage=True))
            elif targets or written:
                faults.append(Fault(f"{key}: no mask"))
        places = {key: [target.place for target in targets] for key, (_, targets) in marked.items()}
        faults += _beside(outcome, scenes, places)
        faults += _miscounted(outcome, sum(len(there) for key, there in places.items() if key not in skipped))
        ending = (failed if skipped else done)(outcome)
        if ending is not None:
            faults.append(ending)
        if not faults:
            return None
        more = f" (and {len(faults) - 1} more faults)" if len(faults) > 1 else ""
        worst = max(faults, key=lambda fault: fault.damage)
        return Fault(worst.why + more, worst.damage)

    return check


def _wrong(mask: NDArray[np.bool_], shape: tuple[int, ...], targets: list[Target]) -> str:
    """Say what is wrong with a mask, or nothing."""
    if mask.shape != shape:
        return f"a mask of {mask.shape[1]} x {mask.shape[0]} for an image of {shape[1]} x {shape[0]}"
    parts, count = label(mask, EIGHT)
    if targets and not count:
        return f"an empty mask, though the image shows {len(targets)} targets"
    hit = set()
    for target in targets:
        numbers = np.unique(parts[target.pixels & mask])
        iou = max((_iou(parts == number, target.pixels) for number in numbers), default=0.0)
        if iou < LEAST:
            x, y = target.place
            return f"a mask with IoU {iou:.2f} at the target x {x:.0f}, y {y:.0f}"
        hit |= set(numbers.tolist())
    for number in range(1, count + 1):
        if number not in hit:
            y, x = np.argwhere(parts == number).mean(0)
            return f"a mask at x {x:.0f}, y {y:.0f}, where no target is marked"
    return ""


def _iou(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float((one & other).sum() / (one | other).sum())


def _beside(outcome: Outcome, scenes: Scenes, marked: dict[str, list[Place]]) -> list[Fault]:
    """Find clicks of the manifest that lie beside the targets."""
    faults = []
    for name, clicks in (outcome.clicks or {}).items():
        key = scenes.mask_key(name) if scenes.flat else name
        for x, y in clicks:
            if distance((x, y), marked.get(key, [])) > 1:
                faults.append(Fault(f"{name}: a click at x {x:.0f}, y {y:.0f}, beside the targets", True))
    return faults


def _miscounted(outcome: Outcome, count: int) -> list[Fault]:
    """Compare the count of targets, where one is printed, with the true one."""
    printed = re.search(r"^targets\s+([\d,]+)\s*$", outcome.text, re.MULTILINE)
    if printed is None or int(printed[1].replace(",", "")) == count:
        return []
    return [Fault(f"{printed[1]} targets, not {count}")]


def clicks_on_the_pixel(scenes: Scenes) -> Check:
    """Require the manifest's clicks on the middle pixels of targets, so that an offset of 1 is seen."""

    def check(outcome: Outcome) -> Fault | None:
        marked = scenes.marked(outcome.folder)
        for name, clicks in (outcome.clicks or {}).items():
            there = [target.place for target in marked[name][1]] if name in marked else []
            for x, y in clicks:
                if distance((x, y), there) > 0:
                    return Fault(f"{name}: a click at x {x:.0f}, y {y:.0f}, beside the middle", damage=True)
        return None

    return check


def lines_of(path: Path) -> list[str]:
    """Read the ids of a list."""
    return path.read_text(encoding="utf-8").split()

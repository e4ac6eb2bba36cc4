"""Which masks belong to one true mask, by the names of their files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pointmask.errors import ImageError
from pointmask.io.points.lists import IdList, choose
from pointmask.io.points.match import match
from pointmask.io.points.names import ImageFrame
from pointmask.metrics.data_sets import data_set_of
from pointmask.scoring.sources import MaskSet

_SHOWN = 3  # names in a note


@dataclass(frozen=True, slots=True)
class Pair:
    """
    One frame to score.

    Attributes
    ----------
    name : str
        As in tables; ``#k`` stands for frame k, unless it is the first.
    data_set : str
        See `pointmask.metrics.data_sets.data_set_of`.
    truth : (str, int)
        Name and frame in the truth.
    masks : tuple of ((str, int) or None)
        The same in each set of masks; None: it holds none, which counts as empty.
    """

    name: str
    data_set: str
    truth: ImageFrame
    masks: tuple[ImageFrame | None, ...]


@dataclass(frozen=True, slots=True)
class Pairs:
    """
    All frames to score.

    Attributes
    ----------
    pairs : tuple of Pair
        In the order of their names.
    problems : Mapping
        Reason by name, for what was asked for and cannot be scored.
    notes : tuple of str
        What was assumed or left out.
    """

    pairs: tuple[Pair, ...]
    problems: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def pair(
    truth: MaskSet, sets: Sequence[MaskSet], listed: IdList | None = None, *, missing_is_empty: bool = False
) -> Pairs:
    """
    Find the masks of each true mask; all sets are scored on the same images.

    Parameters
    ----------
    truth : MaskSet
        True masks.
    sets : sequence of MaskSet
        Masks to score.
    listed : IdList, optional
        Score these images alone; one without a mask is then a problem.
    missing_is_empty : bool
        A true mask for which a set has no mask counts as one in which nothing was found.

    Raises
    ------
    ImageError
        If nothing can be scored.
    """
    frames = truth.names()
    names = sorted(frames)
    notes: list[str] = []
    problems: dict[str, str] = {}
    wanted = frozenset(names)
    if listed is not None:
        choice = choose(listed, names, str(truth.path))
        wanted = choice.names
        problems.update(choice.problems)
        notes += choice.notes
    for masks in (truth, *sets):
        problems.update({f"{masks.path}, {key}": reason for key, reason in masks.rejected.items()})
    found = [_placed(masks, names, wanted, problems, notes) for masks in sets]
    pairs = []
    lacking: list[str] = []
    for name in names:
        if name not in wanted:
            continue
        for frame in range(frames[name]):
            shown = f"{name}#{frame}" if frame else name
            places = tuple(of_set.get((name, frame)) for of_set in found)
            if None in places and not missing_is_empty:
                lacking.append(shown)
            else:
                pairs.append(Pair(shown, data_set_of(name), (name, frame), places))
    if not pairs:
        raise ImageError(
            f"no mask of {sets[0].path} belongs to a true mask of {truth.path}: names must agree but for the "
            f"suffix, such as {_some(sets[0].names())} and {_some(names)}; rename them, or give other folders"
        )
    if lacking and listed is not None:
        problems.update((name, "it is in the list, but has no mask") for name in lacking)
    elif lacking:
        notes.append(
            f"{len(lacking):,} of {len(lacking) + len(pairs):,} true masks have no mask in every folder and "
            f"are not scored, such as {_some(lacking)}; --missing-empty scores them as empty"
        )
    return Pairs(tuple(pairs), problems, tuple(dict.fromkeys(notes)))


def _placed(
    masks: MaskSet,
    names: Sequence[str],
    wanted: frozenset[str],
    problems: dict[str, str],
    notes: list[str],
) -> dict[ImageFrame, ImageFrame]:
    """Return the mask of each true mask, by name and frame."""
    frames = masks.names()
    matches = match(frames, names)
    notes += [f"{masks.path}: {line}" for line in matches.notes]
    if matches.unmatched:
        notes.append(
            f"{masks.path}: {len(matches.unmatched):,} masks have no true mask, such as "
            f"{_some(matches.unmatched)}; they are not scored"
        )
    problems.update(
        (key, f"{masks.path}: the name fits {', '.join(fits)}; write the whole path")
        for key, fits in matches.ambiguous.items()
    )
    placed: dict[ImageFrame, ImageFrame] = {}
    for (name, first), keys in matches.by_image().items():
        if name not in wanted:
            continue
        if len(keys) > 1:
            problems[name] = f"{masks.path} holds {' and '.join(sorted(keys))}; delete all but one"
            continue
        for frame in range(frames[keys[0]]):
            placed[name, first + frame] = keys[0], frame
    return placed


def _some(names: Mapping[str, int] | Sequence[str]) -> str:
    return ", ".join(list(names)[:_SHOWN]) or "none"

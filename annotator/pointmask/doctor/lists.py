"""Lists of a split: what each is for, what is wrong with it, and which images it names."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pointmask.doctor.findings import Note
from pointmask.errors import PointsError
from pointmask.io.points.list_names import ListName, list_name
from pointmask.io.points.lists import IdList, choose, read_lines
from pointmask.io.points.match import match
from pointmask.io.points.names import without_suffix

_RANKS = {"train": 0, "val": 2, "test": 3}


@dataclass(frozen=True, slots=True, eq=False)
class SplitList:
    """
    A list of ids and the images it names.

    Attributes
    ----------
    source : str
        Where the list came from.
    names : frozenset of str
        Images.
    called : ListName
        What its file name says it is for.
    """

    source: str
    names: frozenset[str]
    called: ListName

    @property
    def rank(self) -> int:
        """Rank of the lowest role: an image in two lists that must be apart leaves the lower."""
        return min((_RANKS[role] for role in self.called.roles), default=-1)


class Sides:
    """
    Which lists must hold no image in common.

    Lists that are for no side, as those of backgrounds, never must. ``trainval`` may hold what ``train`` and
    ``val`` do. Lists of different sets, such as ``train_v1`` and ``test_full`` beside ``train_full``, are
    alternatives: a training takes one of the sets. A list to measure with whose set has none to train with,
    such as ``test_hard``, is for every training, so it must be apart from all lists for that; ``val`` and
    ``test`` of different sets must be apart only where each is what the other's set lacks.

    Parameters
    ----------
    splits : iterable of SplitList
        All lists.
    """

    def __init__(self, splits: Iterable[SplitList]) -> None:
        self._roles: dict[tuple[str, str], frozenset[str]] = {}
        for split in splits:
            group = split.called.group
            self._roles[group] = self._roles.get(group, frozenset()) | split.called.roles

    def apart(self, one: SplitList, other: SplitList) -> bool:
        """Say whether an image in both is a leak."""
        ours, theirs = one.called, other.called
        if not ours.roles or not theirs.roles or one.rank == other.rank or ours.roles & theirs.roles:
            return False
        if ours.group == theirs.group:
            return True
        lower, higher = (ours, theirs) if one.rank < other.rank else (theirs, ours)
        if "train" in lower.roles:
            return "train" not in self._roles[higher.group]
        return not (self._has(ours, theirs.roles) or self._has(theirs, ours.roles))

    def _has(self, called: ListName, roles: frozenset[str]) -> bool:
        """Say whether the set of a list has one for any of some sides; val and test both measure."""
        return bool(self._roles[called.group] & (roles | {"val", "test"}))


def lists_in(folder: Path) -> list[Path]:
    """
    Return the lists of ids in a folder such as ``img_idx``: its ``.txt`` files, or those of its folders.

    Raises
    ------
    PointsError
        If there is none.
    """
    found = _lists(folder, "*.txt") or _lists(folder, "*/*.txt")
    if not found:
        raise PointsError(f"{folder} holds no .txt list; give the folder of train_*.txt and test_*.txt")
    return found


def _lists(folder: Path, pattern: str) -> list[Path]:
    return sorted(path for path in folder.glob(pattern) if path.is_file()) if folder.is_dir() else []


def split_of(listed: IdList, names: Sequence[str], root: str) -> tuple[SplitList, dict[str, str]]:
    """Find the images of a list, and the ids without one, with the reason."""
    choice = choose(listed, names, root)
    return SplitList(listed.source, choice.names, list_name(listed.source)), dict(choice.problems)


def names_of(listed: IdList, names: Sequence[str]) -> dict[str, str]:
    """Return the image of each id that names one alone; of several ids of one image the first counts."""
    by_image = match(listed.ids, names).by_image()
    return {keys[0]: name for (name, frame), keys in by_image.items() if not frame}


def style_notes(listed: IdList) -> list[Note]:
    """
    Say what other programs stumble over in a list that is read well here.

    Parameters
    ----------
    listed : IdList
        A list that was not read from a file has no style.
    """
    path = Path(listed.source)
    if not path.is_file():
        return []
    data = path.read_bytes()
    lines = [line for line in read_lines(path) if line.strip()]
    twice = [name for name, count in Counter(lines).items() if count > 1]
    signs = {
        "line ends of Windows": b"\r" in data,
        "a byte order mark": data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")),
        "suffixes": any(without_suffix(line) != line for line in lines),
        "slashes at the start": any(line.startswith(("/", "\\", "./")) for line in lines),
        "space around ids": any(line != line.strip() for line in lines),
        f"ids twice ({', '.join(twice[:3])})": bool(twice),
    }
    told = [what for what, present in signs.items() if present]
    return [("list style", f"{listed.source}: {'; '.join(told)}")] if told else []


def together(lists: Sequence[IdList]) -> IdList | None:
    """Return all ids as one list; None if there is no list."""
    if not lists:
        return None
    ids = dict.fromkeys(key for listed in lists for key in listed.ids)
    return IdList(tuple(ids), ", ".join(listed.source for listed in lists))

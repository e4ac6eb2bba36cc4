"""Lists of a split: what each is for, what is wrong with it, and which images it names."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pointmask.doctor.findings import Note
from pointmask.errors import PointsError
from pointmask.io.points.lists import IdList, choose, read_lines
from pointmask.io.points.match import match
from pointmask.io.points.names import without_suffix

_RANKS = {"train": 0, "val": 2, "test": 3}
_OTHER = "", 1  # a list whose name says nothing gives way to those that measure


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
    roles : Mapping
        What its file name says it is for, with a rank that is higher for what measures.
    """

    source: str
    names: frozenset[str]
    roles: Mapping[str, int]

    @property
    def rank(self) -> int:
        """Rank of the lowest role: an image in two lists that must be apart leaves the lower."""
        return min(self.roles.values())

    def must_be_apart(self, other: "SplitList") -> bool:
        """Say whether an image in both is a leak; ``trainval`` may hold what ``train`` and ``val`` do."""
        return self.rank != other.rank and not self.roles.keys() & other.roles.keys()


def lists_in(folder: Path) -> list[Path]:
    """
    Return the lists of ids in a folder such as ``img_idx``: its ``.txt`` files.

    Raises
    ------
    PointsError
        If there is none.
    """
    found = sorted(path for path in folder.glob("*.txt") if path.is_file()) if folder.is_dir() else []
    if not found:
        raise PointsError(f"{folder} holds no .txt list; give the folder of train_*.txt and test_*.txt")
    return found


def split_of(listed: IdList, names: Sequence[str], root: str) -> tuple[SplitList, dict[str, str]]:
    """Find the images of a list, and the ids without one, with the reason."""
    choice = choose(listed, names, root)
    return SplitList(listed.source, choice.names, _roles(listed.source)), dict(choice.problems)


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


def _roles(source: str) -> dict[str, int]:
    name = Path(source).name.lower()
    return {word: rank for word, rank in _RANKS.items() if word in name} or dict([_OTHER])

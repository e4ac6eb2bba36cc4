"""What the file name of an id list says: for which side it is, and to which set of lists it belongs."""

import re
from dataclasses import dataclass
from pathlib import Path

_ROLE = r"(?:train(?:ing)?|val(?:id(?:ation)?)?|test(?:ing)?|eval(?:uation)?)"
_NOISE = "lists?|sets?|ids?|idx|splits?|images?|s"
_WORDS = re.compile(rf"(?<![a-z])(?P<roles>{_ROLE}(?:[ _+&-]?{_ROLE})*)(?:[ _-]?(?:{_NOISE}))?(?![a-z])")
_SIDES = {"tr": "train", "va": "val", "ev": "val", "te": "test"}  # by how the word for it begins
_SIGNS = re.compile(r"[ _.-]+")


@dataclass(frozen=True, slots=True)
class ListName:
    """
    What a list is called.

    Attributes
    ----------
    roles : frozenset of str
        Of ``train``, ``val`` and ``test``: two for ``trainval``; none for a list that is for no side.
    family : str
        What is left of the name, such as ``v1`` of ``train_v1.txt``: lists that are meant for each other
        share it, as they share their folder.
    folder : str
        Where the list lies.
    """

    roles: frozenset[str]
    family: str
    folder: str

    @property
    def group(self) -> tuple[str, str]:
        """Folder and family: the same for lists that are meant for each other."""
        return self.folder, self.family


def list_name(path: Path | str) -> ListName:
    """
    Read the file name of a list.

    Parameters
    ----------
    path : Path or str
        Nothing is opened. Words for sides count where no letter stands beside them: ``latest.txt`` is for
        no side.
    """
    path = Path(path)
    stem = path.name.removesuffix(".txt").lower()
    roles = frozenset(
        _SIDES[word[:2]] for found in _WORDS.finditer(stem) for word in re.findall(_ROLE, found["roles"])
    )
    family = _SIGNS.sub("_", _WORDS.sub("", stem)).strip("_")
    return ListName(roles, family, str(path.parent))

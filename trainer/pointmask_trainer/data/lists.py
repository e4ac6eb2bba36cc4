"""Selection of the id lists of a training folder that belong together."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pointmask.errors import PointmaskError
from pointmask.io.layout import ID_LISTS, MANIFEST, PREDICTIONS, RUN_CONFIG
from pointmask.io.points.list_names import list_name
from pointmask.io.points.lists import read_ids
from pointmask.io.points.match import match
from pointmask_trainer.data.layout import image_folder, image_names
from pointmask_trainer.errors import DataError

_OUTPUTS = (MANIFEST, PREDICTIONS, RUN_CONFIG)  # mark folders written by a command
_SHOWN = 3
_MOST_FILES = 200  # a folder with more text files contains label files, not lists
_JOINT = frozenset({"train", "val"})

Lists = tuple[Path | None, Path | None, Path | None]
"""Train, validation and test list."""


@dataclass(frozen=True, slots=True)
class ListSet:
    """
    Lists of one folder that belong together.

    Attributes
    ----------
    name : str
        Folder and family, used in messages.
    files : Mapping
        List files by the splits that each covers.
    """

    name: str
    files: Mapping[frozenset[str], Path]

    def get(self, side: str) -> Path | None:
        """Return the list of one split; for ``train`` the ``trainval`` list if there is no other."""
        joint = self.files.get(_JOINT) if side == "train" else None
        return self.files.get(frozenset({side})) or joint

    @property
    def files_to_name(self) -> list[Path]:
        """All list files, sorted."""
        return sorted(self.files.values())


def find_list(root: Path, name: str) -> Path | None:
    """Return an id list from the places used by BasicIRSTD and other data sets; None if there is none.

    Raises
    ------
    DataError
        If several lists match.
    """
    patterns = (f"{ID_LISTS}/{name}_*.txt", f"{ID_LISTS}/{name}.txt", f"splits/{name}.txt", f"{name}.txt")
    for pattern in patterns:
        files = sorted(root.glob(pattern))
        if len(files) > 1:
            raise DataError(
                f"{root} holds several {name} lists ({', '.join(f.name for f in files[:_SHOWN])}); "
                f"choose one with --{name}-list FILE (evaluate: --list FILE)"
            )
        if files:
            return files[0]
    return None


def list_sets(root: Path, images: Mapping[str, Path]) -> list[ListSet]:
    """
    Return the sets of lists in a training folder and its immediate subfolders.

    Parameters
    ----------
    root : Path
    images : Mapping
        Result of `pointmask_trainer.data.layout.find_images`. Lists that match none of them are ignored.
    """
    names = image_names(images)
    groups: dict[tuple[str, str], dict[frozenset[str], Path]] = {}
    for file in _text_files(root):
        parsed = list_name(file)
        if parsed.roles and _matches_any(file, names):
            groups.setdefault(parsed.group, {}).setdefault(parsed.roles, file)
    return [ListSet(_name(root, *group), files) for group, files in sorted(groups.items())]


def choose_lists(
    root: Path,
    images: Mapping[str, Path],
    train_list: Path | None,
    val_list: Path | None,
    say: Callable[[str], None],
) -> Lists:
    """
    Return the lists used for training.

    Parameters
    ----------
    root : Path
    images : Mapping
        Result of `pointmask_trainer.data.layout.find_images`.
    train_list, val_list : Path or None
        Given by the user. Lists next to a train list that belong to it are used with it.
    say : callable
        Called with messages about lists used from unusual places, and about lists that are not used.

    Raises
    ------
    DataError
        If the choice is ambiguous.
    """
    if train_list is not None:
        beside = _beside(train_list)
        return train_list, val_list or beside("val") or find_list(root, "val"), beside("test")
    train = find_list(root, "train")
    val = val_list or find_list(root, "val")
    test = find_list(root, "test")
    sets = list_sets(root, images)
    if train is None and (joint := find_list(root, "trainval")) is not None:
        train = joint
    if train is None and test is None and (val is None or val == val_list):
        chosen = _only(root, [lists for lists in sets if lists.get("train") or lists.get("test")])
        if chosen is not None:
            train, test = chosen.get("train"), chosen.get("test")
            val = val or chosen.get("val")
            say(f"lists of {chosen.name} are used: {_file_names(root, chosen)}")
    used = {path for path in (train, val, test) if path is not None}
    unused = [lists for lists in sets if not used.intersection(lists.files.values())]
    if unused:
        names = "; ".join(f"{lists.name}: {_file_names(root, lists)}" for lists in unused[:_SHOWN])
        more = f"; and {len(unused) - _SHOWN} sets more" if len(unused) > _SHOWN else ""
        first = unused[0].get("train") or unused[0].files_to_name[0]
        say(f"lists that are not used lie there: {names}{more}; to use them: --train-list {first}")
    return train, val, test


def list_for(root: Path, images: Mapping[str, Path], side: str, run_list: Path | None = None) -> Path | None:
    """
    Return the list of one split of a training folder, for an evaluation.

    Parameters
    ----------
    root : Path
    images : Mapping
        Result of `pointmask_trainer.data.layout.find_images`.
    side : str
        ``train``, ``val`` or ``test``.
    run_list : Path, optional
        Train list of the evaluated run; a list next to it that belongs to it takes precedence.

    Raises
    ------
    DataError
        If the choice is ambiguous.
    """
    if run_list is not None and run_list.is_file() and (path := _beside(run_list)(side)) is not None:
        return path
    if (path := find_list(root, side)) is not None or side != "test":
        return path
    chosen = _only(root, [lists for lists in list_sets(root, images) if lists.get(side)], f"--list {side}")
    return None if chosen is None else chosen.get(side)


def _only(root: Path, sets: list[ListSet], option: str = "") -> ListSet | None:
    if len(sets) > 1:
        names = "; ".join(f"{lists.name}: {_file_names(root, lists)}" for lists in sets)
        first = sets[0].get("train") or sets[0].files_to_name[0]
        if option:
            fix = f"instead of {option} name a file, such as: --list {sets[0].files_to_name[0]}"
        else:
            fix = f"choose one by its list, such as: --train-list {first} (what is beside it is taken along)"
        raise DataError(f"{root} holds {len(sets)} sets of lists ({names}); {fix}")
    return sets[0] if sets else None


def _beside(path: Path) -> Callable[[str], Path | None]:
    """Return a look-up, by split, of the lists in the same folder that belong to a list by name."""
    parsed = list_name(path)
    by_roles: dict[frozenset[str], Path] = {}
    for file in sorted(path.parent.glob("*.txt")) if parsed.roles else ():
        other = list_name(file)
        if other.family == parsed.family and other.roles.isdisjoint(parsed.roles):
            by_roles.setdefault(other.roles, file)
    return lambda side: by_roles.get(frozenset({side}))


def _text_files(root: Path) -> Iterator[Path]:
    """Yield potential lists: text files of the folder and of its subfolders not written by a command."""
    own = image_folder(root)
    below = (path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    for folder in (root, *sorted(below)):
        if folder != root and (folder == own or any((folder / name).exists() for name in _OUTPUTS)):
            continue
        files = sorted(folder.glob("*.txt"))
        yield from files if len(files) <= _MOST_FILES else ()


def _matches_any(file: Path, names: Mapping[str, str]) -> bool:
    try:
        return bool(match(read_ids(file).ids, names).by_key)
    except PointmaskError:
        return False


def _name(root: Path, folder: str, family: str) -> str:
    inner = Path(folder).relative_to(root).as_posix()
    place = f"{root.name or root}/" if inner == "." else f"{inner}/"
    return f"{place} ({family})" if family else place


def _file_names(root: Path, chosen: ListSet) -> str:
    return ", ".join(path.relative_to(root).name for path in chosen.files_to_name)

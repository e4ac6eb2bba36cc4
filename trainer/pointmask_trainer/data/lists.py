"""Which id lists of a training folder serve a training: those that are meant for each other."""

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

_OUTPUTS = (MANIFEST, PREDICTIONS, RUN_CONFIG)  # of folders that a command wrote
_SHOWN = 3
_MOST_FILES = 200  # of text in a folder: more are label files
_JOINT = frozenset({"train", "val"})

Lists = tuple[Path | None, Path | None, Path | None]
"""To train on, to validate on and to leave for a test."""


@dataclass(frozen=True, slots=True)
class ListSet:
    """
    Lists of one folder that are meant for each other.

    Attributes
    ----------
    name : str
        Folder and family, for messages.
    files : Mapping
        By the sides that each is for.
    """

    name: str
    files: Mapping[frozenset[str], Path]

    def get(self, side: str) -> Path | None:
        """Return the list of one side alone; for ``train`` that of ``trainval`` if there is no other."""
        joint = self.files.get(_JOINT) if side == "train" else None
        return self.files.get(frozenset({side})) or joint

    @property
    def files_to_name(self) -> list[Path]:
        """All, sorted."""
        return sorted(self.files.values())


def find_list(root: Path, name: str) -> Path | None:
    """Id list of a training folder, where BasicIRSTD and other collections keep it.

    Raises
    ------
    DataError
        If several lists fit.
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
    Return the sets of lists in a training folder and the folders right below it.

    Parameters
    ----------
    root : Path
    images : Mapping
        From `pointmask_trainer.data.layout.find_images`. Lists that name none of them do not count.
    """
    names = image_names(images)
    found: dict[tuple[str, str], dict[frozenset[str], Path]] = {}
    for file in _text_files(root):
        called = list_name(file)
        if called.roles and _names_one(file, names):
            found.setdefault(called.group, {}).setdefault(called.roles, file)
    return [ListSet(_name(root, *group), files) for group, files in sorted(found.items())]


def choose_lists(
    root: Path,
    images: Mapping[str, Path],
    train_list: Path | None,
    val_list: Path | None,
    say: Callable[[str], None],
) -> Lists:
    """
    Return the lists of a training.

    Parameters
    ----------
    root : Path
    images : Mapping
        From `pointmask_trainer.data.layout.find_images`.
    train_list, val_list : Path or None
        Named by the user. What lies beside a train list and is meant for it is taken along.
    say : callable
        Takes a line about lists that are used though they lie elsewhere, and about those that are not used.

    Raises
    ------
    DataError
        If there are several to choose from.
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
        chosen = _only(root, [one for one in sets if one.get("train") or one.get("test")])
        if chosen is not None:
            train, test = chosen.get("train"), chosen.get("test")
            val = val or chosen.get("val")
            say(f"lists of {chosen.name} are used: {_told(root, chosen)}")
    used = {path for path in (train, val, test) if path is not None}
    unused = [one for one in sets if not used.intersection(one.files.values())]
    if unused:
        told = "; ".join(f"{one.name}: {_told(root, one)}" for one in unused[:_SHOWN])
        more = f"; and {len(unused) - _SHOWN} sets more" if len(unused) > _SHOWN else ""
        first = unused[0].get("train") or unused[0].files_to_name[0]
        say(f"lists that are not used lie there: {told}{more}; to use them: --train-list {first}")
    return train, val, test


def list_for(root: Path, images: Mapping[str, Path], side: str, run_list: Path | None = None) -> Path | None:
    """
    Return the list of a side in a training folder, for an evaluation.

    Parameters
    ----------
    root : Path
    images : Mapping
        From `pointmask_trainer.data.layout.find_images`.
    side : str
        ``train``, ``val`` or ``test``.
    run_list : Path, optional
        Train list of the run that is evaluated: the one beside it goes first.

    Raises
    ------
    DataError
        If there are several to choose from.
    """
    if run_list is not None and run_list.is_file() and (found := _beside(run_list)(side)) is not None:
        return found
    if (found := find_list(root, side)) is not None or side != "test":
        return found
    chosen = _only(root, [one for one in list_sets(root, images) if one.get(side)], f"--list {side}")
    return None if chosen is None else chosen.get(side)


def _only(root: Path, sets: list[ListSet], option: str = "") -> ListSet | None:
    if len(sets) > 1:
        told = "; ".join(f"{one.name}: {_told(root, one)}" for one in sets)
        first = sets[0].get("train") or sets[0].files_to_name[0]
        if option:
            fix = f"instead of {option} name a file, such as: --list {sets[0].files_to_name[0]}"
        else:
            fix = f"choose one by its list, such as: --train-list {first} (what is beside it is taken along)"
        raise DataError(f"{root} holds {len(sets)} sets of lists ({told}); {fix}")
    return sets[0] if sets else None


def _beside(path: Path) -> Callable[[str], Path | None]:
    """Return a search for the lists that are meant for one, by their names and folder."""
    called = list_name(path)
    found: dict[frozenset[str], Path] = {}
    for file in sorted(path.parent.glob("*.txt")) if called.roles else ():
        other = list_name(file)
        if other.family == called.family and other.roles.isdisjoint(called.roles):
            found.setdefault(other.roles, file)
    return lambda side: found.get(frozenset({side}))


def _text_files(root: Path) -> Iterator[Path]:
    """Yield what may be lists: text files of the folder and of folders that no command wrote."""
    own = image_folder(root)
    below = (path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    for folder in (root, *sorted(below)):
        if folder != root and (folder == own or any((folder / name).exists() for name in _OUTPUTS)):
            continue
        files = sorted(folder.glob("*.txt"))
        yield from files if len(files) <= _MOST_FILES else ()


def _names_one(file: Path, names: Mapping[str, str]) -> bool:
    try:
        return bool(match(read_ids(file).ids, names).by_key)
    except PointmaskError:
        return False


def _name(root: Path, folder: str, family: str) -> str:
    inner = Path(folder).relative_to(root).as_posix()
    place = f"{root.name or root}/" if inner == "." else f"{inner}/"
    return f"{place} ({family})" if family else place


def _told(root: Path, chosen: ListSet) -> str:
    return ", ".join(path.relative_to(root).name for path in chosen.files_to_name)

"""Location of a run's data, stored in ``source.json`` so that later commands can read images and points."""

import json
from dataclasses import dataclass, fields
from pathlib import Path

from pointmask.io.files import write_whole
from pointmask.io.layout import RUN_TAG
from pointmask.regular import read_regular
from pointmask.settings import parse_json
from pointmask_trainer.errors import DataError
from pointmask_trainer.run.layout import RunFolder


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Location of the data on which a run is trained.

    Attributes
    ----------
    root : Path
        Folder with ``images/`` and, optionally, ``masks/`` and id lists.
    masks, points : Path or None
        Given by the user; None for those in `root`.
    train_list, val_list : Path or None
        Id lists used instead of those in `root`.
    include : str
        Shell pattern of ids.
    """

    root: Path
    masks: Path | None = None
    points: Path | None = None
    train_list: Path | None = None
    val_list: Path | None = None
    include: str = "*"


def write_source(run: Path, source: Source) -> None:
    """Write ``source.json`` into a run folder, with absolute paths, replacing an existing file."""
    values = {field.name: getattr(source, field.name) for field in fields(Source)}
    plain = {
        key: str(value.absolute()) if isinstance(value, Path) else value for key, value in values.items()
    }
    write_whole(RunFolder(run).source, json.dumps(plain, indent=2) + "\n", RUN_TAG)


def read_source(run: Path) -> Source:
    """Read the location of a run's data at its last training; the data may have moved since.

    Raises
    ------
    DataError
        If the run has no ``source.json``, or a damaged one.
    """
    path = RunFolder(run).source
    try:
        values = parse_json(read_regular(path))
        include = values.pop("include")
        paths = {key: None if value is None else Path(value) for key, value in values.items()}
        return Source(include=include, **paths)  # type: ignore[arg-type]
    except FileNotFoundError:
        raise DataError(
            f"{run} does not say where its data lies (no {path.name}, as in runs of earlier versions); "
            "name the training folder with --data"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} cannot be read ({error}); name the training folder with --data") from None

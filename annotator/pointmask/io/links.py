"""Files at a second place: linked where that can be done, copied where not."""

import os
import shutil
from pathlib import Path

from pointmask.errors import OutputError


def link_or_copy(file: Path, path: Path, *, copy: bool) -> None:
    """
    Link to a file, or copy it, at a new place; what cannot be linked is copied.

    Parameters
    ----------
    file : Path
        What is linked to, by a relative path.
    path : Path
        Where; its folders are made as needed.
    copy : bool
        Copy in any case.

    Raises
    ------
    OutputError
        If something is there, or it cannot be written.
    """
    if path.exists() or path.is_symlink():
        raise OutputError(f"{path} exists already; choose a new folder, or different names for the images")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not copy:
            try:
                path.symlink_to(os.path.relpath(file.resolve(), path.parent.resolve()))
            except OSError:  # some file systems, and Windows without the right to, have no links
                copy = True
        if copy:
            shutil.copyfile(file, path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error}); check the folder") from error

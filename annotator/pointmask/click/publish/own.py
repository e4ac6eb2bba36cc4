"""Which masks in an output folder are those of the frames that are edited; no others are replaced or removed.

A mask is a frame's own if nothing was there when it was first written, or if the manifest names it for that
frame. The first is noted in the list of `pointmask.io.listed`, so that a session that is killed before it
publishes has proof of its masks all the same. Publishing takes a removed mask off that list again: what is
put in its place later is somebody else's.
"""

import os
import threading
from collections.abc import Callable, Set
from contextlib import ExitStack, suppress
from pathlib import Path

from pointmask.click.contract.targets import ClickFrame
from pointmask.click.publish.finder import Finder
from pointmask.errors import OutputError, WriteError
from pointmask.io.files import is_temporary, sync, sync_folder
from pointmask.io.layout import (
    LISTED,
    MANIFEST,
    MASKS,
    POINTS,
    RESULTS,
    THETA,
    TRACKED,
    result_path,
    stem_of,
)
from pointmask.io.listed import OwnFiles, files_in
from pointmask.io.own import check_free


class OwnMasks:
    """
    The masks that may be written; from any thread, one at a time. Close it (`contextlib.closing`).

    Parameters
    ----------
    out : Path
        Output folder.

    Attributes
    ----------
    out : Path
        As above.
    writing : Lock
        Held from looking at a frame until its mask is written, so that no older state replaces a newer one.
    """

    def __init__(self, out: Path) -> None:
        self.out, self._list = out, OwnFiles(out)
        self.writing = threading.Lock()
        self._there = out.stat()
        self._names = self._list.names()
        self._gone: set[str] = set()
        self._is_synced = False  # a process that was killed need not have waited
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._finder: Finder | None = None
        if (out / MANIFEST).is_file():
            self._finder = Finder(out)
            self._stack.callback(self._finder.close)

    def close(self) -> None:
        """Close the manifest."""
        self._stack.close()

    def check_there(self) -> None:
        """
        Detect that the folder was moved, or its drive is gone: nothing is made in its place.

        Raises
        ------
        WriteError
            If another folder, or none, is there now.
        """
        with suppress(OSError):
            if os.path.samestat(self.out.stat(), self._there):
                return
        raise WriteError(
            f"{self.out} is not the folder any more that it was at the start; bring it back, then end with "
            "Ctrl+C and start again: every edit is in the journal in it"
        )

    def refusal(
        self,
        frame: ClickFrame,
        stems: Callable[[], Set[str]],
        *,
        is_ours: Set[str] = frozenset(),
    ) -> str:
        """
        Say why the mask of a frame must be left alone; empty if it may be written or removed.

        Parameters
        ----------
        frame : ClickFrame
        stems : callable
            Returns the names of all images that are edited, without their suffixes.
        is_ours : set of str
            Images that are published together with it, so that what the manifest says of them counts no more.

        Raises
        ------
        OutputError
            If the manifest is damaged, or the folder is not there any more.
        """
        self.check_there()
        name = result_path("mask", frame.image, frame.frame, frame.frames)
        with self._lock:
            twin = self._twin(frame, is_ours)
            if twin is not None:
                names = " and ".join(sorted((frame.image, twin)))
                return (
                    f"{names} would both write the mask {stem_of(frame.image)}.png, which is that of {twin} "
                    "now; rename this image, or keep it in another folder"
                )
            if frame.frames > 1 and self._is_of_other(stem_of(frame.image), frame.frame, stems):
                return (
                    f"frame {frame.frame} of {frame.image} would write {name}, the mask of another image; "
                    "rename one"
                )
            path = self.out / name
            if name in self._names or not (path.exists() or path.is_symlink()) or self._is_named(frame, name):
                return ""
        return (
            f"{path} exists, and was not written for this image; nothing else is replaced: move it away, and "
            "publish again"
        )

    def claim(self, frame: ClickFrame, *, durable: bool) -> None:
        """
        Note that the mask of a frame is about to be written, which `refusal` did not refuse.

        Parameters
        ----------
        frame : ClickFrame
        durable : bool
            Wait until the disk holds the note; else call `sync` before the mask is written: a power failure
            may leave the mask and not the note, and it would be taken for somebody else's.

        Raises
        ------
        WriteError
            If the note cannot be written.
        """
        name = result_path("mask", frame.image, frame.frame, frame.frames)
        with self._lock:
            self._gone.discard(name)
            try:
                if name not in self._names:
                    self._is_synced = False
                    self._list.claim([name])
                if durable:
                    self._sync()
            except OSError as error:
                raise WriteError(
                    f"{self.out / LISTED} cannot be written ({error.strerror or error})"
                ) from error
            self._names.add(name)

    def find_removed(self) -> None:
        """Look for masks that were noted and are not there any more; `forget_removed` ends their notes."""
        with self.writing, self._lock:
            masks = (name for name in self._names if name.startswith(f"{RESULTS['mask']}/"))
            self._gone = {name for name in masks if not os.path.lexists(self.out / name)}

    def forget_removed(self) -> None:
        """
        Take the masks that `find_removed` found off the list, except those that were written again since.

        In between the disk must be made to hold that they are gone.

        Raises
        ------
        WriteError
            If the list cannot be written.
        """
        with self._lock:
            if self._gone:
                self._names -= self._gone
                self._list.keep(self._names)
                self._gone = set()

    def sync(self) -> None:
        """
        Wait until the disk holds all notes.

        Raises
        ------
        OSError
            As the system reports it.
        """
        with self._lock:
            self._sync()

    def _sync(self) -> None:
        path = self.out / LISTED
        if not self._is_synced and path.exists():
            sync(path)
            sync_folder(self.out)  # which may not know of the list yet
        self._is_synced = True

    def _twin(self, frame: ClickFrame, is_ours: Set[str]) -> str | None:
        """Return another finished image of the manifest whose mask has the name of this one's."""
        if self._finder is None:
            return None
        stem = stem_of(frame.image)
        for entry in self._finder.from_on((f"{stem}.", 0)):
            other = entry["image"]
            if not other.startswith(f"{stem}."):
                return None
            is_twin = stem_of(other) == stem and other != frame.image
            if is_twin and entry["status"] == "done" and other not in is_ours:
                return str(other)
        return None

    def _is_of_other(self, stem: str, number: int, stems: Callable[[], Set[str]]) -> bool:
        """Say whether the mask of a frame of a file has the name of that of an image, as `annotate` does."""
        numbered = f"{stem}_{number:04d}"
        if numbered in stems():
            return True
        found = None if self._finder is None else next(self._finder.from_on((f"{numbered}.", 0)), None)
        return found is not None and found["status"] == "done" and stem_of(found["image"]) == numbered

    def _is_named(self, frame: ClickFrame, name: str) -> bool:
        """Say whether the manifest gives the mask to this frame."""
        if self._finder is None:
            return False
        entry = self._finder.find((frame.image, frame.frame))
        return entry is not None and entry["status"] == "done" and entry["mask"] == name


def check_new(out: Path, review: Path | None) -> None:
    """
    Refuse a folder without journal and manifest that holds files where those of a session are to be.

    Parameters
    ----------
    out : Path
        Existing folder.
    review : Path, optional
        Folder whose copy `out` is to be: what a copy that was killed left of it is in nobody's way.

    Raises
    ------
    OutputError
        If there is one that pointmask did not write, or a job of another command is not finished.
    """
    for path in out.glob(".journal*.jsonl"):
        raise OutputError(
            f"{out} holds a job of pointmask annotate that is not finished ({path.name}); run it to its end "
            "and review it, or choose another --out"
        )
    ours = OwnFiles(out).names()
    check_free(out, (THETA, TRACKED, POINTS, MASKS), ours)
    for kind in ("mask", "instance"):
        for path in files_in(out / RESULTS[kind]):
            name = path.relative_to(out)
            if name.as_posix() not in ours and not is_temporary(path) and not _is_copy(path, review, name):
                check_free(out, [name.as_posix()], ours)


def _is_copy(path: Path, review: Path | None, name: Path) -> bool:
    """Say whether a picture is the same as that of the folder which is reviewed."""
    if review is None or path.is_symlink() or not (review / name).is_file():
        return False
    return path.samefile(review / name) or path.read_bytes() == (review / name).read_bytes()

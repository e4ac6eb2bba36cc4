"""A file of lines that only grows: appended to at once, synced to the disk within a tenth of a second."""

import errno
import os
import threading
from contextlib import suppress
from pathlib import Path

from pointmask.click.contract.errors import NotWrittenError
from pointmask.io.files import sync_folder

_GATHER = 0.05  # seconds that writes are gathered for one sync, which takes 4 to 20 ms
_RETRY = 1.0  # seconds after a sync that failed


class JournalFile:
    """
    The end of a journal.

    Always close it (`contextlib.closing`). The caller holds the folder's lock.

    Parameters
    ----------
    path : Path
        Made if it is missing.
    end : int
        Where the last good line ends; what is behind it is cut off.
    seq : int
        Number of that line.

    Attributes
    ----------
    end, seq : int
        As above, of what was appended since.
    durable : int
        Number of the last line that the disk is known to hold.

    Raises
    ------
    NotWrittenError
        If the file cannot be opened for writing.
    """

    def __init__(self, path: Path, end: int, seq: int) -> None:
        self.path = path
        self.end, self.seq, self.durable = end, seq, seq
        try:
            is_new = not path.exists()
            path.touch()
            # Unbuffered, so that a line that does not fit on the disk is not written again on closing.
            self._file = path.open("r+b", buffering=0)
            self._file.truncate(end)
            os.fsync(self._file.fileno())
            if is_new:  # else a power failure might take it with all that is synced in it
                sync_folder(path.parent)
        except OSError as error:
            raise self._refusal(error) from error
        self._using = threading.Lock()  # the file has one position, for reading and for writing
        self._changed = threading.Event()
        self._closing = threading.Event()
        self._syncer = threading.Thread(target=self._sync_on, name="pointmask-journal", daemon=True)
        self._syncer.start()

    def append(self, data: bytes, seq: int) -> int:
        """
        Append lines in one write: all of them, or none.

        Parameters
        ----------
        data : bytes
            Ends in a newline.
        seq : int
            Number of the last of the lines.

        Returns
        -------
        int
            Offset of the first.

        Raises
        ------
        NotWrittenError
            If the system refuses, or the file is not the one in the folder any more. The file is as before.
        """
        with self._using:
            start = self.end
            try:
                self._check_there()
                # A write that failed before may have left its beginning where it could not be cut off.
                if os.fstat(self._file.fileno()).st_size != start:
                    self._file.truncate(start)
                self._write(data, start)
            except OSError as error:
                with suppress(OSError):
                    self._file.truncate(start)
                raise self._refusal(error) from error
            self.end, self.seq = start + len(data), seq
        self._changed.set()
        return start

    def read(self, start: int, end: int) -> bytes:
        """Return a part of the file, which does not change any more."""
        pieces = []
        with self._using:
            self._file.seek(start)
            while start < end:
                piece = self._file.read(end - start)
                if not piece:
                    raise OSError(errno.EIO, "the journal became shorter while it was read", str(self.path))
                pieces.append(piece)
                start += len(piece)
        return b"".join(pieces)

    def sync(self) -> None:
        """
        Wait until the disk holds what was appended.

        Raises
        ------
        OSError
            As the system reports it.
        """
        seq = self.seq
        if seq > self.durable:
            os.fsync(self._file.fileno())
            self.durable = max(self.durable, seq)

    def close(self) -> None:
        """Sync, and close the file."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._changed.set()
        self._syncer.join()
        try:
            self.sync()
        finally:
            self._file.close()

    def _sync_on(self) -> None:
        """Sync whatever was written, until the file is closed."""
        while True:
            self._changed.wait()
            if self._closing.is_set():
                return
            self._changed.clear()
            self._closing.wait(_GATHER)
            try:
                self.sync()
            except OSError:
                # `durable` says so; the lines are in the file all the same.
                self._changed.set()
                self._closing.wait(_RETRY)

    def _write(self, data: bytes, start: int) -> None:
        self._file.seek(start)
        if self._file.write(data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _check_there(self) -> None:
        """Detect that the folder was moved, or its drive is gone."""
        if not os.path.samestat(self.path.stat(), os.fstat(self._file.fileno())):
            raise OSError(errno.ESTALE, "the output folder is no longer the same")

    def _refusal(self, error: OSError) -> NotWrittenError:
        return NotWrittenError(
            f"{self.path} cannot be written ({error.strerror or error}); nothing was changed: free some "
            "space, or bring the folder back, and send the edit again"
        )

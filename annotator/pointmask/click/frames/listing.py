"""The images of a source, listed behind the scenes: by number, by name and by folder.

A million names are kept in 20 bytes each: the names of a folder are one string of bytes in plain order, and
an image's number is its place. Numbers and folders follow each other as a walk visits them, so that all that
lies below a folder has consecutive numbers. Natural order is made for a folder when it is first asked for.
"""

import os
import threading
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from pathlib import Path

from pointmask.click.frames.order import natural_order
from pointmask.click.frames.packed import packed
from pointmask.errors import ImageError
from pointmask.io.images.source import ImageSource
from pointmask.io.points.names import natural_key


class Folder:
    """
    One folder and the images in it, without those below.

    Attributes
    ----------
    number : int
        0 for the root.
    path : str
        With a slash at its end; empty for the root.
    parent : int or None
        Number of the folder that it lies in.
    children : list of int
        Numbers of the folders in it, in natural order.
    first, count : int
        Number of its first image, and how many it holds.
    names : bytes
        Of its images, in plain order; see `pointmask.click.frames.packed`.
    """

    __slots__ = (
        "_lock",
        "_order",
        "_places",
        "_starts",
        "children",
        "count",
        "first",
        "names",
        "number",
        "parent",
        "path",
    )

    def __init__(self, number: int, path: str, parent: int | None, first: int, names: list[str]) -> None:
        """Take the names of the images in it, in any order; the list is empty afterwards."""
        self.number, self.path, self.parent, self.first = number, path, parent, first
        self.count = len(names)
        self.children: list[int] = []
        self.names, self._starts = packed(names)
        self._order: array[int] | None = None
        self._places: array[int] | None = None
        self._lock: threading.Lock | None = threading.Lock()  # gone when the order is known

    def name(self, index: int) -> str:
        """Return the full name of an image by its plain index in the folder."""
        return self.path + os.fsdecode(self._base(index))

    def index(self, base: bytes) -> int | None:
        """Return the plain index of a name without its folder; None if there is no such image."""
        index = bisect_left(range(self.count), base, key=self._base)
        return index if index < self.count and self._base(index) == base else None

    def at(self, place: int) -> int:
        """Return the plain index of the image at a place of the natural order."""
        self._sort()
        return place if self._order is None else self._order[place]

    def place(self, index: int) -> int:
        """Return the place in natural order of an image by its plain index."""
        self._sort()
        return index if self._places is None else self._places[index]

    def found(self, text: bytes, *, at_start: bool = False) -> Iterator[int]:
        """Yield the plain indices of names with a text in them, or at their start; lower case finds all."""
        names = self.names.lower()
        offset = names.find(text)
        while offset >= 0:
            index = bisect_right(self._starts, offset) - 1
            if not at_start or self._starts[index] == offset:
                yield index
                offset = names.find(text, self._starts[index + 1])
            else:
                offset = names.find(text, offset + 1)

    def _base(self, index: int) -> bytes:
        return self.names[self._starts[index] : self._starts[index + 1] - 1]

    def _sort(self) -> None:
        lock = self._lock
        if lock is None:
            return
        with lock:
            if self._lock is None:
                return
            order = natural_order(self.names, self._starts)
            if order is not None:
                places = array("I", bytes(order.itemsize * len(order)))
                for place, index in enumerate(order):
                    places[index] = place
                self._order, self._places = order, places
            self._lock = None


class Listing:
    """
    All images of a source, found in the background.

    Parameters
    ----------
    images : ImageSource
        Where they lie.
    exclude : Path, optional
        Folder to skip, such as the output folder.
    keep : callable, optional
        Says by its full name whether an image is wanted.

    Attributes
    ----------
    images : ImageSource
    folders : list of Folder
        In the order in which a walk visits them; it grows while `complete` is False.
    count : int
        Images so far.
    complete : bool
        Whether all is listed.
    error : str or None
        Why the listing ended early.
    """

    def __init__(
        self, images: ImageSource, *, exclude: Path | None = None, keep: Callable[[str], bool] | None = None
    ) -> None:
        self.folders: list[Folder] = []
        self.count = 0
        self.complete = False
        self.error: str | None = None
        self.images, self._exclude, self._keep = images, exclude, keep
        self._firsts: list[int] = []
        self._by_path: dict[str, Folder] = {}
        self._grown = threading.Condition()
        self._stopped = False

    def start(self) -> None:
        """Begin to list, in a thread of its own."""
        threading.Thread(target=self.run, name="listing", daemon=True).start()

    def run(self) -> None:
        """List all."""
        try:
            for path, names in self.images.by_folder(natural_key, exclude=self._exclude):
                if self._stopped:
                    return
                keep = self._keep
                self._add(path, names if keep is None else [name for name in names if keep(path + name)])
        except ImageError as error:
            self.error = str(error)
        finally:
            with self._grown:
                self.complete = True
                self._grown.notify_all()

    def stop(self) -> None:
        """End listing early, with the next folder."""
        self._stopped = True

    def wait(self, images: int | None = None, timeout: float | None = None) -> bool:
        """
        Wait for a number of images, or for all.

        Parameters
        ----------
        images : int, optional
            By default all.
        timeout : float, optional
            Seconds.

        Returns
        -------
        bool
            Whether they are there, or all that there will be.
        """

        def there() -> bool:
            return self.complete or (images is not None and self.count >= images)

        with self._grown:
            return self._grown.wait_for(there, timeout)

    def name(self, image: int) -> str | None:
        """Return the name of an image by its number; None if there is none."""
        folder = self.folder_of(image)
        return None if folder is None else folder.name(image - folder.first)

    def names(self) -> list[str]:
        """Return the names of all images that are listed, sorted."""
        return sorted(folder.name(k) for folder in self.folders for k in range(folder.count))

    def number(self, name: str) -> int | None:
        """Return the number of an image by its name; None if it is not listed, or not yet."""
        path, slash, base = name.rpartition("/")
        folder = self._by_path.get(path + slash)
        index = None if folder is None else folder.index(os.fsencode(base))
        return None if folder is None or index is None else folder.first + index

    def folder_of(self, image: int) -> Folder | None:
        """Return the folder that an image lies in; None if there is no such image."""
        if not 0 <= image < self.count:
            return None
        return self.folders[bisect_right(self._firsts, image) - 1]

    def end(self, folder: Folder) -> int:
        """Return the number after the last image in or below a folder, as far as it is listed."""
        above: Folder | None = folder
        while above is not None and above.parent is not None:
            siblings = self.folders[above.parent].children
            place = bisect_right(siblings, above.number)
            if place < len(siblings):
                return self.folders[siblings[place]].first
            above = self.folders[above.parent]
        return self.count

    def window(self, folder: Folder, start: int, count: int) -> list[int]:
        """Return the numbers of a folder's images from a place of its natural order on."""
        return [folder.first + folder.at(k) for k in range(start, min(start + count, folder.count))]

    def at(self, place: int) -> int | None:
        """Return the number of the image at a place, from 0, of the order in which one goes through them."""
        folder = self.folder_of(place)  # folders follow each other as their images' numbers do
        return None if folder is None else folder.first + folder.at(place - folder.first)

    def step(self, image: int, step: int) -> int | None:
        """
        Return the image after or before one, in natural order and across folders.

        Parameters
        ----------
        image : int
            A number.
        step : {1, -1}
            After or before.
        """
        folder = self.folder_of(image)
        if folder is None:
            return None
        place = folder.place(image - folder.first) + step
        number = folder.number
        while not 0 <= place < folder.count:
            number += step
            if not 0 <= number < len(self.folders):
                return None
            folder = self.folders[number]
            place = 0 if step > 0 else folder.count - 1
        return folder.first + folder.at(place)

    def find(self, text: str, most: int) -> tuple[list[int], bool]:
        """
        Find a text in names, without regard to the case of ASCII letters.

        Parameters
        ----------
        text : str
            Part of a path, at least one character.
        most : int
            How many to return.

        Returns
        -------
        images : list of int
        more : bool
            Whether there are others.
        """
        wanted = os.fsencode(text).lower()
        found: list[int] = []
        for folder in list(self.folders):
            for index in _found_in(folder, wanted):
                if len(found) == most:
                    return found, True
                found.append(folder.first + index)
        return found, False

    def _add(self, path: str, names: list[str]) -> None:
        above = path.rstrip("/").rpartition("/")
        parent = self._by_path[above[0] + above[1]] if path else None
        number = len(self.folders)
        folder = Folder(number, path, None if parent is None else parent.number, self.count, names)
        with self._grown:
            self._by_path[path] = folder
            self.folders.append(folder)
            if parent is not None:
                parent.children.append(number)
            self._firsts.append(folder.first)
            self.count += folder.count
            self._grown.notify_all()


def _found_in(folder: Folder, text: bytes) -> Iterator[int]:
    path = os.fsencode(folder.path).lower()
    if text in path:
        return iter(range(folder.count))
    head, slash, tail = text.rpartition(b"/")
    if not slash:
        return folder.found(text)
    return folder.found(tail, at_start=True) if path.endswith(head + slash) else iter(())

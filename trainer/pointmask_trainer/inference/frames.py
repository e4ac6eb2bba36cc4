"""Frames of any image source, one after the other, the next one read while this one is worked on."""

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from numpy.typing import NDArray

from pointmask.errors import BrokenOffError, ImageError
from pointmask.folder.records.sorted_lines import Key, SortedLookup
from pointmask.io.images.file import ImageFile
from pointmask.io.images.source import ImageSource
from pointmask.io.layout import result_path, stem_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A frame on its way: to be worked on, done before, or skipped.

    Attributes
    ----------
    image : str
        Name in its source.
    number, count : int
        0-based frame, and the number of frames of the file.
    content : str
        Hash of the file.
    earlier : str
        Hash of the file when the frame was worked on before; empty if it was not.
    pixels : (H, W) array or None
        As stored; None if it is done or skipped.
    reason : str
        Why it is skipped; empty if it is not.
    """

    image: str
    number: int
    count: int = 1
    content: str = ""
    earlier: str = ""
    pixels: NDArray[Any] | None = None
    reason: str = ""

    def path(self, kind: str) -> str:
        """Return where a result lies; see `pointmask.io.layout.result_path`."""
        return result_path(kind, self.image, self.number, self.count)


def read_frames(
    source: ImageSource,
    names: Sequence[str],
    earlier: Iterator[tuple[Key, str]],
    is_done: Callable[[Frame], bool],
) -> Iterator[Frame]:
    """Read frames in the order of the names.

    Parameters
    ----------
    source : ImageSource
    names : sequence of str
        Image files of the source, sorted; those that differ in the suffix only are skipped.
    earlier : iterator of ((str, int), str)
        Frames that were worked on before, sorted, and hashes of their files; read as the names go by.
    is_done : callable
        Says of a frame without pixels whether it need not be read.

    Yields
    ------
    Frame
        What cannot be read is told by its reason.

    Raises
    ------
    BrokenOffError
        If the source is gone.
    """
    stems = Counter(map(stem_of, names))
    lookup = SortedLookup(earlier)
    for name in names:
        if stems[stem_of(name)] > 1:
            yield Frame(name, 0, reason="another image differs in the suffix only; rename one")
            continue
        try:
            file = source.open(name)
        except ImageError as error:
            if not source.root.exists():  # a network drive that is gone, and all images with it
                raise BrokenOffError(f"the images at {source.root} can no longer be reached") from error
            yield Frame(name, 0, reason=str(error))
            continue
        with file:
            yield from _frames_of(file, stems, dict(lookup.of(name)), is_done)


def _frames_of(
    file: ImageFile, stems: Counter[str], earlier: Mapping[int, str], is_done: Callable[[Frame], bool]
) -> Iterator[Frame]:
    name = file.name
    try:
        count, content = file.frames, file.content
    except ImageError as error:
        yield Frame(name, 0, reason=str(error))
        return
    for number in range(count):
        frame = Frame(name, number, count, content, earlier.get(number, ""))
        if count > 1 and f"{stem_of(name)}_{number:04d}" in stems:
            yield Frame(name, number, count, reason="it would write the mask of another image; rename one")
        elif is_done(frame):
            yield frame
        else:
            try:
                yield replace(frame, pixels=file.decode(number))
            except ImageError as error:
                yield Frame(name, number, count, reason=str(error))


def ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """Get the next item in a thread while this one is worked on."""
    get = partial(copy_context().run, partial(next, items, None))  # in a copy, so that notes are gathered
    with ThreadPoolExecutor(1, thread_name_prefix="pointmask") as pool:
        coming = pool.submit(get)
        while (item := coming.result()) is not None:
            coming = pool.submit(get)
            yield item

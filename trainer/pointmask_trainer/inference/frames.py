"""Iteration over the frames of any image source, with the next frame read ahead in a thread."""

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from numpy.typing import NDArray

from pointmask.defects import KEEP, MARGINS, REPLACED, DeadPixels
from pointmask.errors import BrokenOffError, ImageError
from pointmask.folder.records.sorted_lines import Key, SortedLookup
from pointmask.io.images.file import ImageFile
from pointmask.io.images.source import ImageSource
from pointmask.io.layout import result_path, stem_of
from pointmask.io.notes import note
from pointmask.mending import mend
from pointmask_trainer.data.cleaning.fading import FADED, unfaded
from pointmask_trainer.data.cleaning.frames import NO_MARGINS, Margins, margins_of, without_margins
from pointmask_trainer.inference.predictions import EarlierFrame

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame of an image file: to be processed, already processed, or skipped.

    Attributes
    ----------
    image : str
        Name of the image in its source.
    number, count : int
        0-based index of the frame, and the number of frames in the file.
    content : str
        Hash of the file.
    earlier : EarlierFrame or None
        What an earlier job said of the frame; None if none did.
    pixels : (H, W) array or None
        Pixels in their stored dtype, without margins; None if the frame is already processed or skipped.
    margins : ((above, below), (before, after))
        Rows and columns at the border that hold no image.
    reason : str
        Reason for skipping; empty if the frame is not skipped.
    """

    image: str
    number: int
    count: int = 1
    content: str = ""
    earlier: EarlierFrame | None = None
    pixels: NDArray[Any] | None = None
    margins: Margins = NO_MARGINS
    reason: str = ""

    def path(self, kind: str) -> str:
        """Return the relative path of a result; see `pointmask.io.layout.result_path`."""
        return result_path(kind, self.image, self.number, self.count)


def read_frames(
    source: ImageSource,
    names: Sequence[str],
    earlier: Iterator[tuple[Key, EarlierFrame]],
    is_done: Callable[[Frame], bool],
    *,
    dead_pixels: DeadPixels = "replace",
) -> Iterator[Frame]:
    """Read frames in the order of the names.

    Parameters
    ----------
    source : ImageSource
    names : sequence of str
        Image files of the source, sorted; those that differ only in the suffix are skipped.
    earlier : iterator of ((str, int), EarlierFrame)
        Frames processed before, sorted; consumed in step with `names`.
    is_done : callable
        Takes a frame without pixels; returns whether reading it can be omitted.
    dead_pixels : {"replace", "keep"}
        See `pointmask_trainer.config.ModelConfig`.

    Yields
    ------
    Frame
        Frames that cannot be read carry a `reason`.

    Raises
    ------
    BrokenOffError
        If the source is no longer reachable.
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
            if not source.root.exists():  # for example a network drive that was disconnected
                raise BrokenOffError(f"the images at {source.root} can no longer be reached") from error
            yield Frame(name, 0, reason=str(error))
            continue
        with file:
            for frame in _frames_of(file, stems, dict(lookup.of(name)), is_done):
                yield frame if dead_pixels == "keep" else _mended(frame)


def _frames_of(
    file: ImageFile,
    stems: Counter[str],
    earlier: Mapping[int, EarlierFrame],
    is_done: Callable[[Frame], bool],
) -> Iterator[Frame]:
    name = file.name
    try:
        count, content = file.frames, file.content
    except ImageError as error:
        yield Frame(name, 0, reason=str(error))
        return
    for number in range(count):
        frame = Frame(name, number, count, content, earlier.get(number))
        if count > 1 and f"{stem_of(name)}_{number:04d}" in stems:
            yield Frame(name, number, count, reason="it would write the mask of another image; rename one")
        elif is_done(frame):
            yield frame
        else:
            try:
                yield replace(frame, pixels=file.decode(number))
            except ImageError as error:
                yield Frame(name, number, count, reason=str(error))


def _mended(frame: Frame) -> Frame:
    """Replace defective pixels and brighten faded borders, as a training does; take constant margins off."""
    if frame.pixels is None:
        return frame
    margins = NO_MARGINS
    mending = mend(frame.pixels)
    pixels, replaced = mending.around(())
    if len(replaced):
        row, col = replaced[0]
        note(REPLACED + KEEP, f"{frame.image}: row {row}, column {col}", len(replaced))
    if mending.live is not None:
        note(MARGINS, frame.image)
        margins = margins_of(mending.live, pixels.shape)
        pixels = without_margins(pixels, margins)
    bright = unfaded(pixels)
    if bright is not pixels:
        note(FADED, frame.image)
    return replace(frame, pixels=bright, margins=margins)


def ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """Iterate over items, computing the next one in a thread while the caller processes the current one."""
    get = partial(copy_context().run, partial(next, items, None))  # a copied context still collects notes
    with ThreadPoolExecutor(1, thread_name_prefix="pointmask") as pool:
        upcoming = pool.submit(get)
        while (item := upcoming.result()) is not None:
            upcoming = pool.submit(get)
            yield item

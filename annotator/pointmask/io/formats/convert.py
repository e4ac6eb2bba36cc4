"""Annotations from one format into another, without annotating; what is lost on the way is said."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from pointmask.advice import did_you_mean
from pointmask.components import components
from pointmask.errors import OutputError, PluginError, PointmaskError, PointsError
from pointmask.io.files import put_whole, staged
from pointmask.io.formats import recognise
from pointmask.io.formats.base import DEFAULTS, Feature, Format, WriteOptions
from pointmask.io.formats.labelled import LabelledImage, LabelledTarget
from pointmask.io.formats.parts.documents import rejecting
from pointmask.io.formats.parts.finder import ImageFinder
from pointmask.io.formats.registry import FORMATS, layouts, sniffs
from pointmask.io.formats.tables.native import Native
from pointmask.io.images.open import open_source
from pointmask.io.images.source import ImageSource
from pointmask.io.listed import put_own
from pointmask.io.notes import gathering
from pointmask.io.own import check_apart, check_file, check_folder
from pointmask.io.points.fit import fitted
from pointmask.io.points.names import ImageFrame
from pointmask.io.points.points import Points
from pointmask.io.points.settle import settled

_NOUNS: dict[Feature, str] = {
    "points": "clicks (their targets stay)",
    "masks": "masks",
    "boxes": "boxes of targets without mask",
    "instances": "targets that touch (they become one)",
    "labels": "labels",
    "confidence": "confidences",
    "frames": "frame numbers",
    "empty": "images without targets",
}


@dataclass(frozen=True, slots=True)
class Conversion:
    """
    What a conversion did.

    Attributes
    ----------
    recognised : str
        What the source is.
    written : str
        What was written.
    images, targets : int
        How many were converted.
    rejected : Mapping[str, str]
        Images that were left out, by key, with the reason.
    lost : tuple of str
        What the format written cannot hold, with counts.
    warnings : tuple of str
        What it holds, but programs that read it may not; and what was assumed when it was read.
    """

    recognised: str
    written: str
    images: int
    targets: int
    rejected: Mapping[str, str]
    lost: tuple[str, ...]
    warnings: tuple[str, ...]


def convert(
    path: Path | str,
    out: Path | str,
    to: str,
    *,
    format: str | None = None,
    images: ImageSource | Path | str | None = None,
    overwrite: bool = False,
    **options: Any,  # noqa: ANN401 - those of the format
) -> Conversion:
    """
    Convert annotations: points, masks, boxes, labels, confidences, frames and images without targets.

    Nothing else is carried over, such as the flags and descriptions of a labelling tool.

    Parameters
    ----------
    path : Path or str
        Annotations: a file or folder that is recognised, or of ``format``.
    out : Path or str
        File or folder to write; which of the two, the format says.
    to : str
        A name in `pointmask.io.formats.registry.FORMATS` that can be written.
    format : str, optional
        Of ``path``, if it is not recognised.
    images : ImageSource, Path or str, optional
        The images: needed where a format lacks what the other wants (sizes, or the images themselves).
    overwrite : bool
        Replace what an earlier conversion wrote: a file that is recognised as of the format, or those files
        of a folder that are listed there. All others stay, and are never in the way in silence.
    **options
        Of training folders, as in `pointmask.io.formats.base.WriteOptions`: ``test``, ``seed``, ``copy``
        and ``name``.

    Returns
    -------
    Conversion
        Counts, and what was rejected or lost.

    Raises
    ------
    PointsError
        If the source is not recognised or cannot be read, no image of it can, the format cannot be
        written or has no such option, or sizes are needed and no images given.
    OutputError
        If ``out`` exists and may not be replaced, or cannot be written.
    PluginError
        If one of the two formats is another package's and cannot be loaded.
    """
    path, out = Path(path), Path(out)
    name = format or recognise(path)
    chosen = _chosen(to, options)
    source = None if images is None else open_source(images)
    _check_out(out, to, [path, None if source is None else source.root], overwrite=overwrite)
    rejected: dict[str, str] = {}
    with staged(out) as made, gathering() as notes:
        named = replace(chosen, name=chosen.name or out.name)  # a folder takes its place when it is whole
        count = write_as(to, labelled_images(name, path, to, source, rejected), made, source, named)
        if not count.images:
            reason = next(iter(rejected.values()), "it holds none")
            raise PointsError(f"{path}: no image could be converted ({reason})")
        if made.is_dir():
            put_own(made, out, drop=False)
        else:
            put_whole(made, out)
    return Conversion(
        FORMATS.load(name).description,
        FORMATS.load(to).description,
        count.images,
        count.targets,
        rejected,
        count.lost(),
        (*count.warnings(), *notes.lines()),
    )


def _check_out(out: Path, to: str, reads: list[Path | None], *, overwrite: bool) -> None:
    """Refuse a place where something would be lost; see `pointmask.io.own`."""
    layout = FORMATS.load(to).layout
    if layout == "file":
        check_file(out, reads, partial(_is_of, to), overwrite=overwrite)
        return
    check_folder(out)
    check_apart([out], reads)
    if out.is_dir() and any(out.iterdir()) and not overwrite:
        raise OutputError(f"{out} exists already; choose another name, or replace its files with --overwrite")


def _is_of(to: str, path: Path) -> bool:
    """Say whether a file is of a format; of one that cannot be recognised, any file is."""
    form = FORMATS.load(to)
    return type(form).sniff is Format.sniff or sniffs(form, path)


def labelled_images(
    name: str, path: Path, to: str, source: ImageSource | None, rejected: dict[str, str]
) -> Iterator[LabelledImage]:
    """
    Yield what annotations of a format hold, with what a second format needs.

    Parameters
    ----------
    name, path : str, Path
        Format and place of the annotations.
    to : str
        The format to write.
    source : ImageSource or None
        The images. If given, each image is called by its file there, and rejected if there is none.
    rejected : dict
        Gets images that cannot be read.

    Raises
    ------
    PointsError
        If the annotations cannot be read as a whole, or sizes are needed and there is no source.
    """
    finder = None if source is None else ImageFinder(source)
    form = FORMATS.load(name)
    taken: set[ImageFrame] = set()
    if "read masks" in form.abilities:
        if isinstance(form, Native) and "instances" not in FORMATS.load(to).holds:
            read = form.read_joined(path, rejected)  # what is not parted there need not be parted here
        else:
            read = form.read_masks(path, rejected, images=source)
        for image in read:
            with rejecting(image.key, rejected):
                if finder is None:
                    yield image
                else:
                    yield _placed(image, finder, taken)
        return
    points = form.read(path, images=source)
    if source is not None:
        points = settled(points, source.names())
    rejected.update(points.rejected)
    if finder is None and "write masks" in FORMATS.load(to).abilities:
        raise PointsError(
            f"{path}: {form.description} does not tell the sizes of images, which {to} needs; give the "
            "images with --images"
        )
    for key, listed in points:
        with rejecting(key, rejected):
            targets = tuple(LabelledTarget(point, None) for point in listed)
            if finder is None:  # and the format to write stores no sizes
                yield LabelledImage.of_key(key, (1, 1), targets)
            else:
                shape = finder.shape_of(key)
                targets = tuple(LabelledTarget(point, None) for point in fitted(listed, shape))
                yield LabelledImage(*finder.frame_of(key), shape, targets)


def _placed(image: LabelledImage, finder: ImageFinder, taken: set[ImageFrame]) -> LabelledImage:
    """Return what a document says of an image under the name, and in the size, of its file."""
    if image.counted:
        finder.check_count(image.key)
    name, frame = finder.frame_of(image.key, image.names)
    if (name, frame) in taken and image.names:
        raise PointsError(f"{image.key}: another document is of the image {name} too; delete one of them")
    taken.add((name, frame))
    try:
        shape = finder.shape_at(name, frame)
    except PointsError:  # nothing can be compared, and the file is not what is converted
        shape = image.shape
    return image.fitted(name, frame, shape)


def write_as(
    to: str,
    images: Iterable[LabelledImage],
    path: Path,
    source: ImageSource | None,
    options: WriteOptions = DEFAULTS,
) -> "Tally":
    """
    Write labelled images in a format, and count them.

    Parameters
    ----------
    to : str
        A name in `pointmask.io.formats.registry.FORMATS` that can be written.
    images, path
        As for its ``write_masks``.
    source : ImageSource or None
        The images, for formats that want them.
    options : WriteOptions
        Those of the format are heeded.

    Returns
    -------
    Tally
        What was written.

    Raises
    ------
    PointmaskError
        As ``write_masks`` of the format.
    """
    form = FORMATS.load(to)
    tally = Tally(form)
    watched = tally.watch(images)
    try:
        if "write masks" in form.abilities:
            form.write_masks(watched, path, source=source, options=options)
        else:
            form.write(Points({image.key: image.clicks for image in watched}), path)
    except PointmaskError:
        raise
    except Exception as error:
        package = FORMATS.package_of(to)
        if not package:  # ours: a fault to report, with its traceback
            raise
        raise PluginError(
            f"annotation format {to!r} of the package {package} failed ({type(error).__name__}: {error}); "
            f"choose another format, or tell the authors of {package}"
        ) from error
    return tally


class Tally:
    """
    Counts what is written in a format.

    Parameters
    ----------
    form : Format
        The format.

    Attributes
    ----------
    images, targets : int
        How many have passed.
    """

    def __init__(self, form: Format) -> None:
        self.images = self.targets = 0
        self._holds, self._least = form.holds, form.least_pixels
        self._seen: Counter[Feature] = Counter()
        self._small = 0

    def watch(self, images: Iterable[LabelledImage]) -> Iterator[LabelledImage]:
        """Hand images through."""
        for image in images:
            self.images += 1
            self.targets += len(image.targets)
            self._seen["frames"] += image.frame > 0
            self._seen["empty"] += not image.targets
            if "masks" in self._holds and "instances" not in self._holds:
                self._seen["instances"] += _joined(image)
            for target in image.targets:
                self._seen["points"] += target.point is not None
                self._seen["labels"] += target.label is not None
                self._seen["confidence"] += target.confidence is not None
                self._seen["masks"] += target.patch is not None
                self._seen["boxes"] += target.box is not None
                self._small += target.patch is not None and target.patch.area < self._least
            yield image

    def lost(self) -> tuple[str, ...]:
        """Say what of all this the format cannot hold."""
        return tuple(
            f"{self._seen[what]:,} {noun}"
            for what, noun in _NOUNS.items()
            if self._seen[what] and what not in self._holds
        )

    def warnings(self) -> tuple[str, ...]:
        """Say what the format holds, but programs that read it may not."""
        if not self._small:
            return ()
        return (
            f"{self._small:,} masks have fewer than {self._least} pixels: exact in the file, but most "
            "programs that read polygons drop or inflate them; where there is a choice, use coco",
        )


def _joined(image: LabelledImage) -> int:
    """Count the pieces of targets that become one with another's in the union of all masks."""
    patches = [target.patch for target in image.targets if target.patch is not None]
    if len(patches) < 2:
        return 0
    return sum(components(patch.pixels)[1] for patch in patches) - components(image.mask)[1]


def _chosen(to: str, options: Mapping[str, Any]) -> WriteOptions:
    """Refuse a format that cannot be written, and options that it does not have."""
    if to not in FORMATS or not FORMATS.load(to).layout:  # `layouts` loads what other packages bring
        hint = did_you_mean(to, layouts())
        what = (
            f"format {to!r} cannot be written" if to in FORMATS else f"no annotation format is called {to!r}"
        )
        raise PointsError(f"{what}; {hint}choose one of {', '.join(layouts())}")
    form = FORMATS.load(to)
    for option in options:
        if option not in form.options:
            having = [name for name in layouts() if option in FORMATS.load(name).options]
            raise PointsError(
                f"{option!r} is no option of {to}; it belongs to {', '.join(having) or 'no format'}"
            )
    return WriteOptions(**options)

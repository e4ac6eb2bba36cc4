"""What every format has in common: the class that it derives from, and the words that describe it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, get_args

from pointmask.errors import PluginError, PointsError
from pointmask.io.formats.labelled import LabelledImage
from pointmask.io.formats.parts.origin import Origin
from pointmask.io.formats.parts.per_image import Parsed, images_of, points_of
from pointmask.io.images.source import ImageSource
from pointmask.io.points.points import Points
from pointmask.registry import contract_class

Simulation = Literal["centroid", "coarse"]

Ability = Literal["read points", "read masks", "write points", "write masks"]
"""What can be done with a format."""

Layout = Literal["", "file", "folder", "training folder"]
"""What is written: nothing, or one of these. A training folder holds the images too."""

Feature = Literal["points", "masks", "boxes", "instances", "labels", "confidence", "frames", "empty"]
"""What a format may or may not hold.

``boxes``: of targets without mask. ``instances``: targets that touch stay apart. ``frames``: pages of a
file. ``empty``: images without targets.
"""

EVERYTHING: frozenset[Feature] = frozenset(get_args(Feature))


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """What a user may choose about a training folder; `Format.options` names those that a format heeds.

    Attributes
    ----------
    test : float
        Share of test images, from 0 to 1. Each is drawn by its own name, so a growing folder keeps its lists.
    seed : int
        Of that draw.
    copy : bool
        Copy images instead of linking to them.
    name : str or None
        Name of the data set; None takes the folder's.
    """

    test: float = 0.0
    seed: int = 0
    copy: bool = False
    name: str | None = None


DEFAULTS = WriteOptions()


class Format:
    """A format of annotations: what it is, what it can hold, and how it is read and written.

    A format derives from this class, sets the attributes that differ from the defaults, and defines the
    methods that its `abilities` promise. One object of it, made without arguments, serves all calls.

    Another package adds a format by an entry point, and everything that names formats takes it up
    (``--points-format``, ``--save``, ``convert``, recognition, help)::

        # pyproject.toml of that package
        [project.entry-points."pointmask.formats"]
        vendor = "vendor_package.points:VendorFormat"

        # vendor_package/points.py
        from pointmask import Format, Point, Points, WriteOptions

        class VendorFormat(Format):
            name = "vendor"  # as the entry point is called
            description = "points of Vendor's camera"
            abilities = frozenset({"read points", "write masks"})
            holds = frozenset({"points", "masks"})
            layout = "file"
            saved_as = "vendor.vnd"  # what annotate --save vendor writes

            def sniff(self, path):
                return path.suffix == ".vnd"

            def read(self, path, *, images=None):
                return Points({"a.png": (Point(12, 7),)}, self.source_of(path))

            def write_masks(self, images, path, *, source=None, options=WriteOptions()):
                with path.open("w", encoding="utf-8") as file:
                    for image in images:  # one after the other; of each its targets
                        for target in image.targets:
                            if target.patch is not None:  # the mask, cut to its pixels
                                rows, cols = target.patch.pixels.nonzero()
                                for row, col in zip(rows + target.patch.row, cols + target.patch.col):
                                    print(image.key, row, col, file=file)

    Formats are asked for recognition in the order of `pointmask.io.formats.registry.FORMATS`, those of other
    packages last.

    Attributes
    ----------
    name : str
        As users type it.
    description : str
        A few words for messages: ``"COCO JSON"``.
    abilities : frozenset of Ability
        Which of `read`, `read_masks`, `write` and `write_masks` are defined.
    holds : frozenset of Feature
        What survives writing.
    suffixes : tuple of str
        A file with one of these, in lower case, that no format recognises is taken for this format by its
        name alone, so that `read` can say what is wrong with it.
    origin : {"index", "one-based", "edge", "percent", "fraction"} or None
        What coordinates mean (`pointmask.io.formats.parts.origin`); None if there are none.
    needs_images : bool
        Coordinates mean nothing without the sizes of the images, so that reading needs ``images``.
    layout : {"", "file", "folder", "training folder"}
        What is written.
    saved_as : str
        Name of the file or folder that ``annotate --save`` writes; empty if it does not offer this format.
    options : tuple of str
        Fields of `WriteOptions` that `write_masks` heeds.
    least_pixels : int
        Smaller masks are exact in the file, but programs that read it usually drop them.
    per_image : bool
        A file tells of one image, so that files that lie together are one collection.
    searched : {"always", "by name", "never"}
        Whether `pointmask.io.formats.find` takes what this format recognises for the points of a training
        folder. ``"by name"``: only if the path is called points or clicks, as any folder of images looks
        like this format. ``"never"``: it holds masks, and clicks on them would come from the truth.
    """

    name: ClassVar[str] = ""
    description: ClassVar[str] = ""
    abilities: ClassVar[frozenset[Ability]] = frozenset()
    holds: ClassVar[frozenset[Feature]] = frozenset()
    suffixes: ClassVar[tuple[str, ...]] = ()
    origin: ClassVar[Origin | None] = None
    needs_images: ClassVar[bool] = False
    layout: ClassVar[Layout] = ""
    saved_as: ClassVar[str] = ""
    options: ClassVar[tuple[Literal["test", "seed", "copy", "name"], ...]] = ()
    least_pixels: ClassVar[int] = 0
    per_image: ClassVar[bool] = False
    searched: ClassVar[Literal["always", "by name", "never"]] = "always"

    def sniff(self, path: Path) -> bool:
        """Say whether an existing path looks like this format: reads as little as it can, and never raises.

        By default nothing does, and the format must be named.
        """
        return False

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read all points.

        Parameters
        ----------
        path : Path
            File or folder.
        images : ImageSource, optional
            The images, if they are known; formats with `needs_images` look beside the annotations if not.

        Raises
        ------
        PointsError
            If it cannot be read as a whole. What is wrong in one image only rejects that image.
        """
        raise PointsError(f"{path}: points cannot be read from {self.name}; choose another format")

    def read_masks(
        self, path: Path, rejected: dict[str, str], *, images: ImageSource | None = None
    ) -> Iterator[LabelledImage]:
        """Yield images with their targets, one after the other.

        Parameters
        ----------
        path, images
            As for `read`.
        rejected : dict
            Gets the key of each image that cannot be read, with the reason.

        Raises
        ------
        PointsError
            As `read`.
        """
        raise PointsError(f"{path}: masks cannot be read from {self.name}; choose another format")

    def simulate(self, path: Path, simulation: Simulation, seed: int = 0) -> Points:
        """Click on the targets of masks, as `pointmask.io.formats.folders.masks` documents.

        Raises
        ------
        PointsError
            If this format is no folder of masks, or it cannot be read.
        """
        raise PointsError(
            f"points of format {self.name!r} cannot be simulated; --simulate takes a folder of masks"
        )

    def write(self, points: Points, path: Path) -> None:
        """Write points, for formats that need no image sizes; rejected images are left out.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        raise PointsError(f"{path}: points cannot be written as {self.name}; choose another format")

    def write_masks(
        self,
        images: Iterable[LabelledImage],
        path: Path,
        *,
        source: ImageSource | None = None,
        options: WriteOptions = DEFAULTS,
    ) -> None:
        """Write labelled images; where the format allows it, no more than one is held in memory.

        Parameters
        ----------
        images : iterable of LabelledImage
            Two of them must differ in more than the suffix of their names if `layout` is a folder.
        path : Path
            File or folder, as `layout` says. Its parent exists.
        source : ImageSource, optional
            The images themselves; training folders need them.
        options : WriteOptions
            Those named in `options` are heeded.

        Raises
        ------
        OutputError
            If a file exists where a folder is written, or something cannot be written.
        PointsError
            If the format cannot hold an image, or needs a source and has none.
        """
        raise PointsError(f"{path}: masks cannot be written as {self.name}; choose another format")

    def source_of(self, path: Path) -> str:
        """Name a path and what it was recognised as, for `Points.source`."""
        return f"{path} ({self.description})"


class DocumentFormat(Format):
    """A format of documents that give sizes, points, masks and boxes image by image; define `parsed`."""

    abilities = frozenset({"read points", "read masks"})

    def parsed(self, path: Path, rejected: dict[str, str], images: ImageSource | None) -> Iterator[Parsed]:
        """Yield what is known of each image; parameters and errors as for `read_masks`."""
        raise NotImplementedError

    def read(self, path: Path, *, images: ImageSource | None = None) -> Points:
        """Read points, and the middles of masks without one."""
        rejected: dict[str, str] = {}
        return points_of(self.parsed(path, rejected, images), rejected, self.source_of(path))

    def read_masks(
        self, path: Path, rejected: dict[str, str], *, images: ImageSource | None = None
    ) -> Iterator[LabelledImage]:
        """Yield images with their targets; one without size has that of its file, or else is rejected."""
        return images_of(self.parsed(path, rejected, images), rejected, images)


def checked(name: str, loaded: object) -> Format:
    """Return a format of a class that the table of formats or an entry point leads to.

    Parameters
    ----------
    name : str
        Of the entry.
    loaded : object
        What the entry leads to.

    Raises
    ------
    PluginError
        If it is no class derived from `Format`, or does not keep what its attributes promise.
    """
    kind = contract_class(loaded, Format)
    if kind.name != name:
        raise PluginError(
            f"the name of {kind.__name__} is {kind.name!r}; let it agree with the name of the entry"
        )
    if not kind.description:
        raise PluginError(f"{kind.__name__} has no description; set one, a few words for messages")
    methods = {
        "read points": (kind.read, Format.read),
        "read masks": (kind.read_masks, Format.read_masks),
        "write points": (kind.write, Format.write),
        "write masks": (kind.write_masks, Format.write_masks),
    }
    defined = {ability for ability, (own, default) in methods.items() if own is not default}
    if defined != kind.abilities:
        raise PluginError(
            f"{kind.__name__} promises to {_listed(kind.abilities)}, but it defines methods to "
            f"{_listed(defined)}; let abilities and methods agree"
        )
    writes = bool(defined & {"write points", "write masks"})
    if kind.layout not in get_args(Layout) or bool(kind.layout) != writes:
        raise PluginError(
            f"{kind.__name__} can {_listed(defined)}, but its layout is {kind.layout!r}; name what it "
            "writes: 'file', 'folder' or 'training folder'"
        )
    if kind.saved_as and "write masks" not in defined:
        raise PluginError(f"{kind.__name__} has saved_as {kind.saved_as!r}, but cannot write masks")
    return kind()


def _listed(abilities: Iterable[str]) -> str:
    return " and ".join(sorted(abilities)) or "do nothing"

"""Image files for formats that need more than their names: sizes, or the files themselves."""

from collections.abc import Sequence

from pointmask.errors import ImageError, PointsError
from pointmask.io.formats.labelled import Shape
from pointmask.io.images.source import ImageSource
from pointmask.io.points.match import NameIndex
from pointmask.io.points.names import ImageFrame
from pointmask.io.points.settle import counted_from_one, counts_differ


class ImageFinder:
    """Images by key.

    Parameters
    ----------
    source : ImageSource
        The images; listed once.
    """

    def __init__(self, source: ImageSource) -> None:
        self.source = source
        self._index = NameIndex(source.names())

    def has(self, key: str) -> bool:
        """Say whether there is one image of a key."""
        return len(self._index.find(key)[0]) == 1

    def frame_of(self, key: str, names: Sequence[str] = ()) -> ImageFrame:
        """Return name and frame of the image of a key, or of the first of further names that fits one.

        Raises
        ------
        PointsError
            If there is no such image, or several fit.
        """
        for name in (*names, key):
            found, frame, _ = self._index.find(name)
            if len(found) == 1:
                return found[0], frame
        if not found:
            loose, frame = self._index.find_loosely(key)
            found = loose.names
            if len(found) == 1:
                return found[0], frame
        said = " and ".join(found) if found else "no such image"
        raise PointsError(f"{key}: {self.source.root} holds {said}; write the name of one image")

    def check_count(self, key: str) -> None:
        """Refuse a key that counts frames from 0 where the files count from 1; raises PointsError."""
        if next(counted_from_one(self._index, [key]), None) is not None:
            raise PointsError(f"{self.source.root}: {counts_differ(key)}")

    def shape_of(self, key: str) -> Shape:
        """Return height and width of the image of a key.

        Raises
        ------
        PointsError
            As `frame_of`, or if the image cannot be read.
        """
        return self.shape_at(*self.frame_of(key), key)

    def shape_at(self, name: str, frame: int, key: str = "") -> Shape:
        """Return height and width of a frame; errors name the key, or else the image."""
        try:
            with self.source.open(name) as file:
                return file.shape(frame)
        except ImageError as error:
            raise PointsError(f"{key or name}: its size is needed, but {error}") from error

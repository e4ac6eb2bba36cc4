"""Image files for formats that need more than their names: sizes, or the files themselves."""

from pointmask.errors import ImageError, PointsError
from pointmask.io.formats.labelled import Shape
from pointmask.io.images.source import ImageSource
from pointmask.io.points.match import NameIndex
from pointmask.io.points.names import ImageFrame


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

    def frame_of(self, key: str) -> ImageFrame:
        """Return name and frame of the image of a key.

        Raises
        ------
        PointsError
            If there is no such image, or several fit.
        """
        names, frame, _ = self._index.find(key)
        if len(names) != 1:
            found = " and ".join(names) if names else "no such image"
            raise PointsError(f"{key}: {self.source.root} holds {found}; write the name of one image")
        return names[0], frame

    def shape_of(self, key: str) -> Shape:
        """Return height and width of the image of a key.

        Raises
        ------
        PointsError
            As `frame_of`, or if the image cannot be read.
        """
        name, frame = self.frame_of(key)
        try:
            with self.source.open(name) as file:
                height, width = file.decode(frame).shape
        except ImageError as error:
            raise PointsError(f"{key}: its size is needed, but {error}") from error
        return height, width

"""Sizes of images, for formats that give coordinates as fractions of them."""

from collections.abc import Iterable

from pointmask.errors import ImageError, PointsError
from pointmask.image_source import ImageSource
from pointmask.labelled import Shape
from pointmask.points import ImageFrame, Point, Points, match


class ImageSizes:
    """The size of the image that a key names.

    Parameters
    ----------
    source : ImageSource
        The images.
    keys : iterable of str
        All keys that will be asked for; paired as `pointmask.points.match` does.
    """

    def __init__(self, source: ImageSource, keys: Iterable[str]) -> None:
        self._source = source
        # Each key rides as the label of a point, to be found again with the image it belongs to.
        found = match(Points({key: (Point(0, 0, key),) for key in keys}), source.names())
        self._frames = {point.label: frame for frame, points in found.points.items() for point in points}

    def of_key(self, key: str) -> Shape:
        """Return height and width of the image of a key.

        Raises
        ------
        PointsError
            If there is no such image, several fit, or it cannot be read.
        """
        if key not in self._frames:
            raise PointsError(
                f"{key}: {self._source.root} holds no image, or several, of that name; correct it"
            )
        return shape_of(self._source, self._frames[key])


def shape_of(source: ImageSource, frame: ImageFrame) -> Shape:
    """Return height and width of a frame.

    Raises
    ------
    PointsError
        If it cannot be read.
    """
    name, number = frame
    try:
        with source.open(name) as file:
            height, width = file.decode(number).shape
    except ImageError as error:
        raise PointsError(f"{name}: its size is needed, but {error}") from error
    return height, width

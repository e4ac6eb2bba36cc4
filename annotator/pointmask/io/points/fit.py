"""Points in the image that they are used on, which may have another size than their document says."""

from collections.abc import Sequence
from dataclasses import replace

from pointmask.errors import PointsError
from pointmask.io.points.points import Point

Shape = tuple[int, int]


def scale_between(said: Shape, image: Shape) -> tuple[float, float] | None:
    """
    Return by what rows and columns are multiplied if one size is the other, enlarged or reduced.

    Parameters
    ----------
    said, image : (int, int)
        Heights and widths: as a document says them, and those of the image.

    Returns
    -------
    (float, float) or None
        None if the aspects differ by more than a pixel explains, or one side alone differs, as after a cut.
    """
    rows, cols = image[0] / said[0], image[1] / said[1]
    slack = 1 / min(said) + 1 / min(image)
    if said == image:
        return 1.0, 1.0
    if rows == 1 or cols == 1 or min(*said, *image) < 2 or abs(rows / cols - 1) > slack:
        return None
    return rows, cols


def scale_of(said: Shape, image: Shape) -> tuple[float, float]:
    """
    Return what `scale_between` does.

    Raises
    ------
    PointsError
        With both sizes and what to do, if it gives None.
    """
    scale = scale_between(said, image)
    if scale is None:
        turned = " (turned by a quarter?)" if said == image[::-1] else ""
        raise PointsError(
            f"its annotations were made in an image of {said[1]} x {said[0]} pixels, but the image has "
            f"{image[1]} x {image[0]}{turned}, which is not the same picture enlarged or reduced; give the "
            "images that were annotated, or correct width and height in the document"
        )
    return scale


def fitted(points: Sequence[Point], shape: Shape) -> tuple[Point, ...]:
    """
    Move points that were marked in an enlarged or reduced copy of an image to their place in it.

    Parameters
    ----------
    points : sequence of Point
        Those of one frame.
    shape : (int, int)
        Height and width of that frame.

    Returns
    -------
    tuple of Point
        The same points if their documents say the size of the frame, or say none.

    Raises
    ------
    PointsError
        If a document says a size of another aspect.
    """
    return tuple(_fitted(point, shape) for point in points)


def differs(points: Sequence[Point], shape: Shape) -> Shape | None:
    """Return the first size that points say of their image and that it does not have; None without one."""
    return next((p.image_shape for p in points if p.image_shape not in (None, shape)), None)


def _fitted(point: Point, shape: Shape) -> Point:
    said = point.image_shape
    if said is None or said == shape:
        return point
    rows, cols = scale_of(said, shape)
    return replace(
        point, row=_scaled(point.row, rows), col=_scaled(point.col, cols), image_shape=(shape[0], shape[1])
    )


def _scaled(index: int, factor: float) -> int:
    """Return the pixel on which the middle of a pixel comes to lie."""
    return int((index + 0.5) * factor // 1)

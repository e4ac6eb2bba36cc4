"""`Clicker`: an image in a notebook cell, on which clicks become masks."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pointmask.advice import install
from pointmask.annotator.image import annotate, checked_image
from pointmask.annotator.target import Annotation
from pointmask.click.frames.samples import code_for, coded
from pointmask.click.frames.statistics import statistics
from pointmask.click.server.shapes import mask_shape
from pointmask.errors import ImageError, PointmaskError, PointsError
from pointmask.io.images.array import any_image
from pointmask.notebook import bundle
from pointmask.theta import Polarity, Theta


class Clicker:
    """Click on the targets of an image in a notebook, and see their masks.

    Parameters
    ----------
    image : (H, W) or (H, W, 1 to 4) array_like, or path of an image file
        As for `pointmask.annotate`; at least one value must be finite.
    points : sequence of (row, col), optional
        Points to start from.
    theta : Theta, "default", "paper" or path of a TOML file
    polarity : {"bright", "dark", "auto"}
        Whether targets are brighter or darker than their surroundings.
    height : int, default 480
        Height of the picture in CSS pixels, at least 120.

    Raises
    ------
    ImageError
        As for `pointmask.annotate`, or if no value is finite.
    PointsError
        If a point is not a pair of whole numbers or lies outside the image.

    Notes
    -----
    A click adds a target and a right click removes it; points are dragged, or moved by arrows when they are
    selected. The wheel zooms, a drag pans, and a drag with the right button turns brightness and contrast.
    ``points`` and ``masks`` are those of the moment. Showing it needs ``pip install 'pointmask[notebook]'``.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((64, 64), 100.0)
    >>> image[30:33, 40:44] = 150.0
    >>> clicker = Clicker(image, points=[(31, 41)])
    >>> clicker.masks.shape, int(clicker.masks.sum())
    ((1, 64, 64), 12)
    """

    def __init__(
        self,
        image: ArrayLike | str | Path,
        *,
        points: Sequence[tuple[int, int]] = (),
        theta: Theta | str | Path = "default",
        polarity: Polarity = "bright",
        height: int = 480,
    ) -> None:
        self._image = checked_image(any_image(image))
        if self._image.dtype.kind == "b":
            self._image = self._image.astype(np.uint8)
        if not np.isfinite(self._image).any():
            raise ImageError("no value of the image is finite; check how it was read")
        if height < 120:
            raise ValueError(f"height is {height}; at least 120 is needed")
        self._theta, self._polarity, self._height = Theta.load(theta), polarity, height
        self._widget: Any = None
        self._annotation = self._annotate(points)

    @property
    def points(self) -> tuple[tuple[int, int], ...]:
        """Points (row, col) in the order in which they were made; can be assigned."""
        return tuple(target.point for target in self._annotation.targets)

    @points.setter
    def points(self, points: Iterable[tuple[int, int]]) -> None:
        self._annotation = self._annotate(points)
        if self._widget is not None:
            self._widget.points = self._listed()
            self._widget.targets = self._targets()

    @property
    def annotation(self) -> Annotation:
        """What `pointmask.annotate` gives for these points."""
        return self._annotation

    @property
    def masks(self) -> NDArray[np.bool_]:
        """(n, H, W) bool: the mask of each point; touching targets are divided."""
        instances = self._annotation.instances
        numbers = np.arange(1, len(self._annotation.targets) + 1, dtype=instances.dtype)
        return np.asarray(instances[None] == numbers[:, None, None])

    @property
    def widget(self) -> Any:  # noqa: ANN401 - anywidget may be missing
        """The widget itself, for layouts; the same one each time.

        Raises
        ------
        PointmaskError
            If anywidget is not installed.
        """
        if self._widget is None:
            self._widget = self._made()
        return self._widget

    def _repr_mimebundle_(self, **options: Any) -> Any:  # noqa: ANN401 - as in IPython
        return self.widget._repr_mimebundle_(**options)

    def _annotate(self, points: Iterable[tuple[int, int]]) -> Annotation:
        return annotate(self._image, list(points), theta=self._theta, polarity=self._polarity)

    def _listed(self) -> list[list[int]]:
        return [list(point) for point in self.points]

    def _targets(self) -> list[dict[str, Any]]:
        """Describe the targets as the script draws them."""
        described = []
        for target in self._annotation.targets:
            top, left, bottom, right = target.box
            rows = slice(top - target.window[0], bottom - target.window[0])
            cols = slice(left - target.window[1], right - target.window[1])
            described.append(
                {
                    "point": list(target.point),
                    "area": target.area,
                    "confidence": round(target.confidence, 4),
                    "flags": list(target.flags),
                    "mask": mask_shape((top, left, target.mask[rows, cols])),
                }
            )
        return described

    def _made(self) -> Any:  # noqa: ANN401 - anywidget may be missing
        try:
            import anywidget
            import traitlets
        except ImportError:
            raise PointmaskError(
                f"showing a Clicker needs anywidget; install it with: {install('notebook')}"
            ) from None
        known = statistics(self._image)
        code = code_for(self._image, known)
        frame = {
            "height": self._image.shape[0],
            "width": self._image.shape[1],
            "code": {
                "type": code.type,
                "scale": code.scale,
                "offset": code.offset,
                "missing": 0 if code.nonfinite else None,
            },
            "window": list(known.auto),
            "polarity": self._polarity,
            "shown_height": self._height,
        }

        class Widget(anywidget.AnyWidget):  # type: ignore[misc, unused-ignore]
            _esm = bundle.script()
            _css = bundle.style()
            frame = traitlets.Dict().tag(sync=True)
            samples = traitlets.Bytes().tag(sync=True)
            points: Any = traitlets.List().tag(sync=True)
            targets: Any = traitlets.List().tag(sync=True)
            problem = traitlets.Unicode().tag(sync=True)

        widget = Widget(
            frame=frame,
            samples=coded(self._image, code).tobytes(),
            points=self._listed(),
            targets=self._targets(),
        )
        widget.observe(self._clicked, "points")
        return widget

    def _clicked(self, change: Any) -> None:  # noqa: ANN401 - of traitlets
        """Make the masks of points that the page sent."""
        if change["new"] == self._listed():
            return  # set from here
        try:
            self._annotation = self._annotate([(row, col) for row, col in change["new"]])
        except (PointsError, TypeError, ValueError) as error:
            self._widget.problem = str(error)
            self._widget.points = self._listed()
            return
        self._widget.problem = ""
        self._widget.targets = self._targets()

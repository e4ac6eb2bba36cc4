"""The contract of every annotator that `pointmask bench` compares."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Literal

from numpy.typing import ArrayLike

from pointmask.annotator.target import Annotation
from pointmask.bench.baselines.sizes import SizePrior


class Baseline(ABC):
    """An annotator: an image and points in, masks out.

    An instance holds settings alone, so that the order of the images does not matter. All parameters of
    ``__init__`` must have defaults: the bench passes none, but for methods in `registry.WEIGHTS` the file of
    their weights.

    Attributes
    ----------
    label : str
        Name in tables and charts.
    reads_size : bool
        Whether size priors change the result. Tables name the prior only for methods that read it.
    sees : {"colour", "band"}
        ``colour`` gets (H, W, 3) uint8 where the file has 8 bits, as published programs read it, and else
        the single band; ``band`` always gets the single band in its native type, (H, W).
    note : str
        Sentence that is printed below every table with this method.
    detail : str
        What a result must tell of this instance, such as the weights used; printed in the same place.
    """

    label: ClassVar[str]
    reads_size: ClassVar[bool] = True
    sees: ClassVar[Literal["colour", "band"]] = "colour"
    note: ClassVar[str] = ""
    detail: str = ""

    @abstractmethod
    def annotate(
        self,
        image: ArrayLike,
        points: Sequence[tuple[int, int]],
        *,
        size_prior: Sequence[SizePrior] | None = None,
        seed: int = 0,
    ) -> Annotation:
        """Annotate one image.

        Parameters
        ----------
        image : array_like of shape (H, W) or (H, W, 3)
            Bright targets on a darker background.
        points : sequence of tuple of int
            Clicks (row, col), 0-based.
        size_prior : sequence of SizePrior, optional
            What the method may know of the targets' sizes, one per point. None is the honest setting: every
            target gets the same fixed box.
        seed : int
            Of all random numbers; the same seed gives the same result.

        Returns
        -------
        Annotation
            One target per point, in their order.

        Raises
        ------
        ImageError, PointsError
            If the image's shape or values, a point, or the number of priors does not fit.
        """

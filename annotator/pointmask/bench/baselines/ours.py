"""The annotator of this project with its default theta, as the method that the others are compared with."""

from collections.abc import Sequence

from numpy.typing import ArrayLike

from pointmask.annotator.image import annotate
from pointmask.annotator.target import Annotation
from pointmask.bench.baselines.base import Baseline
from pointmask.bench.baselines.sizes import SizePrior
from pointmask.theta import Theta


class Ours(Baseline):
    """`pointmask.annotate`, which has no size prior and nothing random."""

    label = "pointmask"
    reads_size = False
    sees = "band"

    def __init__(self) -> None:
        self._theta = Theta.load("default")

    def annotate(
        self,
        image: ArrayLike,
        points: Sequence[tuple[int, int]],
        *,
        size_prior: Sequence[SizePrior] | None = None,
        seed: int = 0,
    ) -> Annotation:
        """Annotate one image; `size_prior` and `seed` are not read."""
        return annotate(image, points, theta=self._theta)

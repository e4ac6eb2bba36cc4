"""SAM and SAM2 as annotators of `pointmask bench`, one class for each way to show them a target."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from pointmask.annotator.target import Annotation
from pointmask.bench.baselines.base import Baseline
from pointmask.bench.baselines.parts.frame import (
    TargetPatch,
    checked_points,
    checked_priors,
    compose,
    empty_patch,
)
from pointmask.bench.baselines.sizes import Box, SizePrior
from pointmask.components import components
from pointmask_trainer.foundation.grey import grey8
from pointmask_trainer.foundation.loading import load_segmenter
from pointmask_trainer.foundation.mask_decoder import Decoded
from pointmask_trainer.foundation.prompts import CROP, PromptKind, View, crop_of, prompt_of, view_of
from pointmask_trainer.foundation.segmenter import best, single

Choice = Literal["best", "smallest", "single"]

_NEAR = 2  # px from the click within which a component is the target's


class PromptedSegmenter(Baseline):
    """A promptable network: a click in, the component of its mask at the click out.

    Parameters
    ----------
    weights : Path
        The publisher's file.
    choice : {"best", "smallest", "single"}
        Which of the network's masks: of three that of the highest predicted quality, or the smallest that has
        a component at the click; or the one that it draws for unambiguous prompts.
    whole : bool
        Keep all components of the mask, as published tables may have done.
    released : bool
        Scale points as the published programs do, which puts them beside the pixel's centre.

    Raises
    ------
    CheckpointError
        If the weights cannot be read or are of another network.
    """

    reads_size = False
    sees: ClassVar[Literal["colour", "band"]] = "band"
    kind: ClassVar[Literal["sam", "sam2"]]
    prompt: ClassVar[PromptKind]

    def __init__(
        self, weights: Path, *, choice: Choice = "best", whole: bool = False, released: bool = False
    ) -> None:
        self._network, digest = load_segmenter(weights, self.kind)
        self._choice, self._whole, self._released = choice, whole, released
        self.detail = f"prompt {self.prompt}, mask {choice}, weights {weights.name}, SHA-256 {digest}..."

    @torch.inference_mode()
    def annotate(
        self,
        image: ArrayLike,
        points: Sequence[tuple[int, int]],
        *,
        size_prior: Sequence[SizePrior] | None = None,
        seed: int = 0,
    ) -> Annotation:
        """Annotate one image, target by target; a frame is encoded once, or each crop is.

        Returns
        -------
        Annotation
            ``soft`` is the probability within the component; targets are joined, none erases another.
        """
        grey = grey8(image)
        shape = (grey.shape[0], grey.shape[1])
        clicks = checked_points(points, shape)
        priors = checked_priors(size_prior, clicks, np.random.default_rng(seed))
        if self.prompt == "crop":
            patches = [self._from_crop(grey, click) for click in clicks]
        else:
            view = view_of(self._network, grey) if clicks else None
            patches = [
                self._from_frame(view, click, prior.box(click, shape))
                for click, prior in zip(clicks, priors, strict=True)
                if view is not None
            ]
        return compose(shape, patches, erases=False)

    def _from_crop(self, grey: NDArray[np.float32], click: tuple[int, int]) -> TargetPatch:
        crop, (top, left) = crop_of(grey, click)
        middle = (CROP // 2, CROP // 2)
        soft, mask = self._drawn(view_of(self._network, crop), middle, (slice(0, CROP), slice(0, CROP)))
        rows = slice(max(0, -top), min(CROP, grey.shape[0] - top))  # of the crop, within the frame
        cols = slice(max(0, -left), min(CROP, grey.shape[1] - left))
        box = (slice(top + rows.start, top + rows.stop), slice(left + cols.start, left + cols.stop))
        return TargetPatch(click, box, soft[rows, cols], mask[rows, cols])

    def _from_frame(self, view: View, click: tuple[int, int], box: Box) -> TargetPatch:
        soft, mask = self._drawn(view, click, box)
        ys, xs = np.nonzero(mask)
        if not ys.size:
            return empty_patch(click)
        own = (slice(int(ys.min()), int(ys.max()) + 1), slice(int(xs.min()), int(xs.max()) + 1))
        return TargetPatch(click, own, soft[own], mask[own])

    def _drawn(
        self, view: View, click: tuple[int, int], box: Box
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return soft label and mask of a target in a view."""
        network = self._network
        prompt = prompt_of(view, click, self.prompt, box, released=self._released)
        decoded = network.decode(view.encoded, prompt)
        logits = network.to_frame(decoded.logits, view.inner, view.shape)[0].numpy()
        masks = [at_click(part > 0, click, whole=self._whole) for part in logits]
        index = self._chosen(decoded, masks)
        soft = np.where(masks[index], 1 / (1 + np.exp(-logits[index])), 0).astype(np.float32)
        return soft, masks[index]

    def _chosen(self, decoded: Decoded, masks: Sequence[NDArray[np.bool_]]) -> int:
        if self._choice == "single":
            return single(decoded, falls_back=self.kind == "sam2")
        if self._choice == "smallest":
            areas = {k: int(masks[k].sum()) for k in range(1, len(masks)) if masks[k].any()}
            return min(areas, key=areas.__getitem__) if areas else best(decoded)
        return best(decoded)


def at_click(mask: NDArray[np.bool_], click: tuple[int, int], *, whole: bool = False) -> NDArray[np.bool_]:
    """Return the 8-connected component of a mask at a click, or the nearest within 2 px; else nothing.

    Parameters
    ----------
    mask : (H, W) bool array
    click : (int, int)
    whole : bool
        Return the mask as it is.
    """
    if whole:
        return mask
    labels, _ = components(mask)
    row, col = click
    top, left = max(row - _NEAR, 0), max(col - _NEAR, 0)
    around = labels[top : row + _NEAR + 1, left : col + _NEAR + 1]
    ys, xs = np.nonzero(around)
    if not ys.size:
        return np.zeros_like(mask)
    distances = (ys + top - row) ** 2 + (xs + left - col) ** 2
    nearest = int(distances.argmin())
    if distances[nearest] > _NEAR**2:
        return np.zeros_like(mask)
    return np.asarray(labels == around[ys[nearest], xs[nearest]])


class SAM(PromptedSegmenter):
    """SAM on a square crop of 64 px round the click, as people zoom in: no size is needed."""

    label, kind, prompt = "SAM, crop", "sam", "crop"


class SAMPoint(PromptedSegmenter):
    """SAM on the whole frame with the click alone."""

    label, kind, prompt = "SAM, point", "sam", "point"


class SAMBox(PromptedSegmenter):
    """SAM on the whole frame with the click and a box: of 21 px, or the size prior's."""

    label, kind, prompt, reads_size = "SAM, box", "sam", "box", True


class SAMNegatives(PromptedSegmenter):
    """SAM on the whole frame with the click and eight negative points round it."""

    label, kind, prompt = "SAM, negatives", "sam", "negatives"


class SAM2(PromptedSegmenter):
    """SAM2 on a square crop of 64 px round the click, as people zoom in: no size is needed."""

    label, kind, prompt = "SAM2, crop", "sam2", "crop"


class SAM2Point(PromptedSegmenter):
    """SAM2 on the whole frame with the click alone."""

    label, kind, prompt = "SAM2, point", "sam2", "point"


class SAM2Box(PromptedSegmenter):
    """SAM2 on the whole frame with the click and a box: of 21 px, or the size prior's."""

    label, kind, prompt, reads_size = "SAM2, box", "sam2", "box", True


class SAM2Negatives(PromptedSegmenter):
    """SAM2 on the whole frame with the click and eight negative points round it."""

    label, kind, prompt = "SAM2, negatives", "sam2", "negatives"

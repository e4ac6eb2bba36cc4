"""Masks by the annotator at the points that a detector finds: the network detects, the operator draws."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pointmask.annotator.crowd import divide_shared
from pointmask.annotator.operator import assemble
from pointmask.annotator.point import annotate_point
from pointmask.annotator.rivals import Click, rivals
from pointmask.annotator.target import Target, slices_of
from pointmask.theta import Polarity, Theta
from pointmask_trainer.inference.evidence import OTHERS, Evidence, Probabilities, find_candidates
from pointmask_trainer.run.mask_settings import MaskSettings, MaskSource


class OperatorMasks:
    """Replaces the masks of a detector by the annotator's.

    A light network places targets well and draws them badly: at half resolution a target of 12 px loses its
    outline. The annotator draws well wherever it is given a point.

    Parameters
    ----------
    theta : Theta
        Parameters of the annotator; they carry the drawing style.
    polarity : {"bright", "dark", "auto"}
    evidence : Evidence, optional
        What tells targets from false alarms; that of `Evidence.of_network` for unnamed networks by default.
    """

    def __init__(self, theta: Theta, polarity: Polarity = "bright", evidence: Evidence | None = None) -> None:
        self.theta, self.polarity = theta, polarity
        self.evidence = evidence or Evidence.of_network(OTHERS)
        self._operator = assemble(theta)

    @classmethod
    def of(cls, settings: MaskSettings, network: str, by: MaskSource | None = None) -> "OperatorMasks | None":
        """Build what the settings describe; None if the network draws.

        Parameters
        ----------
        settings : MaskSettings
        network : str
            The detector's name, which chooses the evidence.
        by : {"network", "operator"}, optional
            Instead of what the settings say.
        """
        if (settings.by if by is None else by) == "network":
            return None
        return cls(settings.theta, settings.polarity, Evidence.of_network(network))

    def facts(self) -> dict[str, str]:
        """Return what distinguishes these masks from others, as fields of `PredictionSettings`."""
        return {"masks": "operator", "theta": self.theta.digest, "polarity": self.polarity}

    def targets_at(
        self, image: NDArray[np.generic], clicks: Sequence[Click]
    ) -> tuple[list[int], list[Target]]:
        """Draw the targets of points; a point on the mask of one before it is the same target.

        Parameters
        ----------
        image : (H, W) array
            As stored; pixels that are to be replaced have been.
        clicks : sequence of (row, col)
            The surest first.

        Returns
        -------
        kept : list of int
            Indices of the points that stand for targets.
        targets : list of Target
            Theirs, as `pointmask.annotate` draws them.
        """
        covered = np.zeros(image.shape, np.bool_)
        kept: list[int] = []
        targets: list[Target] = []
        for k, click in enumerate(clicks):
            if covered[click]:
                continue
            target = annotate_point(image, *click, self._operator, self.polarity)
            covered[slices_of(target.window)] |= target.mask
            kept.append(k)
            targets.append(target)
        near = rivals([clicks[k] for k in kept], self.theta)
        for place, others in enumerate(near):
            if others:
                click = clicks[kept[place]]
                targets[place] = annotate_point(image, *click, self._operator, self.polarity, others)
        return kept, divide_shared(targets)

    def __call__(self, image: NDArray[np.generic], probabilities: Probabilities) -> Probabilities:
        """Make a map in which each target's mask holds the probability that it is one.

        Thresholds, curves and files mean what they mean for a network's map.

        Parameters
        ----------
        image : (H, W) array
            As stored; gain and offset do not matter.
        probabilities : (H, W) float32 array in [0, 1]
            The network's.

        Returns
        -------
        (H, W) float32 array
            0 outside all masks. Where masks overlap, the larger probability stands.
        """
        out = np.zeros(image.shape, np.float32)
        for candidate in find_candidates(image, probabilities, self._operator, self.polarity):
            view = out[slices_of(candidate.target.window)]
            of_mask = np.where(candidate.target.mask, np.float32(candidate.probability(self.evidence)), 0)
            np.maximum(view, of_mask, out=view)
        return out

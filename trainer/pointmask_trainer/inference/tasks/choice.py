"""The task of a network."""

from pointmask_trainer.detectors.base import ImageNetwork
from pointmask_trainer.detectors.locators.base import Locator
from pointmask_trainer.inference.operator_masks import OperatorMasks
from pointmask_trainer.inference.tasks.base import Task
from pointmask_trainer.inference.tasks.masks import MaskTask
from pointmask_trainer.inference.tasks.points import PointTask


def task_of(model: ImageNetwork, operator: OperatorMasks | None) -> Task:
    """Return the task of a network.

    Parameters
    ----------
    model : ImageNetwork
        A detector or a locator.
    operator : OperatorMasks or None
        Draws the masks; None if the network does.

    Raises
    ------
    ConfigError
        If the network draws no masks, and nothing else does.
    """
    return PointTask(operator) if isinstance(model, Locator) else MaskTask(operator)

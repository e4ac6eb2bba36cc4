"""What can go wrong in training that a user can put right."""

from pointmask.errors import PointmaskError


class ConfigError(PointmaskError, ValueError):
    """A setting is unknown, of the wrong type or out of its range."""

    exit_status = 2


class DetectorError(PointmaskError, ValueError):
    """A detector's name, option or input is not one it can work with."""


class DataError(PointmaskError, ValueError):
    """Images, masks, points or lists do not fit together."""


class CheckpointError(PointmaskError, ValueError):
    """A checkpoint is missing, damaged or of another model."""


class LabelsError(CheckpointError, DataError):
    """Labels that a run saved are missing or damaged, or belong to other images."""


class TrainingError(PointmaskError, RuntimeError):
    """Training cannot go on, such as after a loss that is not a number."""

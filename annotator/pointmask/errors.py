"""Errors that a user can cause. Each message names the value, the rule and the fix."""


class PointmaskError(Exception):
    """
    Base class of all errors that pointmask raises deliberately.

    Attributes
    ----------
    exit_status : int
        Exit status of the command line for this error: 2 (bad arguments), unless a subclass overrides it.
    """

    exit_status = 2


class ImageError(PointmaskError, ValueError):
    """An image file cannot be read, or an array is not a usable single-band image."""


class PointsError(PointmaskError, ValueError):
    """A point list or annotation document cannot be read, or a point or mask does not fit its image."""


class ThetaError(PointmaskError, ValueError):
    """A theta is out of bounds, unstable or unreadable."""


class MethodError(PointmaskError, ValueError):
    """There is no method of this name to compare with."""


class PluginError(PointmaskError, ImportError):
    """An entry point of another installed package cannot be imported, or does not fulfil its contract."""


class PluginWarning(UserWarning):
    """An entry point of another installed package cannot be used and was skipped."""


class OutputError(PointmaskError, OSError):
    """A result cannot be written, or writing it would overwrite a file of the user."""


class WriteError(OutputError):
    """The system refuses to write a file: a full disk, no permission, a drive that is gone."""


class LockedError(OutputError):
    """Another job is writing to the same folder."""


class BrokenOffError(OutputError):
    """A folder job was interrupted; finished results are kept, and the job can be resumed."""

    exit_status = 1

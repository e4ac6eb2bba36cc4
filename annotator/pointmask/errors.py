"""Errors a user can cause. Each message names the value, the rule and the fix."""


class PointmaskError(Exception):
    """
    Base of every error that pointmask raises on purpose.

    Attributes
    ----------
    exit_status : int
        Of the command line when it ends with this error: 2, bad arguments, unless a subclass says otherwise.
    """

    exit_status = 2


class ImageError(PointmaskError, ValueError):
    """An image file cannot be read, or an array is not a usable single-band image."""


class PointsError(PointmaskError, ValueError):
    """A point list or annotation document cannot be read, or a point or mask does not fit its image."""


class ThetaError(PointmaskError, ValueError):
    """A parameter set is out of its bounds, unstable or unreadable."""


class MethodError(PointmaskError, ValueError):
    """An annotator that is to be compared is not known by this name."""


class PluginError(PointmaskError, ImportError):
    """What another installed package adds to pointmask cannot be imported, or is not what it should be."""


class PluginWarning(UserWarning):
    """What another installed package adds to pointmask cannot be used, and was passed over."""


class OutputError(PointmaskError, OSError):
    """A result cannot be written, or writing it would destroy something of the user's."""


class BrokenOffError(OutputError):
    """A folder job could not go on; what was finished is kept, and the job can be run again."""

    exit_status = 1

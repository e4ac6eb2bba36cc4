"""Why a session refuses: each message names the value, the rule and the fix."""

from pointmask.click.contract.targets import ClickFrame
from pointmask.errors import OutputError, PointmaskError


class SessionError(PointmaskError):
    """A session refuses an edit; nothing was changed."""


class InvalidError(SessionError, ValueError):
    """A field is out of range, or contradicts what is there."""


class NotFoundError(SessionError, LookupError):
    """There is no such image, frame, target, proposal or job."""


class GoneError(SessionError):
    """The file is gone, or is not the one that was marked."""


class ConflictError(SessionError):
    """
    The frame is not as the person saw it.

    Attributes
    ----------
    frame : ClickFrame
        As it stands.
    """

    def __init__(self, message: str, frame: ClickFrame) -> None:
        super().__init__(message)
        self.frame = frame


class NotWrittenError(OutputError):
    """The journal could not be written; nothing was changed, and the edit can be sent again."""


class JournalError(OutputError):
    """A journal holds what pointmask did not write, or lacks lines."""

"""The one error of the API, and what becomes of those of the rooms below."""

from typing import Any, Final

from crockery.actions.errors import Reason, Refused
from crockery.events.errors import BodyUnreadable, LogError, LogFull

_STATUS: Final = {
    Reason.NONEXISTENT: 404,
    Reason.ALREADY_EXISTS: 409,
    Reason.CANNOT: 422,
    Reason.LIMIT: 422,
    Reason.NO_PERMISSION: 403,
    Reason.HAS_CHILDREN: 409,
}


class ControlError(Exception):
    """A request that came to nothing: HTTP status, a word for programs, a sentence for people."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message

    def as_json(self) -> dict[str, Any]:
        """The error shape of the API."""
        return {"error": {"reason": self.reason, "message": self.message}}


def bad_request(message: str) -> ControlError:
    """The request itself is wrong."""
    return ControlError(400, "bad-request", message)


def as_control_error(error: Exception) -> ControlError | None:
    """The API's error for one of the rooms below; None: it is none of theirs, but a defect."""
    if isinstance(error, ControlError):
        return error
    if isinstance(error, Refused):
        return ControlError(_STATUS[error.reason], error.reason.value.replace(" ", "-"), str(error))
    if isinstance(error, LogFull):
        return ControlError(507, "disk-full", str(error))
    if isinstance(error, BodyUnreadable):
        return ControlError(410, "unreadable", str(error))
    if isinstance(error, LogError):
        return ControlError(503, "log", str(error))
    return None

"""Why an action was refused. The protocols map `Reason` to their reply codes."""

import enum


class Reason(enum.Enum):
    """What stands against it."""

    NONEXISTENT = "nonexistent"
    ALREADY_EXISTS = "already exists"
    CANNOT = "cannot"
    LIMIT = "limit"
    NO_PERMISSION = "no permission"
    OVER_QUOTA = "over quota"
    HAS_CHILDREN = "has children"


class Refused(Exception):
    """The action must not be done; str() is one sentence for a person. Nothing was appended."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason

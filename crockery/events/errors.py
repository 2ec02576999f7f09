"""What can be wrong with a log, in sentences a person can act on.

LogError
  + LogMissing      no such file
  + NotALog         the file is something else, or of a format this program does not know
  + LogLocked       another process has it open
  + LogDamaged      something before the durable end does not verify: `crockery repair` shows what
  + UnknownEvent    written by a newer program, and this one must not skip it
  + LogFull         no room for new bodies (or for anything)
  + LogFailed       a write or sync failed: the process must stop
  + BodyUnreadable  the body of one event is damaged, missing or erased
"""


class LogError(Exception):
    """Base of all: str() is one sentence saying what is wrong and what to do."""


class LogMissing(LogError):
    """There is no file at the path."""


class NotALog(LogError):
    """The file is not a Crockery log, or its major version is unknown."""


class LogLocked(LogError):
    """Another process holds the lock."""


class LogDamaged(LogError):
    """Records before the durable end do not verify."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class UnknownEvent(LogError):
    """An event type that this program does not know and that is not skippable."""


class LogFull(LogError):
    """The disk has no room for what was asked."""


class LogFailed(LogError):
    """A write or sync failed and what is on disk is not known: stop, loudly."""


class BodyUnreadable(LogError):
    """A body cannot be read; `reason` is "damaged", "missing" or "erased"."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(f"the body of event {number} is {reason}")
        self.number = number
        self.reason = reason

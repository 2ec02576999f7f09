"""What went wrong while a command was carried out, as the reply that tells it."""

import logging
import secrets
from typing import Final

from crockery.actions.errors import Reason, Refused
from crockery.events.errors import LogFull
from crockery.smtp.wire import Reply, replies

logger: Final = logging.getLogger(__name__)

_REFUSED: Final = {
    Reason.NONEXISTENT: replies.RECIPIENT_GONE,
    Reason.LIMIT: replies.MAILBOX_FULL,
    Reason.OVER_QUOTA: replies.MAILBOX_FULL,
    Reason.NO_PERMISSION: replies.REFUSED_CONTENT,
}


def reply_to(error: Exception) -> Reply:
    """The reply to the command that raised `error`; a defect of ours is logged under a reference which it shows."""
    if isinstance(error, LogFull):
        return replies.DISK_FULL
    if isinstance(error, Refused) and error.reason in _REFUSED:
        return _REFUSED[error.reason]
    reference = secrets.token_hex(4)
    logger.error("SMTP: internal error, reference %s", reference, exc_info=error)
    return replies.internal_error(reference)

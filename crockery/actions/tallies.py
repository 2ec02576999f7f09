"""Noting how secure connections were, for the reports that domains ask for."""

import logging
from collections.abc import Sequence
from typing import Final

from crockery.actions.store import Store
from crockery.events.errors import LogFull
from crockery.events.types import Event
from crockery.events.types.trust import TLS_JUDGED, TLSSession

logger: Final = logging.getLogger(__name__)


def note_sessions(store: Store, domain: str, sessions: Sequence[TLSSession]) -> None:
    """What came of dialling a recipient domain, once. On a full disk it is not counted: mail counts more."""
    if not sessions:
        return
    try:
        store.log.append([Event(TLS_JUDGED, {"domain": domain, "sessions": list(sessions)})])
    except LogFull as error:
        logger.info("a connection to %s is not tallied: %s", domain, error)

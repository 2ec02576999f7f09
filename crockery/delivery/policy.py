"""What a policy is: small checks in order, the first refusal counts; and one edit of the header."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from crockery.actions.store import Store
from crockery.delivery.envelope import Envelope
from crockery.delivery.header import Header
from crockery.projections.accounts import Forward
from crockery.projections.state import State
from crockery.smtp.wire import Mailbox, Reply

SenderCheck = Callable[[Store, Envelope], Reply | None]
RecipientCheck = Callable[[Store, Envelope, Mailbox], Reply | None]
ContentCheck = Callable[[Store, Envelope, Header], Reply | None]
HeaderEdit = Callable[[State, Header, int], bytes]
"""The header as it is kept; Unix seconds are now."""


class KeptBack(NamedTuple):
    """Why a message stays here that a forward would let go on."""

    why: str
    """A word for the log: "dmarc", "junk" ..."""
    reason: str
    """One sentence for the owner of the forward."""


class OnwardCheck(Protocol):
    """What stands against letting a message go on to another server; it then stays with the owner of the forward.

    The place for verdicts, which come with the trust in what comes in: Junk never goes on; and where the author's
    domain enforces DMARC and no aligned DKIM signature survives, the next server would refuse the message or take it
    for forged.
    """

    def __call__(self, store: Store, envelope: Envelope, header: Header, forward: Forward) -> KeptBack | None:
        """Why it must stay; None: nothing is against it."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one kind of port. `via` is how events name it."""

    via: str
    sender: tuple[SenderCheck, ...]
    recipient: tuple[RecipientCheck, ...]
    content: tuple[ContentCheck, ...]
    edit: HeaderEdit
    end: tuple[SenderCheck, ...] = ()
    """Once more when all is here: other sessions may have done something meanwhile."""
    onward: tuple[OnwardCheck, ...] = ()
    """Before a message goes on by a forward."""

    def check_sender(self, store: Store, envelope: Envelope) -> Reply | None:
        """What stands against MAIL, whose envelope has no recipients yet; None: nothing."""
        return _first(check(store, envelope) for check in self.sender)

    def check_recipient(self, store: Store, envelope: Envelope, recipient: Mailbox) -> Reply | None:
        """What stands against one more recipient; None: nothing."""
        return _first(check(store, envelope, recipient) for check in self.recipient)

    def check_content(self, store: Store, envelope: Envelope, header: Header) -> Reply | None:
        """What stands against the message, once its header is here; None: nothing."""
        return _first(check(store, envelope, header) for check in self.content)

    def check_end(self, store: Store, envelope: Envelope) -> Reply | None:
        """What stands against the whole, now that it is to be kept; None: nothing."""
        return _first(check(store, envelope) for check in self.end)

    def check_onward(self, store: Store, envelope: Envelope, header: Header, forward: Forward) -> KeptBack | None:
        """Why the message must not go on by this forward; None: it may."""
        found = (check(store, envelope, header, forward) for check in self.onward)
        return next((kept for kept in found if kept is not None), None)


def _first(refusals: Iterable[Reply | None]) -> Reply | None:
    return next((refusal for refusal in refusals if refusal is not None), None)

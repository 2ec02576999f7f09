"""What a policy is: small checks in order, the first refusal counts; and one edit of the header."""

from collections.abc import Callable
from dataclasses import dataclass

from crockery.delivery.envelope import Envelope
from crockery.delivery.header import Header
from crockery.projections.state import State
from crockery.smtp.wire import Mailbox, Reply

SenderCheck = Callable[[State, Envelope], Reply | None]
RecipientCheck = Callable[[State, Envelope, Mailbox], Reply | None]
ContentCheck = Callable[[State, Envelope, Header], Reply | None]
HeaderEdit = Callable[[State, Header, int], bytes]
"""The header as it is kept; Unix seconds are now."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one kind of port. `via` is how events name it."""

    via: str
    sender: tuple[SenderCheck, ...]
    recipient: tuple[RecipientCheck, ...]
    content: tuple[ContentCheck, ...]
    edit: HeaderEdit

    def check_sender(self, state: State, envelope: Envelope) -> Reply | None:
        """What stands against MAIL, whose envelope has no recipients yet; None: nothing."""
        for check in self.sender:
            refusal = check(state, envelope)
            if refusal is not None:
                return refusal
        return None

    def check_recipient(self, state: State, envelope: Envelope, recipient: Mailbox) -> Reply | None:
        """What stands against one more recipient; None: nothing."""
        for check in self.recipient:
            refusal = check(state, envelope, recipient)
            if refusal is not None:
                return refusal
        return None

    def check_content(self, state: State, envelope: Envelope, header: Header) -> Reply | None:
        """What stands against the message, once its header is here; None: nothing."""
        for check in self.content:
            refusal = check(state, envelope, header)
            if refusal is not None:
                return refusal
        return None

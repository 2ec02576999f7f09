"""A message as it comes in. Its header is held, checked and edited; the rest streams into the log.

Small mails, nearly all, are held whole and dealt with in one go. Invariants: at most `INTAKE_MAX_HEADER` and one part
of a body (1 MiB) are in memory; once something stands against the message, no more of it is kept.
"""

from typing import Final, NamedTuple

from crockery.actions.incoming import IncomingBody, ReceivedBody, received
from crockery.actions.store import Store
from crockery.delivery.envelope import Envelope
from crockery.delivery.header import Header, find_header_end
from crockery.delivery.policy import Policy
from crockery.limits import INTAKE_HOLD, INTAKE_MAX_HEADER, INTAKE_REPORT
from crockery.message.conversation import conversation
from crockery.message.dsn_parse import DeliveryReport, parse_dsn
from crockery.smtp.wire import Reply, replies

_PIECE: Final = 16 * 1024
"""Octets gathered before they go on, so that a peer who sends single octets costs no more than others."""


class Message(NamedTuple):
    """What came in, edited, and ready to be named by one event."""

    header: Header
    """As it came, before the edit."""
    body: ReceivedBody
    message_id: str
    eight_bit: bool
    keys: tuple[int, ...] = ()
    """Of its conversation."""
    report: DeliveryReport | None = None
    """What it says of mail that was sent, if it is a notice from another server."""


class Intake:
    """One message. `write` its octets as they come, then `finish`; or drop it at any time."""

    def __init__(self, store: Store, policy: Policy, envelope: Envelope) -> None:
        self._store = store
        self._policy = policy
        self._envelope = envelope
        self._held = bytearray()
        self._next_look = INTAKE_HOLD
        self._looked = 0
        self._header: Header | None = None
        self._message_id = ""
        self._keys: tuple[int, ...] = ()
        self._body: IncomingBody | None = None
        self._eight_bit = False
        self._report: bytearray | None = None  # the beginning of what may be a notice
        self.refusal: Reply | None = None
        """What stands against the message."""

    @property
    def is_large(self) -> bool:
        """Parts of it are in the log already, or will be."""
        return self._body is not None

    def write(self, data: bytes) -> None:
        """Add octets; raises LogFull."""
        if self.refusal is not None:
            return
        self._held += data
        if self._body is not None:
            if len(self._held) >= _PIECE:
                self._pass_on(self._body)
        elif len(self._held) > self._next_look:
            self._begin_streaming()

    def finish(self) -> Message | None:
        """The whole message; None: see `refusal`. Raises LogFull."""
        if self.refusal is not None:
            return None
        if self._body is None:
            return self._finish_small()
        self._pass_on(self._body)
        assert self._header is not None
        report = parse_dsn(bytes(self._report)) if self._report else None
        return Message(self._header, self._body.finish(), self._message_id, self._eight_bit, self._keys, report)

    def _finish_small(self) -> Message | None:
        data = bytes(self._held)
        end = find_header_end(data)
        header = Header(data if end is None else data[:end])
        edited = self._take_header(header)
        if edited is None:
            return None
        body = edited if end is None else edited + data[end:]
        report = parse_dsn(data) if self._may_report(header) else None
        return Message(header, received(body), self._message_id, not data.isascii(), self._keys, report)

    def _begin_streaming(self) -> None:
        held = self._held
        self._next_look = len(held) + INTAKE_HOLD
        end = find_header_end(held, self._looked)
        self._looked = len(held)
        if (len(held) if end is None else end) > INTAKE_MAX_HEADER:
            self.refusal = replies.HEADER_TOO_BIG
            self._held = bytearray()
        elif end is not None:
            header = Header(bytes(held[:end]))
            edited = self._take_header(header)
            if edited is None:
                self._held = bytearray()
                return
            self._eight_bit = not header.data.isascii()
            self._header = header
            self._body = IncomingBody(self._store)
            if self._may_report(header):
                self._report = bytearray()
            held[:end] = edited
            self._pass_on(self._body)

    def _take_header(self, header: Header) -> bytes | None:
        """The header as it is kept; None: something stands against it."""
        store = self._store
        self.refusal = self._policy.check_content(store, self._envelope, header)
        if self.refusal is not None:
            return None
        edited = self._policy.edit(store.state, header, store.now)
        final = header if edited is header.data or header.message_id else Header(edited)
        self._message_id = final.message_id
        self._keys = conversation(lambda name: next(iter(final.values(name)), None)).keys
        return edited

    def _pass_on(self, body: IncomingBody) -> None:
        data = bytes(self._held)
        self._held.clear()
        self._eight_bit = self._eight_bit or not data.isascii()
        if self._report is not None and len(self._report) < INTAKE_REPORT:
            self._report += data[: INTAKE_REPORT - len(self._report)]
        body.write(data)

    def _may_report(self, header: Header) -> bool:
        """Whether to look for what it says of mail of ours: notices come from strangers, and from nobody (RFC 3464)."""
        if self._envelope.reverse_path is not None or self._envelope.client.account:
            return False
        kinds = header.values(b"content-type")
        return any(b"report" in kind.lower() for kind in kinds) or header.count(b"x-failed-recipients") > 0

"""The trace fields on top of one recipient's copy (RFC 5321 §4.4): Return-Path, Delivered-To, Received.

None of them tells a recipient of another: the `for` clause names the one recipient, or is left out.
"""

from datetime import UTC, datetime

from crockery.delivery.envelope import Client, Envelope
from crockery.smtp.wire import Mailbox
from crockery.smtp.wire.received import (
    TlsFacts,
    render_delivered_to,
    render_received,
    render_return_path,
    with_keyword,
)


def protocol_keyword(envelope: Envelope) -> str:
    """The `with` keyword (RFC 3848, RFC 6531 §4.3), as ESMTPSA."""
    client = envelope.client
    return with_keyword(
        extended=client.extended,
        tls=bool(client.tls),
        authenticated=bool(client.account),
        smtputf8=envelope.smtputf8,
    )


def received_field(envelope: Envelope, hostname: str, number: int, now: int, recipient: Mailbox | None) -> bytes:
    """Received by `hostname` as event `number` at `now` (Unix seconds)."""
    client = envelope.client
    return render_received(
        helo=client.helo,
        peer_address=client.address,
        peer_name=None,
        by=hostname,
        with_protocol=protocol_keyword(envelope),
        tls=_tls_facts(client),
        message_id=str(number),
        recipient=recipient,
        when=datetime.fromtimestamp(now, UTC),
    )


def delivery_prefix(
    envelope: Envelope, hostname: str, number: int, now: int, recipient: Mailbox, delivered_to: Mailbox
) -> bytes:
    """All three for final delivery of mail to `recipient` into the mailbox of the account `delivered_to`."""
    return (
        render_return_path(envelope.reverse_path)
        + render_delivered_to(delivered_to)
        + received_field(envelope, hostname, number, now, recipient)
    )


def _tls_facts(client: Client) -> TlsFacts | None:
    """The suites of TLS 1.2 and 1.3 name their key size, or are ChaCha20's with 256."""
    if not client.tls:
        return None
    version, _, cipher = client.tls.partition(" ")
    return TlsFacts(version, cipher, 128 if "128" in cipher else 256)

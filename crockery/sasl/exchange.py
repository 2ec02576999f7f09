"""The base64 lines around a SASL exchange, the same in SMTP (RFC 4954 §4) and IMAP (RFC 9051 §6.2.2, RFC 4959)."""

import base64
import binascii

from crockery.sasl.mechanism import Failure, FailureKind, Mechanism, Step, malformed


class Exchange:
    """Drives one mechanism by lines as sent. Nothing is to be sent to it after an outcome."""

    def __init__(self, mechanism: Mechanism) -> None:
        self._mechanism = mechanism

    def begin(self, initial: bytes | None) -> Step:
        """The first step. `initial` is the initial response as sent: None if absent, `=` for an empty one."""
        if initial is None:
            return self._mechanism.step(None)
        return self._mechanism.step(b"") if initial == b"=" else self.respond(initial)

    def respond(self, line: bytes) -> Step:
        """The step after the client's line, without its CRLF: strict base64, or `*` to cancel."""
        if line == b"*":
            return Failure(FailureKind.CANCELLED, "the client cancelled")
        response = decode_base64(line)
        return malformed("not base64") if response is None else self._mechanism.step(response)


def decode_base64(text: bytes) -> bytes | None:
    """The octets of `text`, or None: RFC 4648 §3.5 with no blank, no foreign character and zero bits at the end."""
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return octets if base64.b64encode(octets) == text else None

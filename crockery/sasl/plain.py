"""PLAIN, RFC 4616: name and password in one message, in the clear, so only under TLS.

message = [authzid] UTF8NUL authcid UTF8NUL passwd
"""

from crockery.sasl.mechanism import Challenge, Credentials, Failure, FailureKind, Step, decode_text, malformed


class Plain:
    """The client speaks first and once. Acting for another (an `authzid` that is not the `authcid`) is refused."""

    def step(self, response: bytes | None) -> Step:
        """See `Mechanism.step`."""
        if response is None:
            return Challenge(b"")
        parts = response.split(b"\0")
        if len(parts) != 3:
            return malformed("not three fields")
        authzid = decode_text(parts[0]) if parts[0] else ""
        authcid, password = decode_text(parts[1]), decode_text(parts[2])
        if authzid is None or authcid is None or password is None:
            return malformed("a field is empty, too long or not UTF-8")
        if authzid not in ("", authcid):
            return Failure(FailureKind.REJECTED, "may not act for another", authcid)
        return Credentials(authzid, authcid, password)

"""LOGIN: name and password asked one after the other, in the clear, so only under TLS.

Never a standard (draft-murchison-sasl-login-00), but the only one that some Outlooks and printers know.
"""

from crockery.sasl.mechanism import Challenge, Credentials, Step, decode_text, malformed


class Login:
    """The server asks twice; an initial response is the name. The prompts are those that clients expect."""

    def __init__(self) -> None:
        self._user: str | None = None

    def step(self, response: bytes | None) -> Step:
        """See `Mechanism.step`."""
        if response is None:
            return Challenge(b"Username:")
        text = decode_text(response)
        if text is None:
            return malformed("empty, too long or not UTF-8")
        if self._user is None:
            self._user = text
            return Challenge(b"Password:")
        return Credentials("", self._user, text)

"""AUTH (RFC 4954): the SASL exchange on this connection, and the login that comes of it.

PLAIN and LOGIN serve account passwords and app passwords, SCRAM-SHA-256 app passwords alone (design §7). The same
answer comes for an unknown name as for a wrong password; `net.login` takes care of delays and bans.
"""

import secrets
from collections.abc import Callable
from typing import Final

from crockery.net.login import Login, Logins
from crockery.sasl import Challenge, Credentials, Exchange, Failure, FailureKind, Mechanism, Plain, ScramSha256, Step
from crockery.sasl import Login as LoginMechanism
from crockery.smtp.wire import Auth, AuthResponse, Reply, replies

MECHANISMS: Final = ("PLAIN", "LOGIN")
"""For account passwords and app passwords."""

SCRAM: Final = "SCRAM-SHA-256"

_FAILURES: Final = {
    FailureKind.MALFORMED: replies.AUTH_MALFORMED,
    FailureKind.CANCELLED: replies.AUTH_CANCELLED,
    FailureKind.REJECTED: replies.AUTH_FAILED,
}


class Authenticator:
    """AUTH on one connection. `login` is who it is, once a reply was 235; `failures` counts what was wrong."""

    def __init__(self, logins: Logins, peer: str) -> None:
        self.login: Login | None = None
        self.failures = 0
        self._logins = logins
        self._peer = peer
        self._exchange: Exchange | None = None
        self._mechanisms: dict[str, Callable[[], Mechanism]] = {
            SCRAM: self._scram,
            "PLAIN": Plain,
            "LOGIN": LoginMechanism,
        }

    async def begin(self, command: Auth) -> Reply:
        """AUTH, whose mechanism is SCRAM or one of MECHANISMS."""
        if self._logins.is_banned(self._peer):
            return replies.TOO_MANY_FAILED_LOGINS
        self._exchange = Exchange(self._mechanisms[command.mechanism]())
        return await self._take(self._exchange.begin(command.initial))

    async def respond(self, response: AuthResponse) -> Reply:
        """The client's line in the exchange."""
        assert self._exchange is not None
        return await self._take(self._exchange.respond(response.line))

    async def _take(self, step: Step) -> Reply:
        if isinstance(step, Challenge):
            return replies.challenge(step.encoded)
        self._exchange = None
        if isinstance(step, Failure):
            if step.kind is FailureKind.REJECTED:
                self._logins.scram_done(step.user, self._peer, False)
                self.failures += 1
            return _FAILURES[step.kind]
        if isinstance(step, Credentials):
            self.login = await self._logins.check(step.authcid, step.password, self._peer)
        else:
            self.login = self._logins.scram_done(step.user, self._peer, True)
        if self.login is not None:
            return replies.AUTHENTICATED
        self.failures += 1
        return replies.AUTH_FAILED

    def _scram(self) -> ScramSha256:
        nonce = secrets.token_urlsafe(18)
        return ScramSha256(self._logins.scram_secret, self._logins.scram_server_secret, nonce)

"""LOGIN, AUTHENTICATE and STARTTLS (RFC 9051 §6.2, RFC 4959 SASL-IR)."""

import base64
import secrets
from typing import Final

from crockery import limits
from crockery.imap.errors import Refusal, SessionLost
from crockery.imap.intake import read_line
from crockery.imap.session import Completed, Session
from crockery.imap.wire.access import Authenticate, Login, NoArguments, decode_sasl_line
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.framer import BEFORE_LOGIN, Framer
from crockery.imap.wire.parser import Command
from crockery.imap.wire.render import render_continuation, render_status
from crockery.imap.wire.response_codes import render_capability
from crockery.net.login import Login as GoodLogin
from crockery.sasl import Challenge, Credentials, Failure, FailureKind, Mechanism, Outcome, Plain, ScramSha256, Verified
from crockery.sasl import Login as LoginMechanism

WRONG: Final = "Name or password is wrong"
WRONG_FOR_SCRAM: Final = "SCRAM takes app passwords only, as name/phone: use PLAIN"


async def handle_login(session: Session, command: Command, arguments: Login) -> Completed:
    """Log in with a name and a password."""
    _require_secure(session)
    return _finish(session, await session.services.logins.check(arguments.user, arguments.password, session.peer))


async def handle_authenticate(session: Session, command: Command, arguments: Authenticate) -> Completed:
    """Log in by a SASL mechanism."""
    _require_secure(session)
    mechanism = _mechanism(session, arguments.mechanism)
    outcome = await _converse(session, command, mechanism, arguments.initial)
    logins = session.services.logins
    match outcome:
        case Credentials(authcid=name, password=password):
            return _finish(session, await logins.check(name, password, session.peer))
        case Verified(user=name):
            return _finish(session, logins.scram_done(name, session.peer, True))
        case Failure(kind=FailureKind.REJECTED, user=name):
            if name:
                logins.scram_done(name, session.peer, False)
            return _finish(session, None, WRONG if "/" in name else WRONG_FOR_SCRAM)
        case Failure(kind=FailureKind.CANCELLED):
            raise BadCommand("Authentication was cancelled", command.tag)
    raise BadCommand("Authentication exchange was malformed", command.tag)


async def handle_starttls(session: Session, command: Command, arguments: NoArguments) -> None:
    """Change to TLS. What came in the clear behind the command is dropped, unseen (RFC 9051 §11.1)."""
    if session.connection.tls:
        raise BadCommand("TLS is on already", command.tag)
    if session.framer.discard_buffer():
        session.services.tally.count("imap-starttls-injection")
    session.out.write(render_status(b"OK", "Begin TLS now", tag=command.tag))
    await session.out.flush()
    await session.connection.start_tls()
    session.framer = Framer(BEFORE_LOGIN)


def _require_secure(session: Session) -> None:
    if not session.connection.is_secure:
        raise Refusal("Passwords are taken over TLS only: use STARTTLS", b"PRIVACYREQUIRED")


def _mechanism(session: Session, name: str) -> Mechanism:
    logins = session.services.logins
    match name:
        case "PLAIN":
            return Plain()
        case "LOGIN":
            return LoginMechanism()
        case "SCRAM-SHA-256":
            return ScramSha256(logins.scram_secret, logins.scram_server_secret, secrets.token_urlsafe(18))
    raise Refusal("That mechanism is not offered", b"CANNOT")


async def _converse(session: Session, command: Command, mechanism: Mechanism, initial: bytes | None) -> Outcome:
    step = mechanism.step(initial)
    while isinstance(step, Challenge):
        session.out.write(render_continuation(base64.b64encode(step.data).decode("ascii")))
        response = decode_sasl_line(await read_line(session))
        if response is None:
            return Failure(FailureKind.CANCELLED, "the client cancelled")
        step = mechanism.step(response)
    return step


def _finish(session: Session, login: GoodLogin | None, wrong: str = WRONG) -> Completed:
    if login is None:
        session.failed_logins += 1
        session.services.tally.count("imap-login-failed")
        if session.failed_logins >= limits.IMAP_LOGIN_BAD_MAX:
            raise SessionLost("Too many failed logins")
        raise Refusal(wrong, b"AUTHENTICATIONFAILED")
    session.enter(login)
    return Completed("Logged in", render_capability(session.capabilities()))

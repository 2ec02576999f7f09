"""The decisions of an SMTP session: the reply to each command, and what happens for it. Knows no socket.

Invariant: a reply rests on nothing later than `position`; it may be sent when the log is durable up to there.
"""

import enum
from typing import Final

import trio

from crockery import limits
from crockery.actions.actor import Actor, the_server
from crockery.delivery.accept import Assistance, accept
from crockery.delivery.envelope import Client, Envelope
from crockery.delivery.inbound import INBOUND
from crockery.delivery.intake import Intake
from crockery.delivery.submission import SUBMISSION
from crockery.events.errors import LogFailed
from crockery.events.types.queue import RecipientOptions
from crockery.net.connection import Connection
from crockery.net.services import Services
from crockery.smtp.errors import reply_to
from crockery.smtp.login import MECHANISMS, SCRAM, Authenticator
from crockery.smtp.wire import (
    Answer,
    Auth,
    AuthResponse,
    DataChunk,
    DataEnd,
    DataStart,
    Hello,
    Mail,
    Offer,
    Quit,
    Rcpt,
    Reply,
    Reset,
    ServerProtocol,
    StartTLS,
    State,
    replies,
)

Question = Answer | Auth | AuthResponse | DataEnd | DataStart | Hello | Mail | Quit | Rcpt | Reset | StartTLS


class Role(enum.Enum):
    """What a port is for."""

    MX = "mx"
    SUBMISSION = "submission"


_POLICIES: Final = {Role.MX: INBOUND, Role.SUBMISSION: SUBMISSION}


class Session:
    """One session, over one connection, in one role."""

    def __init__(self, connection: Connection, services: Services, role: Role) -> None:
        self.role = role
        self.position = 0
        self.idle_commands = 0
        """Commands since the last mail, accepted recipients left out."""
        self.authenticator = Authenticator(services.logins, connection.peer)
        self._connection = connection
        self._services = services
        self._store = services.store
        self._policy = _POLICIES[role]
        self._assistance = services.shared(Assistance, Assistance)
        self._actor = the_server()
        self._envelope: Envelope | None = None
        self._intake: Intake | None = None
        self._failure: Reply | None = None  # why the message that is coming in will be refused at its end
        self._share = 0
        self.protocol = ServerProtocol(self.offer())

    def offer(self) -> Offer:
        """What is offered now: passwords only where nobody can listen, none to other servers."""
        settings = self._store.state.settings
        is_submission = self.role is Role.SUBMISSION
        has_scram = self._services.logins.offers_scram(self._connection.peer)
        mechanisms = (SCRAM, *MECHANISMS) if has_scram else MECHANISMS
        return Offer(
            hostname=settings.hostname,
            is_submission=is_submission,
            tls_active=bool(self._connection.tls),
            starttls=True,
            auth_mechs=mechanisms if is_submission and self._connection.is_secure else (),
            max_size=settings.number("max-message-size"),
            max_recipients=settings.number("max-recipients"),
            now=self._store.now,
        )

    def close(self) -> None:
        """The connection is at its end."""
        self._forget()

    async def answer(self, command: Question) -> Reply:
        """Carry out a command; returns its reply. Raises what `errors.reply_to` takes, LogFailed, PeerGone."""
        self.idle_commands += 1
        match command:
            case Answer(reply):
                return reply
            case Mail():
                return self._mail(command)
            case Rcpt():
                return self._rcpt(command)
            case DataStart():
                return self._data_start()
            case DataEnd():
                return self._data_end(command)
            case Hello():
                self._forget()
                return self.protocol.hello_reply(command)
            case Auth():
                return self._logged_in(await self.authenticator.begin(command))
            case AuthResponse():
                return self._logged_in(await self.authenticator.respond(command))
            case Reset():
                self._forget()
                return replies.OK
            case StartTLS():
                return replies.READY_FOR_TLS
            case Quit():
                return replies.BYE

    def _logged_in(self, reply: Reply) -> Reply:
        login = self.authenticator.login
        if reply is replies.AUTHENTICATED and login is not None:
            connection = self._connection
            self._actor = Actor(
                login.account, "submission", connection.peer, self._client().helo, connection.tls, login.app
            )
            self._rests_on(self._store.state.accounts.position)
        return reply

    # --- the envelope ---

    def _mail(self, command: Mail) -> Reply:
        envelope = Envelope(
            client=self._client(),
            reverse_path=command.reverse_path,
            size=command.size or 0,
            smtputf8=command.smtputf8,
            eight_bit=command.params.get("BODY", "").upper() == "8BITMIME",
            ret=command.ret,
            envid=command.envid,
            requiretls=command.requiretls,
        )
        if self._store.log.stalled:
            return replies.DISK_FULL
        self._rests_on(self._store.state.accounts.position)
        refusal = _set_times(envelope, command, self._store.now) or self._policy.check_sender(self._store, envelope)
        if refusal is not None:
            return self._refused("smtp-sender-refused", refusal)
        self._envelope = envelope
        return replies.SENDER_OK

    def _rcpt(self, command: Rcpt) -> Reply:
        envelope = self._envelope
        assert envelope is not None
        self._rests_on(self._store.state.accounts.position)
        refusal = self._policy.check_recipient(self._store, envelope, command.forward_path)
        if refusal is not None:
            return self._refused("smtp-recipient-refused", refusal)
        envelope.recipients.append(command.forward_path)
        options = _options(command)
        if options:
            envelope.options[str(command.forward_path)] = options
        self.idle_commands -= 1
        return replies.RECIPIENT_OK

    def _client(self) -> Client:
        hello, login = self.protocol.hello, self.authenticator.login
        return Client(
            address=self._connection.peer,
            helo=hello.name if hello else "",
            extended=hello is not None and hello.extended,
            tls=self._connection.tls,
            account=login.account if login else 0,
        )

    # --- the message ---

    def _data_start(self) -> Reply:
        assert self._envelope is not None
        self._intake = Intake(self._store, self._policy, self._envelope)
        return replies.START_INPUT

    async def take(self, chunk: DataChunk) -> None:
        """Octets of the message. What goes wrong here is told at its end."""
        self.idle_commands -= self.protocol.state is State.CHUNK  # so BDAT without octets counts, with them it does not
        intake = self._intake
        if intake is None:
            return
        try:
            await self._take_share(len(chunk.data))
            head = self._store.log.head
            intake.write(chunk.data)
            if intake.is_large and self._store.log.head != head:  # a part was written ahead: not faster than the disk
                await self._services.writer.wait_durable(self._store.log.head)
        except trio.TooSlowError:
            self._lose(replies.BUSY)
        except LogFailed:
            raise
        except Exception as error:
            self._lose(reply_to(error))

    def _lose(self, failure: Reply) -> None:
        self._failure = failure
        self._intake = None
        self._give_share()

    def _data_end(self, command: DataEnd) -> Reply:
        try:
            reply = command.refusal or self._failure or self._accept()
        finally:
            self._forget()
        if not reply.is_positive:
            return self._refused("smtp-message-refused", reply)
        self.idle_commands = 0
        return reply

    def _accept(self) -> Reply:
        intake, envelope = self._intake, self._envelope
        assert intake is not None and envelope is not None
        message = intake.finish()
        if message is None:
            assert intake.refusal is not None
            return intake.refusal
        outcome = accept(self._store, self._policy, self._actor, envelope, message, self._assistance)
        self._rests_on(self._store.log.head)
        return outcome if isinstance(outcome, Reply) else replies.accepted(outcome)

    def _forget(self) -> None:
        """The transaction is over."""
        self._envelope = self._intake = self._failure = None
        self._give_share()

    # --- what is shared ---

    async def _take_share(self, octets: int) -> None:
        octets = min(octets, limits.INTAKE_SHARE - self._share)
        if octets > 0:
            await self._services.budget.take(octets)
            self._share += octets

    def _give_share(self) -> None:
        if self._share:
            self._services.budget.give(self._share)
            self._share = 0

    def _rests_on(self, position: int) -> None:
        self.position = max(self.position, position)

    def _refused(self, kind: str, reply: Reply) -> Reply:
        if self.role is Role.MX:
            self._services.tally.count(kind)
        return reply


def _set_times(envelope: Envelope, command: Mail, now: int) -> Reply | None:
    """Until when the message is held (RFC 4865), and its deadline (RFC 2852); or what is wrong with them."""
    until = now + command.hold_for if command.hold_for is not None else command.hold_until
    if until is not None:
        if until <= now:
            return replies.HOLD_PAST
        if until > now + limits.SMTP_MAX_HOLD:
            return replies.hold_too_long(limits.SMTP_MAX_HOLD // 86400)
        envelope.hold_until, envelope.hold = until, command.hold
    deadline = command.deliver_by
    if deadline is not None:
        envelope.deadline, envelope.returns, envelope.traces = now + deadline.seconds, deadline.returns, deadline.traces
        if envelope.deadline <= envelope.hold_until:
            return replies.DEADLINE_FIRST
    return None


def _options(command: Rcpt) -> RecipientOptions:
    options: RecipientOptions = {}
    if command.notify:
        options["notify"] = list(command.notify)
    if command.orcpt:
        options["orcpt"] = command.orcpt
    return options

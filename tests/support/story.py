"""A person, her mail program and her server: the conversation about held mail as she lives through it.

    async with story(folder, clock, world) as anna:
        await anna.write("ben@shady.test")
        question = await anna.letter()
        await anna.answer(question, "yes please just send it")

She submits with smtplib and reads with imaplib, both over TLS, and gives commands as an administrator would. The clock
is Trio's mock clock at the pace of the real one, so that sockets work, and `days_pass` moves it, and the server's wall
clock with it: nothing in the server tells such days from others.
"""

import contextlib
import email
import email.policy
import email.utils
import imaplib
import json
import smtplib
import time
from collections.abc import AsyncIterator, Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from crockery.app.outgoing import World
from crockery.projections.queue import QueuedMessage
from tests.support.commands import Result, crockery
from tests.support.server import PASSWORD, RunningServer, running_server
from tests.support.waiting import PATIENCE, until

DAY = 86_400.0  # seconds


class Person:
    """Who writes, and is asked."""

    def __init__(self, here: RunningServer, clock: MockClock, name: str) -> None:
        self.here = here
        self.address = f"{name}@example.test"
        self._name = name
        self._clock = clock
        self._read = 0
        self._written = 0

    # --- mail ---

    async def write(
        self, *recipients: str, subject: str = "", fields: Sequence[tuple[str, str]] = (), options: Sequence[str] = ()
    ) -> int:
        """Send a mail; its number in the queue. `options` go with MAIL."""
        self._written += 1
        mail = EmailMessage(policy=email.policy.SMTP)
        mail["From"] = f"Anna <{self.address}>"
        mail["To"] = ", ".join(recipients)
        mail["Subject"] = subject or f"Letter {self._written}"
        mail["Date"] = email.utils.formatdate(self.here.store.now)
        mail["Message-ID"] = f"<letter{self._written}@example.test>"
        for name, value in fields:
            mail[name] = value
        mail.set_content(f"Dear friends,\n\nthis is letter {self._written}.\n")
        known = set(self._queue())
        await self.submit(mail, recipients, options)
        (number,) = set(self._queue()) - known
        return number

    async def submit(self, mail: EmailMessage, recipients: Sequence[str], options: Sequence[str] = ()) -> None:
        """Hand a mail in as her program does. Raises what smtplib raises."""

        def send() -> None:
            with smtplib.SMTP("127.0.0.1", self.here.ports["submission"], timeout=PATIENCE) as client:
                client.starttls(context=self.here.client_context)
                client.login(self._name, PASSWORD)
                client.sendmail(self.address, list(recipients), mail.as_bytes(), mail_options=options)

        await trio.to_thread.run_sync(send)

    async def letter(self) -> EmailMessage:
        """The next mail in her INBOX that she has not read yet, waited for."""
        await until(lambda: self._count() > self._read, "a letter")

        def read() -> bytes:
            with imaplib.IMAP4_SSL("127.0.0.1", self.here.ports["imaps"], ssl_context=self.here.client_context) as box:
                box.login(self._name, PASSWORD)
                box.select("INBOX")
                _, found = box.fetch(str(self._read + 1), "(BODY[])")
                assert isinstance(found[0], tuple)
                return found[0][1]

        data = await trio.to_thread.run_sync(read)
        self._read += 1
        return email.message_from_bytes(data, policy=email.policy.default)

    def skip(self) -> None:
        """All that is in her INBOX she has read before."""
        self._read = self._count()

    @property
    def has_read_all(self) -> bool:
        """There is nothing new in her INBOX."""
        return self._count() == self._read

    @property
    def has_mail(self) -> bool:
        """There is something in her INBOX."""
        return self._count() > 0

    async def answer(self, letter: EmailMessage, text: str) -> EmailMessage:
        """Answer a letter as mail programs do, above what it said; what comes back."""
        await self.submit(reply(letter, text, self.address), [address_of(letter["Reply-To"])])
        return await self.letter()

    def _count(self) -> int:
        account = self.here.store.state.accounts.find(self._name)
        assert account is not None
        box = self.here.store.state.mailboxes.find(account.id, "INBOX")
        assert box is not None
        return len(box.columns.number)

    # --- the queue ---

    def queued(self, number: int) -> QueuedMessage:
        """The message, gone or not."""
        message = self.here.store.state.queue.find(number)
        assert message is not None
        return message

    def state(self, number: int) -> str:
        """Of the first recipient."""
        return self.queued(number).recipients[0].state.name

    async def delivered(self, number: int) -> None:
        """Until the first recipient's server has taken it."""
        await until(lambda: self.state(number) == "DELIVERED", f"message {number} to leave")

    async def tried(self, number: int, times: int = 1) -> None:
        """Until the first recipient was tried so often."""
        await until(lambda: self.queued(number).recipients[0].attempts >= times, f"attempt {times}")

    def _queue(self) -> list[int]:
        queue = self.here.store.state.queue
        return [*queue.by_id, *queue.finished]

    # --- the administrator, and time ---

    async def command(self, *words: str) -> str:
        """What `crockery WORDS` prints."""

        def give() -> Result:
            return crockery(*words, log=self.here.path)

        result = await trio.to_thread.run_sync(give)
        assert result.code == 0, result.err
        return result.out

    async def grants(self) -> list[dict[str, Any]]:
        """What `crockery whitelist tls list` has."""
        listed = json.loads(await self.command("whitelist", "tls", "list", "--json"))
        items: list[dict[str, Any]] = listed["items"]
        return items

    async def days_pass(self, days: float) -> None:
        """Time goes by, and what came due in it is done. Nothing is under way when it begins: all would time out."""
        await until(self._is_quiet, "the queue to be quiet")
        self._clock.jump(days * DAY)
        await wait_all_tasks_blocked(0.01)  # who waited for a time within it has had a turn
        await until(self._is_quiet, "the queue to be quiet")

    def _is_quiet(self) -> bool:
        now, queue = self.here.store.now, self.here.store.state.queue
        return not queue.in_flight and all(
            r.next > now for message in queue.by_id.values() if not queue.stands_still(message) for r in message.waiting
        )

    async def minute_passes(self) -> None:
        """Long enough that no connection is kept."""
        await self.days_pass(60 / DAY)


def reply(letter: EmailMessage, text: str, sender: str) -> EmailMessage:
    """An answer with the letter quoted below."""
    mail = EmailMessage(policy=email.policy.SMTP)
    mail["From"] = f"Anna <{sender}>"
    mail["To"] = letter["Reply-To"]
    mail["Subject"] = f"Re: {letter['Subject']}"
    mail["Message-ID"] = email.utils.make_msgid(domain="example.test")
    mail["In-Reply-To"] = letter["Message-ID"]
    mail["References"] = f"{letter.get('References', '')} {letter['Message-ID']}".strip()
    quoted = "".join(f"> {line}\n" for line in text_of(letter).splitlines())
    mail.set_content(f"{text}\n\nOn Sunday, Crockery wrote:\n\n{quoted}")
    return mail


def text_of(letter: EmailMessage) -> str:
    """The plain text."""
    part = letter.get_body(("plain",))
    assert part is not None
    text: str = part.get_content()
    return text


def words_of(letter: EmailMessage) -> str:
    """The plain text in one line."""
    return " ".join(text_of(letter).split())


def address_of(field: str) -> str:
    """The address in a field."""
    return email.utils.parseaddr(str(field))[1]


@contextlib.asynccontextmanager
async def story(folder: Path, clock: MockClock, world: World) -> AsyncIterator[Person]:
    """Anna, with her server running."""
    start = time.time_ns() // 1000

    def wall() -> int:
        return start + int(clock.current_time() * 1e6)

    async with running_server(folder, world=world, clock=wall) as here:
        yield Person(here, clock, "anna")

"""DKIM signatures on what leaves: mail whose From is ours, made by an account or by Crockery (RFC 6376).

A forward is not signed: its author's signature must stay the one that counts. An RSA signature takes a quarter of a
millisecond, in which a thread does not keep others from running: what is to be signed goes to one, some at a time,
and a small message is read there as well, while its envelope is being answered.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import trio

from crockery.actions.store import Store
from crockery.delivery.recipients import is_local_domain
from crockery.events.errors import BodyUnreadable
from crockery.limits import INTAKE_MAX_HEADER, QUEUE_PIECE, QUEUE_SIGNED
from crockery.message.addresses import AddressError, parse_mailboxes
from crockery.message.headers import header_length, read_fields, starts_header, unfold
from crockery.projections.queue import QueuedMessage
from crockery.smtp.wire import AddressError as BadDomain
from crockery.smtp.wire import parse_domain
from crockery.trust.dkim import BodyHash, SigningKey, load_key, sign


class Signer:
    """Signs with the keys in the log; they are read once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys: dict[int, SigningKey] = {}

    def __call__(self, message: QueuedMessage, pieces: Iterable[bytes]) -> bytes:
        """The DKIM-Signature fields for a message in pieces; b"" for none. Raises BodyUnreadable."""
        if message.origin == "forward" or not self._store.state.signing.keys:
            return b""
        header, body = b"", BodyHash()
        is_body = False
        for piece in pieces:
            if is_body:
                body.update(piece)
                continue
            header += piece
            end = header.find(b"\r\n\r\n")
            if end >= 0 or len(header) > INTAKE_MAX_HEADER or not starts_header(header[:1000]):
                length = header_length(header)
                body.update(header[length:])
                header, is_body = header[:length], True
        domain = self._author_domain(header)
        keys = self._keys_of(domain) if domain else []
        return sign(header, body.digest(), domain, keys, time=self._store.now) if keys else b""

    def _author_domain(self, header: bytes) -> str:
        """Our domain that the one From is of; "" where there is none."""
        value = read_fields(header).get(b"from")
        try:
            domains = {parse_domain(spec.rpartition("@")[2]) for spec in parse_mailboxes(unfold(value or b""))}
        except (AddressError, BadDomain):
            return ""
        domain = domains.pop() if len(domains) == 1 else ""
        return domain if domain and is_local_domain(self._store.state.settings, domain) else ""

    def _keys_of(self, domain: str) -> list[SigningKey]:
        found = []
        for key in self._store.state.signing.of_domain(domain):
            if key.id not in self._keys:
                try:
                    self._keys[key.id] = SigningKey(key.selector, load_key(self._store.log.read_body(key.id)))
                except (BodyUnreadable, ValueError):
                    continue
            found.append(self._keys[key.id])
        return found


@dataclass(slots=True)
class _Job:
    """A message to be signed, and what came of it: a `sender.Signature`."""

    message: QueuedMessage
    pieces: Iterable[bytes]
    done: trio.Event = field(default_factory=trio.Event)
    signed: bytes = b""
    error: Exception | None = None

    async def fields(self) -> bytes:
        """The fields. Raises BodyUnreadable. `run` must be running."""
        await self.done.wait()
        if self.error is not None:
            raise self.error
        return self.signed


@dataclass(slots=True, frozen=True)
class _Large:
    """A message that takes long to read, signed when its signature is asked for: a `sender.Signature`."""

    signer: Callable[[QueuedMessage, Iterable[bytes]], bytes]
    message: QueuedMessage
    pieces: Iterable[bytes]

    async def fields(self) -> bytes:
        """The fields. Raises BodyUnreadable."""
        return await trio.to_thread.run_sync(self.signer, self.message, self.pieces)


class SigningTask:
    """A `sender.Sign`: has messages signed in a thread, those that came while it was busy several at once."""

    def __init__(self, signer: Callable[[QueuedMessage, Iterable[bytes]], bytes]) -> None:
        """`signer` is a Signer."""
        self._signer = signer
        self._waiting: deque[_Job] = deque()
        self._wake = trio.Event()

    def __call__(self, message: QueuedMessage, pieces: Iterable[bytes]) -> _Job | _Large:
        """Begin to sign a message in pieces."""
        if message.size > QUEUE_PIECE:  # those behind it need not wait for all of it to be read
            return _Large(self._signer, message, pieces)
        job = _Job(message, pieces)
        self._waiting.append(job)
        self._wake.set()
        return job

    async def run(self) -> None:
        """Sign until cancelled."""
        while True:
            await self._wake.wait()
            self._wake = trio.Event()
            while self._waiting:
                jobs = [self._waiting.popleft() for _ in range(min(len(self._waiting), QUEUE_SIGNED))]
                await trio.to_thread.run_sync(self._sign, jobs)
                for job in jobs:
                    job.done.set()

    def _sign(self, jobs: Iterable[_Job]) -> None:
        for job in jobs:
            try:
                job.signed = self._signer(job.message, job.pieces)
            except Exception as error:
                job.error = error

"""DKIM signatures on what leaves: mail whose From is ours, made by an account or by Crockery (RFC 6376).

A forward is not signed: its author's signature must stay the one that counts.
"""

from collections.abc import Iterable
from typing import Final

from crockery.actions.store import Store
from crockery.delivery.recipients import is_local_domain
from crockery.events.errors import BodyUnreadable
from crockery.message.addresses import AddressError, parse_mailboxes
from crockery.message.headers import header_length, read_fields, starts_header, unfold
from crockery.projections.queue import QueuedMessage
from crockery.smtp.wire import AddressError as BadDomain
from crockery.smtp.wire import parse_domain
from crockery.trust.dkim import BodyHash, SigningKey, load_key, sign

_HEADER_MOST: Final = 1024 * 1024
"""Octets of a header; whoever submits more is refused."""


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
            if end >= 0 or len(header) > _HEADER_MOST or not starts_header(header[:1000]):
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

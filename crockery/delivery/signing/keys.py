"""The keys that mail of ours is signed with: where they are is in a projection, what they are in the log."""

from collections.abc import Iterable
from contextlib import suppress

from crockery.actions.store import Store
from crockery.delivery.recipients import is_local_domain
from crockery.delivery.signing.signature import signature_of
from crockery.events.errors import BodyUnreadable
from crockery.projections.queue import QueuedMessage
from crockery.projections.signing import DKIMKey
from crockery.trust.dkim import SigningKey, load_key


class Signer:
    """Signs with the keys in the log; they are read once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._loaded: dict[int, SigningKey] = {}

    def signs(self, message: QueuedMessage) -> bool:
        """Whether a message may get a signature at all."""
        return message.origin != "forward" and bool(self._store.state.signing.keys)

    def sign(self, pieces: Iterable[bytes], now: int) -> bytes:
        """The DKIM-Signature fields for a message in pieces; b"" for none. Raises BodyUnreadable. For a thread."""
        keys: dict[str, list[SigningKey]] = {}
        for key in self.known():
            with suppress(BodyUnreadable, ValueError):
                if key.id not in self._loaded:
                    self._loaded[key.id] = SigningKey(key.selector, load_key(self.octets(key)))
                keys.setdefault(key.domain, []).append(self._loaded[key.id])
        return signature_of(pieces, keys, now)

    def known(self) -> list[DKIMKey]:
        """The keys of the domains that are ours now."""
        state = self._store.state
        return [key for key in state.signing.keys.values() if is_local_domain(state.settings, key.domain)]

    def octets(self, key: DKIMKey) -> bytes:
        """A key as the log has it. Raises BodyUnreadable."""
        return self._store.log.read_body(key.id)

    @property
    def now(self) -> int:
        """The time of signatures, Unix seconds."""
        return self._store.now

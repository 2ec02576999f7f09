"""Actions on the keys that our mail is signed with, and the one that forwarded mail comes back by."""

import secrets
from typing import Final, NamedTuple

from crockery.actions.actor import Actor, the_server
from crockery.actions.store import Store
from crockery.events.body import compress_body
from crockery.events.types.trust import DKIM_KEY_ADDED, SRS_KEY_ADDED

_SRS_KEY_SIZE: Final = 32


class NewDKIMKey(NamedTuple):
    """A selector, the private key as PKCS #8 DER, and the TXT record to publish."""

    selector: str
    private: bytes
    record: str


def add_dkim_keys(store: Store, actor: Actor, domain: str, *keys: NewDKIMKey) -> None:
    """From now on mail of our domain is signed with these too. Raises LogFull."""
    atom = store.atom(actor)
    for key in keys:
        facts = {"by": atom.by, "domain": domain, "selector": key.selector, "record": key.record}
        atom.add(DKIM_KEY_ADDED, facts, compress_body(key.private))
    atom.commit()


def ensure_srs_key(store: Store) -> bytes:
    """The key that reverse-paths of forwarded mail are made with; a fresh one if there was none. Raises LogFull."""
    number = store.state.signing.srs_key
    if number:
        return store.log.read_body(number)
    key = secrets.token_bytes(_SRS_KEY_SIZE)
    atom = store.atom(the_server())
    atom.add(SRS_KEY_ADDED, {"by": atom.by}, compress_body(key))
    atom.commit()
    return key

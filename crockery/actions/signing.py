"""Actions on the keys that our mail is signed with."""

from typing import NamedTuple

from crockery.actions.actor import Actor
from crockery.actions.store import Store
from crockery.events.body import compress_body
from crockery.events.types.trust import DKIM_KEY_ADDED


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

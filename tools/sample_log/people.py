"""Of the sample log: settings, accounts, quotas, keys, and the server itself."""

from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from crockery.actions import accounts, quota, server, settings
from crockery.actions.actor import the_server
from crockery.actions.signing import NewDKIMKey, add_dkim_keys
from crockery.actions.store import Store
from crockery.events.body import compress_body
from crockery.events.types.trust import SRS_KEY_ADDED
from crockery.projections.quota import Quota
from crockery.sasl import ScramSecret
from crockery.trust.dkim.record import render_record

BEGUN: Final = 1_767_225_600_000_000  # 2026-01-01
KEPT_TAIL: Final = "tail-1234-5"
DOMAIN: Final = "example.test"


def fill(store: Store) -> None:
    """Postmaster, anna and ben, and all that is said of them."""
    _accounts(store)
    _passwords(store)
    _quotas(store)
    _keys(store)
    server.tally(store, BEGUN // 1_000_000, {"refused": 3})
    server.note_cut_tail(store, 1234, 56, KEPT_TAIL)
    store.log.commit()


def _accounts(store: Store) -> None:
    me = the_server()
    settings.change_setting(store, me, "domain", DOMAIN)
    settings.change_setting(store, me, "hostname", "mail.example.test")
    settings.change_setting(store, me, "retention-days", 7)
    accounts.add_account(store, me, "postmaster", "$argon2id$one", postmaster=True)
    accounts.add_account(store, me, "anna", "$argon2id$two")
    accounts.add_account(store, me, "ben", "$argon2id$three")
    server.start(store, "0.1", server.Place("machine", 1, 2))
    store.log.commit()
    accounts.add_alias(store, me, "team", ["anna", "ben"])
    accounts.add_alias(store, me, "gone", ["anna"])
    accounts.remove_alias(store, me, "gone")
    accounts.set_wildcard(store, me, "ben")
    accounts.set_forward(store, me, "anna", "anna@example.net", keep=True)
    accounts.disable_account(store, me, "ben")


def _passwords(store: Store) -> None:
    me = the_server()
    accounts.set_password(store, me, "anna", "$argon2id$four")
    secret = ScramSecret(b"salt" * 4, 4096, b"s" * 32, b"k" * 32)
    phone = accounts.add_app_password(store, me, "anna", "phone", secret)
    accounts.note_app_password_used(store, me, phone.id, "192.0.2.7")
    accounts.add_app_password(store, me, "anna", "lost", secret)
    accounts.remove_app_password(store, me, "anna", "lost")


def _quotas(store: Store) -> None:
    anna = accounts.existing_account(store, "anna")
    quota.set_quota(store, the_server(), anna, Quota(1_000_000_000, 5))
    quota.set_quota(store, the_server(), anna, Quota(1_000_000_000, 1000))
    quota.note_told(store, anna.id, 80)


def _keys(store: Store) -> None:
    """A certificate, and keys that are the same in each run."""
    certificate = server.NewCertificate("self-signed", ["mail.example.test"], BEGUN // 1_000_000, "ab:cd", b"PEM")
    server.install_certificate(store, certificate)
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    add_dkim_keys(store, the_server(), DOMAIN, NewDKIMKey("ed2026jan", private, render_record(key)))
    atom = store.atom(the_server())  # as `ensure_srs_key` does, whose key is random
    atom.add(SRS_KEY_ADDED, {"by": atom.by}, compress_body(bytes(range(32, 64))))
    atom.commit()

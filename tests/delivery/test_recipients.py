"""Whom mail to an address reaches, and which addresses an account may send as."""

from pathlib import Path

import pytest

from crockery.actions.store import Store
from crockery.delivery.recipients import is_local_domain, local_accounts, may_send_as
from crockery.events.types.accounts import ACCOUNT_REMOVED
from crockery.events.types.server import SETTING_CHANGED
from crockery.smtp.wire import parse_mailbox, parse_path
from tests.support.smtp_session import add_account, add_alias, change, make_store, set_wildcard


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """postmaster, anna, ben; sales@ is both, info@ is ben; anna+lists is an account of its own, ben+x an alias."""
    store = make_store(tmp_path / "x.crk")
    add_account(store, "anna+lists")
    add_alias(store, "sales", "anna", "ben")
    add_alias(store, "info", "ben")
    add_alias(store, "ben+x", "anna")
    change(store, SETTING_CHANGED, name="old-domains", value="old.test, Bücher.test", old="")
    return store


REACHED = {
    "name": ("anna@example.test", ["anna"]),
    "any case": ("ANNA@Example.TEST", ["anna"]),
    "quoted": ('"anna"@example.test', ["anna"]),
    "subaddress": ("anna+shop@example.test", ["anna"]),
    "subaddress, two plus signs": ("anna+shop+x@example.test", ["anna"]),
    "empty tag": ("anna+@example.test", ["anna"]),
    "a plus first": ("+anna@example.test", []),
    "an account before a subaddress": ("anna+lists@example.test", ["anna+lists"]),
    "an alias before a subaddress": ("ben+x@example.test", ["anna"]),
    "alias fans out": ("sales@example.test", ["anna", "ben"]),
    "subaddress of an alias": ("sales+de@example.test", ["anna", "ben"]),
    "postmaster": ("postmaster@example.test", ["postmaster"]),
    "Postmaster": ("PostMaster@example.test", ["postmaster"]),
    "abuse": ("abuse@example.test", ["postmaster"]),
    "old domain": ("anna@old.test", ["anna"]),
    "old domain beyond ASCII": ("anna@bücher.test", ["anna"]),
    "its A-labels": ("anna@xn--bcher-kva.test", ["anna"]),
    "nobody": ("nobody@example.test", []),
    "elsewhere": ("anna@other.test", None),
    "subdomain": ("anna@sub.example.test", None),
    "literal": ("anna@[127.0.0.1]", None),
}


@pytest.mark.parametrize("case", REACHED)
def test_local_accounts(store: Store, case: str) -> None:
    address, expected = REACHED[case]
    accounts = local_accounts(store.state, parse_mailbox(address))
    assert (None if accounts is None else [account.name for account in accounts]) == expected


def test_the_bare_postmaster(store: Store) -> None:
    mailbox, _ = parse_path("<PostMaster>")
    assert mailbox is not None
    assert [account.name for account in local_accounts(store.state, mailbox) or ()] == ["postmaster"]


def test_the_wildcard_shadows_nobody(store: Store) -> None:
    set_wildcard(store, "ben")
    for case, (address, expected) in REACHED.items():
        accounts = local_accounts(store.state, parse_mailbox(address))
        names = None if accounts is None else [account.name for account in accounts]
        assert names == (["ben"] if expected == [] else expected), case


def test_mail_of_a_removed_account_goes_nowhere(store: Store) -> None:
    anna = store.state.accounts.by_name["anna"]
    change(store, ACCOUNT_REMOVED, account=anna.id, name="anna", orphaned=b"")
    assert local_accounts(store.state, parse_mailbox("anna@example.test")) == []
    assert [a.name for a in local_accounts(store.state, parse_mailbox("sales@example.test")) or ()] == ["ben"]


MAY_SEND = {
    "anna": {
        "anna@example.test", "Anna+shop@example.test", "sales@example.test", "sales+x@example.test", "anna@old.test",
        "ben+x@example.test",
    },
    "ben": {
        "ben@example.test", "ben+y@example.test", "sales@example.test", "info@example.test", "sales+x@example.test",
    },
    "postmaster": {"postmaster@example.test", "abuse@example.test", "abuse+x@example.test"},
    "anna+lists": {"anna+lists@example.test"},
}  # fmt: skip
NOBODY = {"nobody@example.test", "anna@other.test", "anna@[127.0.0.1]", "+anna@example.test"}


@pytest.mark.parametrize("name", MAY_SEND)
def test_may_send_as(store: Store, name: str) -> None:
    account = store.state.accounts.by_name[name]
    everything = NOBODY.union(*MAY_SEND.values())
    assert {a for a in everything if may_send_as(store.state, account, parse_mailbox(a))} == MAY_SEND[name]


def test_the_wildcard_account_does_not_send_as_everybody(store: Store) -> None:
    set_wildcard(store, "ben")
    ben = store.state.accounts.by_name["ben"]
    assert not may_send_as(store.state, ben, parse_mailbox("nobody@example.test"))


def test_local_domains(store: Store) -> None:
    settings = store.state.settings
    assert is_local_domain(settings, "")
    assert is_local_domain(settings, "old.test")
    assert not is_local_domain(settings, "test")

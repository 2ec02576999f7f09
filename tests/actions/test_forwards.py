"""Mail that goes on elsewhere: by aliases, by an account's own forward; and the key its bounces are known by."""

from pathlib import Path

import pytest

from crockery.actions.accounts import add_account, add_alias, remove_account, remove_alias, set_forward, set_wildcard
from crockery.actions.actor import the_server
from crockery.actions.errors import Reason, Refused
from crockery.actions.settings import change_setting
from crockery.actions.signing import ensure_srs_key
from crockery.actions.store import Store
from tests.support.store import TestStore

SERVER = the_server()


@pytest.fixture
def kept(tmp_path: Path) -> TestStore:
    made = TestStore(tmp_path / "test.crk")
    change_setting(made.store, SERVER, "domain", "example.test")
    add_account(made.store, SERVER, "postmaster", postmaster=True)
    add_account(made.store, SERVER, "anna")
    add_account(made.store, SERVER, "ben")
    return made


def reach(store: Store, local_part: str) -> tuple[list[str], list[tuple[str, str, str]]]:
    """Accounts that keep it; who answers for a forward, its name here, and where it goes."""
    accounts = store.state.accounts
    found = accounts.reach(local_part)
    going = [(accounts.by_id[forward.account].name, forward.name, forward.address) for forward in found.forwards]
    return [account.name for account in found.accounts], going


def test_an_alias_may_lead_elsewhere(kept: TestStore) -> None:
    store = kept.store
    add_alias(store, SERVER, "info", ["anna", "Friend@Elsewhere.Example", "ben@example.test"])
    assert store.state.accounts.aliases["info"] == ["anna", "Friend@elsewhere.example", "ben"]
    there = ("postmaster", "info", "Friend@elsewhere.example")
    assert reach(store, "Info+x") == (["anna", "ben"], [there])
    assert [account.name for account in store.state.accounts.recipients("info")] == ["anna", "ben"]
    remove_account(store, SERVER, "anna")
    add_alias(store, SERVER, "out", ["friend@elsewhere.example"])
    set_wildcard(store, SERVER, "ben")
    kept.reopen()
    store = kept.store
    assert reach(store, "info") == (["ben"], [there])
    assert reach(store, "out") == ([], [("postmaster", "out", "friend@elsewhere.example")])
    assert store.state.accounts.recipients("out") == []
    remove_alias(store, SERVER, "out")
    assert reach(store, "out") == (["ben"], [])
    kept.close()


def test_an_account_lets_its_mail_go_on(kept: TestStore) -> None:
    store = kept.store
    add_alias(store, SERVER, "sales", ["anna", "ben"])
    set_forward(store, SERVER, "anna", "me@elsewhere.example")
    there = ("anna", "anna", "me@elsewhere.example")
    assert reach(store, "anna") == (["anna"], [there])
    set_forward(store, SERVER, "anna@example.test", "me@elsewhere.example", keep=False)
    head = kept.log.head
    set_forward(store, SERVER, "anna", "me@elsewhere.example", keep=False)
    assert kept.log.head == head
    kept.reopen()
    store = kept.store
    assert reach(store, "sales") == (["ben"], [there])
    assert [account.name for account in store.state.accounts.recipients("anna")] == ["anna"]
    set_forward(store, SERVER, "anna", "", keep=False)
    assert reach(store, "anna") == (["anna"], [])
    kept.close()


@pytest.mark.parametrize(
    ("address", "reason"),
    [("no address", Reason.CANNOT), ("@x.test", Reason.CANNOT), ("a b@x.test", Reason.CANNOT), ("", None),
     ("ben@example.test", Reason.CANNOT), ("ben@EXAMPLE.test", Reason.CANNOT), ("me@x\r\n.test", Reason.CANNOT)],
)  # fmt: skip
def test_where_mail_may_go_on_to(kept: TestStore, address: str, reason: Reason | None) -> None:
    if reason is None:
        set_forward(kept.store, SERVER, "anna", address)
        return
    with pytest.raises(Refused) as info:
        set_forward(kept.store, SERVER, "anna", address)
    assert info.value.reason is reason


def test_the_key_is_made_once(kept: TestStore) -> None:
    key = ensure_srs_key(kept.store)
    assert len(key) == 32
    head = kept.log.head
    kept.reopen()
    assert ensure_srs_key(kept.store) == key
    assert kept.log.head <= head + 1
    kept.close()

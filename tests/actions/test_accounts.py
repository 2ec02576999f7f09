"""Accounts, aliases, the wildcard, app passwords, settings: what may be done, and what then is."""

from collections.abc import Callable
from pathlib import Path

import msgpack
import pytest

from crockery.actions.accounts import (
    add_account,
    add_alias,
    add_app_password,
    disable_account,
    remove_account,
    remove_alias,
    remove_app_password,
    set_password,
    set_wildcard,
)
from crockery.actions.actor import Actor, the_server
from crockery.actions.errors import Reason, Refused
from crockery.actions.settings import CHECKS, change_setting
from crockery.actions.store import Store
from crockery.projections.settings import SETTINGS, Value
from crockery.sasl import scram_verifier
from tests.support.store import TestStore

SERVER = the_server()


@pytest.fixture
def kept(tmp_path: Path) -> TestStore:
    made = TestStore(tmp_path / "test.crk")
    store = made.store
    change_setting(store, SERVER, "domain", "example.test")
    add_account(store, SERVER, "postmaster", "$pm$", postmaster=True)
    add_account(store, SERVER, "anna", "$anna$")
    add_account(store, SERVER, "ben")
    return made


def _reach(store: Store, local_part: str) -> list[str]:
    return [account.name for account in store.state.accounts.recipients(local_part)]


@pytest.mark.parametrize("name", ["crockery", "Crockery", "crockery@example.test", "SRS0=x", "srs1=a=b"])
def test_names_that_the_server_uses_are_nobodys(kept: TestStore, name: str) -> None:
    words = "this server asks and is answered" if "=" not in name else "forwarded mail on its way back"
    with pytest.raises(Refused, match=words):
        add_account(kept.store, SERVER, name)
    with pytest.raises(Refused, match=words):
        add_alias(kept.store, SERVER, name, ["anna"])
    kept.close()


def test_a_new_account_has_its_mailboxes_and_its_password(kept: TestStore) -> None:
    account = add_account(kept.store, SERVER, "Carla.Müller", "$phc$")
    assert account.name == "carla.müller"
    boxes = kept.store.state.mailboxes.of_account(account.id)
    uses = {name: box.special_use for name, box in boxes.items()}
    assert uses == {
        "INBOX": None, "Drafts": "\\Drafts", "Sent": "\\Sent", "Junk": "\\Junk", "Trash": "\\Trash",
        "Archive": "\\Archive",
    }  # fmt: skip
    assert kept.store.state.mailboxes.subscriptions[account.id] == set(boxes)
    assert len({box.uidvalidity for box in boxes.values()}) == 6
    assert kept.log.read_body(account.password) == b"$phc$"
    kept.reopen()
    assert kept.store.state.accounts.find("CARLA.müller") is not None
    kept.close()


Act = Callable[[Store], object]

REFUSED: list[tuple[str, Act, Reason]] = [
    ("again", lambda s: add_account(s, SERVER, "ANNA"), Reason.ALREADY_EXISTS),
    ("empty name", lambda s: add_account(s, SERVER, ""), Reason.CANNOT),
    ("plus", lambda s: add_account(s, SERVER, "anna+tag"), Reason.CANNOT),
    ("slash", lambda s: add_account(s, SERVER, "anna/phone"), Reason.CANNOT),
    ("space", lambda s: add_account(s, SERVER, "an na"), Reason.CANNOT),
    ("quote", lambda s: add_account(s, SERVER, '"anna"'), Reason.CANNOT),
    ("line end", lambda s: add_account(s, SERVER, "anna\n"), Reason.CANNOT),
    ("dots", lambda s: add_account(s, SERVER, "a..b"), Reason.CANNOT),
    ("long", lambda s: add_account(s, SERVER, "a" * 65), Reason.LIMIT),
    ("abuse", lambda s: add_account(s, SERVER, "abuse"), Reason.CANNOT),
    ("second postmaster", lambda s: add_account(s, SERVER, "second", postmaster=True), Reason.ALREADY_EXISTS),
    ("remove nobody", lambda s: remove_account(s, SERVER, "nobody"), Reason.NONEXISTENT),
    ("remove postmaster", lambda s: remove_account(s, SERVER, "postmaster"), Reason.CANNOT),
    ("disable nobody", lambda s: disable_account(s, SERVER, "nobody"), Reason.NONEXISTENT),
    ("password of nobody", lambda s: set_password(s, SERVER, "nobody", "$x$"), Reason.NONEXISTENT),
    ("alias hides account", lambda s: add_alias(s, SERVER, "Anna", ["ben"]), Reason.ALREADY_EXISTS),
    ("alias hides postmaster", lambda s: add_alias(s, SERVER, "abuse", ["ben"]), Reason.CANNOT),
    ("alias to nobody", lambda s: add_alias(s, SERVER, "info", ["anna", "nobody"]), Reason.NONEXISTENT),
    ("alias to none", lambda s: add_alias(s, SERVER, "info", []), Reason.CANNOT),
    ("no such alias", lambda s: remove_alias(s, SERVER, "info"), Reason.NONEXISTENT),
    ("wildcard to nobody", lambda s: set_wildcard(s, SERVER, "nobody"), Reason.NONEXISTENT),
    ("no such app password", lambda s: remove_app_password(s, SERVER, "anna", "phone"), Reason.NONEXISTENT),
    ("unknown setting", lambda s: change_setting(s, SERVER, "colour", "red"), Reason.NONEXISTENT),
    ("no domain", lambda s: change_setting(s, SERVER, "domain", None), Reason.CANNOT),
]


@pytest.mark.parametrize(("act", "reason"), [pytest.param(act, reason, id=name) for name, act, reason in REFUSED])
def test_refused_before_anything_happens(kept: TestStore, act: Act, reason: Reason) -> None:
    head = kept.log.head
    with pytest.raises(Refused) as raised:
        act(kept.store)
    assert raised.value.reason is reason
    assert kept.log.head == head
    kept.close()


def test_aliases_reach_one_or_many_and_never_shadow(kept: TestStore) -> None:
    store = kept.store
    add_alias(store, SERVER, "Info", ["anna", "BEN", "anna"])
    assert _reach(store, "INFO+news") == ["anna", "ben"]
    with pytest.raises(Refused, match="is an alias"):
        add_account(store, SERVER, "info")
    head = kept.log.head
    add_alias(store, SERVER, "info", ["anna", "ben"])
    assert kept.log.head == head, "no change, no event"
    remove_account(store, SERVER, "anna")
    assert _reach(store, "info") == ["ben"]
    add_account(store, SERVER, "anna")
    assert _reach(store, "info") == ["ben"], "a new anna does not get the old one's mail"
    remove_account(store, SERVER, "ben")
    assert "info" not in store.state.accounts.aliases
    kept.close()


def test_the_wildcard_takes_what_nobody_does(kept: TestStore) -> None:
    store = kept.store
    set_wildcard(store, SERVER, "ben")
    assert _reach(store, "whoever") == ["ben"]
    assert _reach(store, "anna") == ["anna"]
    assert _reach(store, "abuse") == ["postmaster"]
    set_wildcard(store, SERVER, None)
    assert _reach(store, "whoever") == []
    set_wildcard(store, SERVER, "ben")
    remove_account(store, SERVER, "ben")
    assert _reach(store, "whoever") == []
    kept.close()


def test_app_passwords_have_labels(kept: TestStore) -> None:
    secret = scram_verifier("password", b"0123456789abcdef")
    app = add_app_password(kept.store, SERVER, "anna", "Phone", secret)
    assert app.label == "phone"
    assert msgpack.unpackb(kept.log.read_body(app.id)) == {
        "salt": secret.salt, "iterations": secret.iterations, "stored_key": secret.stored_key,
        "server_key": secret.server_key,
    }  # fmt: skip
    with pytest.raises(Refused, match="already"):
        add_app_password(kept.store, SERVER, "anna", "PHONE", secret)
    for label in ("", "a b", "a/b", "x" * 33, "ph\none"):
        with pytest.raises(Refused, match="a label is"):
            add_app_password(kept.store, SERVER, "anna", label, secret)
    remove_app_password(kept.store, SERVER, "anna", "PHONE")
    account = kept.store.state.accounts.find("anna")
    assert account is not None and not account.app_passwords
    kept.close()


def test_who_did_it_is_known(kept: TestStore) -> None:
    actor = Actor(0, "control", "socket")
    disable_account(kept.store, actor, "anna")
    disable_account(kept.store, actor, "ben")
    assert actor.number and kept.store.state.sessions.by_id[actor.number]["protocol"] == "control"
    assert len(kept.store.state.sessions.by_id) == 1, "one session, two events"
    head = kept.log.head
    disable_account(kept.store, actor, "ben")
    assert kept.log.head == head
    kept.close()


def test_every_setting_has_a_check_that_takes_its_default() -> None:
    assert set(CHECKS) == {setting.name for setting in SETTINGS}
    for setting in SETTINGS:
        if setting.default is not None:
            assert CHECKS[setting.name](setting.default) == setting.default


@pytest.mark.parametrize(
    ("name", "value", "kept_as"),
    [
        pytest.param("domain", " Example.ORG. ", "example.org", id="domain"),
        pytest.param("domain", "bücher.example", "xn--bcher-kva.example", id="idn"),
        pytest.param("hostname", "mx", "mx", id="one label"),
        pytest.param("max-message-size", "25M", 25 * 1024 * 1024, id="size"),
        pytest.param("max-message-size", "25 MiB", 25 * 1024 * 1024, id="size in words"),
        pytest.param("retention-days", "0", 0, id="zero"),
        pytest.param("max-recipients", 200, 200, id="number"),
        pytest.param("old-domains", "b.example, A.example,b.example", "b.example,a.example", id="domains"),
    ],
)
def test_settings_as_kept(kept: TestStore, name: str, value: Value, kept_as: Value) -> None:
    assert change_setting(kept.store, SERVER, name, value) == kept_as
    assert kept.store.state.settings.get(name) == kept_as
    kept.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("domain", "", id="empty"),
        pytest.param("domain", "a..b", id="empty label"),
        pytest.param("domain", "-a.example", id="hyphen"),
        pytest.param("domain", "a" * 64 + ".example", id="long label"),
        pytest.param("domain", ".".join(["abcdefg"] * 40), id="long"),
        pytest.param("domain", "a_b.example", id="underscore"),
        pytest.param("domain", "ex\nample.org", id="line end"),
        pytest.param("max-message-size", "1", id="too small"),
        pytest.param("max-message-size", "1000M", id="too large"),
        pytest.param("max-message-size", "lots", id="word"),
        pytest.param("retention-days", "-1", id="negative"),
        pytest.param("retention-days", True, id="truth"),
        pytest.param("old-domains", "a.example,!!", id="one of them wrong"),
    ],
)
def test_settings_refused(kept: TestStore, name: str, value: Value) -> None:
    with pytest.raises(Refused):
        change_setting(kept.store, SERVER, name, value)
    kept.close()


def test_the_old_domain_is_still_received(kept: TestStore) -> None:
    store = kept.store
    change_setting(store, SERVER, "domain", "two.example")
    change_setting(store, SERVER, "domain", "three.example")
    assert store.state.settings.domains == {"example.test", "two.example", "three.example"}
    assert store.state.settings.hostname == "example.test", "its name does not change with it"
    change_setting(store, SERVER, "domain", "example.test")
    assert store.state.settings.domains == {"example.test", "two.example", "three.example"}
    assert store.state.settings.text("old-domains") == "two.example,three.example"
    change_setting(store, SERVER, "old-domains", "default")
    assert store.state.settings.domains == {"example.test"}
    kept.close()

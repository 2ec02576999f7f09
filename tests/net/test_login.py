"""Logins: who may in, what is remembered, and that guessing is slow."""

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from crockery import limits
from crockery.actions.accounts import (
    add_account,
    add_app_password,
    disable_account,
    remove_account,
    remove_app_password,
    set_password,
)
from crockery.actions.actor import the_server
from crockery.actions.errors import Refused
from crockery.actions.settings import change_setting
from crockery.net.login import Login, Logins
from crockery.net.passwords import (
    Hashing,
    PasswordHasher,
    app_password_as_shown,
    app_password_secret,
    new_app_password,
)
from crockery.net.tally import Tally
from crockery.sasl import scram_verifier
from tests.support.store import TestStore

HOME = "192.0.2.7"
ELSEWHERE = "198.51.100.7"


class CountingHasher(PasswordHasher):
    """Cheap, and counts."""

    def __init__(self) -> None:
        super().__init__(Hashing(memory=8, passes=1))
        object.__setattr__(self, "verified", [])

    def verify(self, verifier: str, password: str) -> bool:
        self.verified.append(password)  # type: ignore[attr-defined]
        return super().verify(verifier, password)


class House:
    """A store with accounts, and the logins over it."""

    def __init__(self, path: Path) -> None:
        self.kept = TestStore(path)
        self.store = self.kept.store
        self.hasher = CountingHasher()
        self.tally = Tally(self.store)
        self.logins = Logins(self.store, self.tally, self.hasher)
        change_setting(self.store, the_server(), "domain", "example.test")
        self.anna = add_account(self.store, the_server(), "anna", self.hasher.hash("secret"))
        self.ben = add_account(self.store, the_server(), "ben")
        self.app_password = new_app_password()
        self.phone = add_app_password(self.store, the_server(), "anna", "phone", app_password_secret(self.app_password))

    @property
    def hashed(self) -> int:
        count: int = len(self.hasher.verified)  # type: ignore[attr-defined]
        return count


@pytest.fixture
async def house(tmp_path: Path) -> House:
    return House(tmp_path / "test.crk")


GOOD = [
    "anna", "ANNA", "anna@example.test", "Anna@Example.Test", "anna/phone", "ANNA/Phone", "anna@example.test/phone",
]  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
async def test_good_names(house: House, autojump_clock: MockClock, name: str) -> None:
    is_app = "/" in name
    password = house.app_password if is_app else "secret"
    login = await house.logins.check(name, password, HOME)
    assert login == Login(house.anna.id, "anna", house.phone.id if is_app else 0)


@pytest.mark.parametrize(
    ("name", "password"),
    [
        pytest.param("anna", "Secret", id="wrong"),
        pytest.param("anna", "", id="empty"),
        pytest.param("anna", "secret\0", id="control"),
        pytest.param("anna", "\ud800", id="surrogate"),
        pytest.param("anna@example.com", "secret", id="other domain"),
        pytest.param("anna@@example.test", "secret", id="two signs"),
        pytest.param("@example.test", "secret", id="no local part"),
        pytest.param("nobody", "secret", id="unknown"),
        pytest.param("ben", "", id="without a password"),
        pytest.param("", "", id="nothing"),
        pytest.param("anna/phone", "secret", id="account password for an app"),
        pytest.param("anna/tablet", "secret", id="unknown app"),
        pytest.param("anna/", "secret", id="empty label"),
    ],
)
async def test_bad_logins(house: House, autojump_clock: MockClock, name: str, password: str) -> None:
    assert await house.logins.check(name, password, HOME) is None
    if "/" not in name:
        assert house.hashed == 1, "unknown or not, it takes as long"


async def test_an_app_password_is_no_account_password(house: House, autojump_clock: MockClock) -> None:
    assert await house.logins.check("anna", house.app_password, HOME) is None


async def test_app_passwords_may_be_typed_otherwise(house: House, autojump_clock: MockClock) -> None:
    typed = house.app_password.replace("-", " ").upper()
    assert await house.logins.check("anna/phone", typed, HOME) is not None


def test_app_passwords_are_random_and_readable() -> None:
    made = {new_app_password() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        groups = password.split("-")
        assert [len(group) for group in groups] == [4] * 6
        assert password == password.lower() == app_password_as_shown(password)


async def test_a_good_login_is_remembered_until_the_password_changes(house: House, autojump_clock: MockClock) -> None:
    for _ in range(5):
        assert await house.logins.check("anna", "secret", HOME) is not None
    assert house.hashed == 1
    set_password(house.store, the_server(), "anna", house.hasher.hash("other"))
    assert await house.logins.check("anna", "secret", HOME) is None
    assert await house.logins.check("anna", "other", HOME) is not None
    assert house.hashed == 3


async def test_a_good_login_is_forgotten_after_some_minutes(house: House, autojump_clock: MockClock) -> None:
    await house.logins.check("anna", "secret", HOME)
    await trio.sleep(limits.LOGIN_CACHE + 1)
    assert await house.logins.check("anna", "secret", HOME) is not None
    assert house.hashed == 2


async def test_disabled_and_removed_accounts_are_out_at_once(house: House, autojump_clock: MockClock) -> None:
    assert await house.logins.check("anna", "secret", HOME) is not None
    disable_account(house.store, the_server(), "anna")
    assert await house.logins.check("anna", "secret", HOME) is None
    assert await house.logins.check("anna/phone", house.app_password, HOME) is None
    disable_account(house.store, the_server(), "anna", False)
    assert await house.logins.check("anna", "secret", HOME) is not None
    remove_account(house.store, the_server(), "anna")
    assert await house.logins.check("anna", "secret", HOME) is None


async def test_a_password_changed_while_it_is_checked_is_the_old_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = CountingHasher.verify

    def slow(self: CountingHasher, verifier: str, password: str) -> bool:
        trio.from_thread.run_sync(set_password, house.store, the_server(), "anna", self.hash("new"))
        return real(self, verifier, password)

    monkeypatch.setattr(CountingHasher, "verify", slow)
    assert await house.logins.check("anna", "secret", HOME) is None


async def test_the_same_wrong_password_again_is_no_guess(house: House, autojump_clock: MockClock) -> None:
    for _ in range(200):
        assert await house.logins.check("anna", "last year's", HOME) is None
    assert house.hashed == 1
    assert not house.logins.is_banned(HOME)


async def test_guessing_is_delayed_then_banned(house: House, autojump_clock: MockClock) -> None:
    begun = trio.current_time()
    for n in range(limits.BAN_FAILURES):
        assert not house.logins.is_banned(HOME)
        assert await house.logins.check("anna", f"guess {n}", HOME) is None
    assert trio.current_time() - begun > 60
    assert house.logins.is_banned(HOME)
    assert not house.logins.is_banned(ELSEWHERE)
    hashed = house.hashed
    assert await house.logins.check("anna", "secret", HOME) is None, "not even the right one"
    assert house.hashed == hashed
    assert house.tally.counts["login-wrong"] == limits.BAN_FAILURES
    assert house.tally.counts["network-banned"] == 1
    begun = trio.current_time()
    assert await house.logins.check("anna", "secret", ELSEWHERE) is not None, "the owner gets in"
    assert trio.current_time() - begun <= limits.ACCOUNT_DELAY_MAX + 0.1


async def test_guessing_all_at_once_gains_nothing(house: House, autojump_clock: MockClock) -> None:
    begun = trio.current_time()
    async with trio.open_nursery() as nursery:
        for n in range(limits.BAN_FAILURES):
            nursery.start_soon(house.logins.check, "anna", f"guess {n}", HOME)
    assert trio.current_time() - begun >= limits.DELAY_MAX
    assert house.logins.is_banned(HOME)


async def test_many_connections_of_one_client_share_one_check(house: House, autojump_clock: MockClock) -> None:
    found = []

    async def come() -> None:
        found.append(await house.logins.check("anna", "secret", HOME))

    async with trio.open_nursery() as nursery:
        for _ in range(30):
            nursery.start_soon(come)
    assert house.hashed == 1
    assert len(found) == 30 and None not in found


async def test_the_queue_for_hashing_is_short(
    house: House, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PASSWORD_QUEUE", 0)
    with pytest.raises(Refused):
        await house.logins.check("anna", "secret", HOME)


async def test_scram_is_for_app_passwords_alone(house: House, autojump_clock: MockClock) -> None:
    logins = house.logins
    secret = logins.scram_secret("anna@example.test/phone")
    assert secret is not None
    assert secret == scram_verifier(house.app_password, secret.salt, secret.iterations)
    for name in ("anna", "ben", "anna/tablet", "nobody/phone"):
        assert logins.scram_secret(name) is None
    assert logins.scram_done("anna/phone", HOME, True) == Login(house.anna.id, "anna", house.phone.id)
    assert logins.scram_done("anna", HOME, True) is None
    remove_app_password(house.store, the_server(), "anna", "phone")
    assert logins.scram_done("anna/phone", HOME, True) is None, "revoked in the middle"
    assert len(logins.scram_server_secret) == 32


async def test_scram_is_offered_where_it_is_of_use(house: House, autojump_clock: MockClock) -> None:
    logins = house.logins
    assert logins.offers_scram(HOME)
    for _ in range(limits.BAN_FAILURES):
        assert logins.scram_done("anna", HOME, False) is None
    assert not logins.offers_scram(HOME) and logins.offers_scram(ELSEWHERE)
    assert not logins.is_banned(HOME), "no guess"
    await trio.sleep(limits.WITHOUT_SCRAM)
    assert logins.offers_scram(HOME)
    remove_app_password(house.store, the_server(), "anna", "phone")
    assert not logins.offers_scram(HOME)


async def test_scram_failures_count(house: House, autojump_clock: MockClock) -> None:
    for _ in range(limits.BAN_FAILURES):
        house.logins.scram_done("anna/phone", HOME, False)
    assert house.logins.is_banned(HOME)


async def test_use_of_an_app_password_is_noted_once_an_hour(house: House, autojump_clock: MockClock) -> None:
    for _ in range(10):
        await house.logins.check("anna/phone", house.app_password, HOME)
    assert house.phone.last_peer == HOME
    head = house.store.log.head
    house.kept.clock.time += (limits.APP_PASSWORD_USE_NOTED - 60) * 1_000_000
    await house.logins.check("anna/phone", house.app_password, ELSEWHERE)
    assert house.store.log.head == head
    house.kept.clock.time += 61 * 1_000_000
    await house.logins.check("anna/phone", house.app_password, ELSEWHERE)
    assert house.store.log.head == head + 1
    assert house.phone.last_peer == ELSEWHERE


async def test_the_default_cost_is_what_the_design_says(tmp_path: Path) -> None:
    verifier = PasswordHasher().hash("secret")
    assert verifier.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert PasswordHasher().verify(verifier, "secret")
    assert not PasswordHasher().verify("nonsense", "secret")

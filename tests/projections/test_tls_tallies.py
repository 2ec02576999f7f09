"""Tallies for TLS-RPT: by day and policy, each session once, bounded, and the same after a replay and a snapshot."""

from pathlib import Path
from typing import Any

import msgpack
import pytest

from crockery.actions.tallies import note_sessions
from crockery.limits import TLS_TALLY_DAYS
from crockery.projections import tls_tallies
from crockery.projections.tls_tallies import Failure, PolicyKey, TLSTallies
from tests.support.store import TestStore

DAY = 86_400_000_000
GOOD = {"policy": "sts", "of": "a.test", "host": "mx.a.test", "address": "192.0.2.1", "own": "192.0.2.9",
        "strings": ["mode: testing"], "mx": ["*.a.test"]}  # fmt: skip
BAD = {**GOOD, "result": "certificate-expired", "reason": "expired"}
KEY = PolicyKey("a.test", "sts", ("mode: testing",))


def fold(tallies: TLSTallies, *sessions: Any, day: int = 20_000) -> None:
    tallies.tls_judged(1, day * DAY + 5, {"domain": "a.test", "sessions": list(sessions)})


def test_counts() -> None:
    tallies = TLSTallies()
    fold(tallies, BAD, GOOD)
    fold(tallies, GOOD, BAD)
    fold(tallies, {"policy": "tlsa", "of": "mx.a.test", "result": "dnssec-invalid"})
    tally = tallies.days[20_000].tallies[KEY]
    assert (tally.successes, tally.mx) == (2, ("*.a.test",))
    assert tally.failures == {Failure("certificate-expired", "expired", "mx.a.test", "192.0.2.1", "192.0.2.9"): 2}
    assert set(tallies.days[20_000].tallies) == {KEY, PolicyKey("mx.a.test", "tlsa")}


def test_a_policy_that_is_changed_within_the_day() -> None:
    tallies = TLSTallies()
    fold(tallies, GOOD, BAD, {**BAD, "strings": ["mode: enforce"]}, {**GOOD, "strings": ["mode: enforce"]}, GOOD)
    day = tallies.days[20_000].tallies
    enforced = day[KEY._replace(strings=("mode: enforce",))]
    assert (day[KEY].successes, sum(day[KEY].failures.values())) == (2, 1)
    assert (enforced.successes, sum(enforced.failures.values())) == (1, 1)


def test_days_are_kept_apart_and_the_latest_few_alone() -> None:
    tallies = TLSTallies()
    for day in (20_000, 20_003, 20_001, 20_009, 20_008, 20_001):
        fold(tallies, GOOD, day=day)
    assert list(tallies.days) == [20_008, 20_009]
    for day in range(20_000, 20_020):
        fold(tallies, GOOD, day=day)
    assert list(tallies.days) == list(range(20_020 - TLS_TALLY_DAYS, 20_020))


def test_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls_tallies, "TLS_TALLY_POLICIES", 3)
    monkeypatch.setattr(tls_tallies, "TLS_TALLY_FAILURES", 2)
    tallies = TLSTallies()
    fold(tallies, *({**GOOD, "of": f"{n}.test"} for n in range(5)), {**GOOD, "of": "0.test"})
    fold(tallies, *({**BAD, "of": "1.test", "host": f"mx{n}.test"} for n in range(6)))
    day = tallies.days[20_000]
    assert (len(day.tallies), day.left_out) == (3, 2)
    assert [day.tallies[KEY._replace(domain=f"{n}.test")].successes for n in range(3)] == [2, 1, 1]
    failures = day.tallies[KEY._replace(domain="1.test")].failures
    assert failures[Failure("certificate-expired")] == 4 and sum(failures.values()) == 6


def test_dump_and_load() -> None:
    tallies, again = TLSTallies(), TLSTallies()
    fold(tallies, BAD, GOOD, {"policy": "tlsa", "of": "x.test", "result": "tlsa-invalid"})
    fold(tallies, GOOD, day=20_001)
    again.load(msgpack.unpackb(msgpack.packb(tallies.dump()), strict_map_key=False))
    assert again.days == tallies.days


def test_replayed_the_same(tmp_path: Path) -> None:
    files = TestStore(tmp_path / "log.crk")
    note_sessions(files.store, "a.test", [GOOD, BAD])  # type: ignore[list-item]
    note_sessions(files.store, "a.test", [])
    before = files.store.state.tls_tallies.days
    (day,) = before.values()
    assert (day.tallies[KEY].successes, sum(day.tallies[KEY].failures.values())) == (1, 1)
    files.reopen()
    assert files.store.state.tls_tallies.days == before
    files.close()

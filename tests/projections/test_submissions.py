"""How much accounts send: by the day, and to whom for the first time."""

from typing import Any

import msgpack
import pytest

from crockery.limits import SUBMISSION_KNOWN
from crockery.projections import submissions
from crockery.projections.submissions import Submissions

HOUR = 3600
DAY = 86400
NOON = 1_800_000_000 // DAY * DAY + DAY // 2


def queue(sent: Submissions, time: int, *recipients: str, account: int = 7, origin: str = "submitted") -> None:
    sent.message_queued(1, time * 1_000_000, {"account": account, "origin": origin, "recipients": list(recipients)})


def again(sent: Submissions) -> Submissions:
    """The same after a snapshot."""
    packed: Any = msgpack.unpackb(msgpack.packb(sent.dump()))
    loaded = Submissions()
    loaded.load(packed)
    assert loaded.dump() == sent.dump()
    return loaded


def test_counts_are_of_the_last_day() -> None:
    sent = Submissions()
    queue(sent, NOON, "a@x.test", "b@x.test")
    queue(sent, NOON + HOUR, "A@X.test", "c@x.test")
    sent = again(sent)
    assert (sent.messages(7, NOON + HOUR), sent.new_recipients(7, NOON + HOUR)) == (2, 3)
    assert (sent.messages(7, NOON + DAY), sent.new_recipients(7, NOON + DAY)) == (1, 1)
    assert (sent.messages(7, NOON + DAY + HOUR), sent.new_recipients(7, NOON + 9 * DAY)) == (0, 0)
    assert (sent.messages(8, NOON), sent.new_recipients(8, NOON)) == (0, 0)


def test_who_is_known() -> None:
    sent = Submissions()
    assert sent.unknown(7, ["a@x.test", "A@x.test", "b@x.test"]) == 2
    queue(sent, NOON, "a@x.test")
    assert again(sent).unknown(7, ["a@X.test", "b@x.test"]) == 1
    assert sent.unknown(8, ["a@x.test"]) == 1


@pytest.mark.parametrize("facts", [{"origin": "forward"}, {"origin": "notice"}, {"account": 0}, {"origin": "received"}])
def test_what_accounts_did_not_send_does_not_count(facts: dict[str, Any]) -> None:
    sent = Submissions()
    queue(sent, NOON, "a@x.test", **facts)
    assert sent.dump() == []


def test_an_account_that_is_gone_is_forgotten() -> None:
    sent = Submissions()
    queue(sent, NOON, "a@x.test")
    sent.account_removed(2, 0, {"account": 7})
    assert sent.dump() == []


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert SUBMISSION_KNOWN >= 10_000
    monkeypatch.setattr(submissions, "SUBMISSION_KNOWN", 3)
    sent = Submissions()
    for hour in range(100):
        queue(sent, NOON + hour * HOUR, f"r{hour}@x.test")
    assert 94 <= sent.unknown(7, [f"r{hour}@x.test" for hour in range(100)]) <= 97
    assert len(sent.dump()[0][1]) == 25
    assert sent.messages(7, NOON + 99 * HOUR) == 24


def test_many_are_known_after_a_restart_too() -> None:
    sent = Submissions()
    names = [f"r{number}@x.test" for number in range(5000)]
    for name in names:
        queue(sent, NOON, name, "always@x.test")
    for one in (sent, again(sent)):
        assert one.unknown(7, [*names, "always@x.test", "new@x.test"]) == 1
        assert one.new_recipients(7, NOON) == 5001

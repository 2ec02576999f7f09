"""A short form of `tools/crash_sending.py`: the real server killed while mail leaves it, and what it checks with."""

import collections
from pathlib import Path

import pytest

from tools.crash import Wrong
from tools.crash_sending import Submitted, Told, check, run


def test_killed_while_mail_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "")  # the run sets it; so it is unset in the end
    said: list[str] = []
    twice, unknown = run(3, 7, tmp_path, said.append, mails=120)
    assert twice <= unknown
    assert said[-1].startswith("3 kills: 12")


@pytest.mark.parametrize(
    ("queued", "arrived", "unknown", "says"),
    [
        ({}, {}, {}, "acknowledged and not in the log"),
        ({"a": 1}, {}, {}, "never sent"),
        ({"a": 1}, {"a": 1, "b": 1}, {}, "not in the log"),
        ({"a": 1}, {"a": 2}, {}, "2 times"),
        ({"a": 1}, {"a": 3}, {"a": 1}, "3 times"),
        ({"a": 1}, {"a": 1}, {"a": 1}, "counted are 0"),
    ],
)
def test_what_is_wrong_is_seen(
    queued: dict[str, int], arrived: dict[str, int], unknown: dict[str, int], says: str
) -> None:
    told = Told(queued=collections.Counter(queued), unknown=collections.Counter(unknown))
    with pytest.raises(Wrong, match=says):
        check(Submitted(acknowledged={"a"}), collections.Counter(arrived), told)


def test_what_may_be_is_fine() -> None:
    told = Told(queued=collections.Counter("ab"), unknown=collections.Counter("a"))
    told.state.queue.possible_duplicates = 1
    assert check(Submitted(acknowledged={"a"}), collections.Counter("aab"), told) == 1

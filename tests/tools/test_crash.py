"""A short form of `tools/crash.py`: the real server killed under load, and what it checks with."""

from pathlib import Path
from typing import Any

import pytest

from tools.crash import Knowledge, Mail, Wrong, run


def test_killed_twice_under_load(tmp_path: Path) -> None:
    said: list[str] = []
    knowledge = run(2, 7, tmp_path, said.append)
    assert knowledge.acknowledged > 0
    assert said[-1].startswith("2 kills: ")


ACKNOWLEDGED = {"uid": 5, "is_acknowledged": True}


@pytest.mark.parametrize(
    ("mail", "served", "says"),
    [
        (ACKNOWLEDGED, [], "is lost"),
        (ACKNOWLEDGED, [(5, set(), "t"), (6, set(), "t")], "twice"),
        (ACKNOWLEDGED, [(6, set(), "t")], "another UID"),
        (ACKNOWLEDGED, [(5, {"\\Seen"}, "t")], "other flags"),
        ({**ACKNOWLEDGED, "flags": {"\\Seen"}}, [(5, set(), "t")], "other flags"),
        ({**ACKNOWLEDGED, "is_gone": True}, [(5, set(), "t")], "is back"),
        ({}, [(1, set(), "x")], "nobody sent"),
        ({}, [(1, set(), "t"), (2, set(), "t")], "twice"),
    ],
)
def test_what_is_wrong_is_seen(mail: dict[str, Any], served: list[Any], says: str) -> None:
    knowledge = Knowledge()
    knowledge.mails["t"] = Mail("t", **mail)
    with pytest.raises(Wrong, match=says):
        knowledge.compare(1, 10, served)


@pytest.mark.parametrize(
    ("mail", "served"),
    [
        ({}, []),
        ({}, [(5, set(), "t")]),
        (ACKNOWLEDGED, [(5, set(), "t")]),
        ({**ACKNOWLEDGED, "is_leaving": True}, []),
        ({**ACKNOWLEDGED, "is_leaving": True}, [(5, {"\\Deleted"}, "t")]),
        ({**ACKNOWLEDGED, "pending": ("+", "\\Seen")}, [(5, {"\\Seen"}, "t")]),
        ({**ACKNOWLEDGED, "pending": ("-", "\\Seen"), "flags": {"\\Seen"}}, [(5, set(), "t")]),
    ],
)
def test_what_may_be_is_fine(mail: dict[str, Any], served: list[Any]) -> None:
    knowledge = Knowledge()
    knowledge.mails["t"] = Mail("t", **mail)
    knowledge.compare(1, 10, served)


@pytest.mark.parametrize(("uidvalidity", "uidnext"), [(2, 10), (1, 9)])
def test_numbers_never_go_back(uidvalidity: int, uidnext: int) -> None:
    knowledge = Knowledge()
    knowledge.compare(1, 10, [])
    with pytest.raises(Wrong):
        knowledge.compare(uidvalidity, uidnext, [])

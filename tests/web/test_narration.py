"""Every event type is told, in the words of mail."""

from typing import Any

import numpy as np
import pytest

from crockery.events.ranges import pack_numbers
from crockery.events.types import TYPES
from crockery.events.types import accounts as a
from crockery.events.types import annotations as n
from crockery.events.types import mail as m
from crockery.events.types import queue as q
from crockery.events.types import server as s
from crockery.events.types.base import EventType
from crockery.web.narration import SENTENCES, Names, tell
from crockery.web.words import octets, plural, uids

IMAP = {"account": 1, "protocol": "imap", "peer": "127.0.0.1"}
PHONE = {"account": 1, "protocol": "imap", "peer": "192.0.2.7", "app": 4}
CONTROL = {"account": 0, "protocol": "control", "peer": "user root", "client": "crockery account add"}
ENVELOPE = {
    "peer": "192.0.2.1",
    "helo": "mx.example.org",
    "tls": "",
    "from": "c@example.org",
    "to": "anna@example.test",
}
NUMBERS = pack_numbers(np.array([7, 8], dtype=np.uint64))


@pytest.fixture
def names() -> Names:
    names = Names()
    before: list[tuple[EventType, dict[str, Any]]] = [
        (a.ACCOUNT_ADDED, {"by": 0, "name": "anna", "postmaster": False}),
        (a.ACCOUNT_ADDED, {"by": 0, "name": "ben", "postmaster": False}),
        (m.MAILBOX_CREATED, {"by": 0, "account": 1, "name": "INBOX", "uidvalidity": 1}),
        (a.APP_PASSWORD_ADDED, {"by": 0, "account": 1, "label": "phone"}),
        (a.SESSION_OPENED, IMAP),
        (a.SESSION_OPENED, CONTROL),
        (a.SESSION_OPENED, PHONE),
        (m.MAILBOX_CREATED, {"by": 0, "account": 1, "name": "Old", "uidvalidity": 2}),
        (m.MAILBOXES_RENAMED, {"by": 5, "account": 1, "names": [(8, "Old", "New")]}),
    ]
    for number, (kind, facts) in enumerate(before, 1):
        names.fold(number, kind, facts)
    return names


def test_each_event_type_has_a_sentence() -> None:
    assert {kind.name for kind in TYPES.values() if kind.code not in SENTENCES} == set()


@pytest.mark.parametrize(
    ("kind", "facts", "sentence"),
    [
        (
            m.FLAGS_CHANGED,
            {"by": 5, "mailbox": 3, "added": {"\\Seen": [4, 6]}, "removed": {}},
            "anna from 127.0.0.1 over imap marked 3 messages (UIDs 4:6) in INBOX \\Seen",
        ),
        (
            m.FLAGS_CHANGED,
            {"by": 7, "mailbox": 3, "added": {"\\Seen": [4, 4], "work": [4, 4]}, "removed": {"\\Flagged": [9, 9]}},
            "anna/phone from 192.0.2.7 over imap marked UID 4 in INBOX \\Seen and work and took \\Flagged off UID 9 "
            "in INBOX",
        ),
        (
            m.MESSAGE_RECEIVED,
            {"by": 0, "mailbox": 3, "uid": 9, "flags": [], "date": 0, "prefix": b"", "size": 4200, "via": "smtp",
             "envelope": ENVELOPE},
            "mail came from c@example.org to anna@example.test by 192.0.2.1 (mx.example.org): into INBOX of anna as "
            "UID 9 (4.1 KiB)",
        ),
        (
            m.MESSAGE_RECEIVED,
            {"by": 5, "mailbox": 3, "uid": 9, "flags": ["\\Seen"], "date": 0, "prefix": b"x", "size": 99, "via": ""},
            "anna from 127.0.0.1 over imap put a message into INBOX as UID 9 (100 B), \\Seen",
        ),
        (
            m.MESSAGES_COPIED,
            {"by": 5, "source": 3, "uids": [1, 2], "mailbox": 8, "first": 1, "numbers": NUMBERS, "cmd": "MOVE"},
            "anna from 127.0.0.1 over imap moved 2 messages (UIDs 1:2) from INBOX to New",
        ),
        (
            m.MESSAGES_EXPUNGED,
            {"by": 6, "mailbox": 3, "uids": [1, 1, 3, 3, 5, 5, 7, 7], "numbers": NUMBERS, "orphaned": NUMBERS},
            "user root over the command line expunged 4 messages from INBOX of anna",
        ),
        (
            n.METADATA_CHANGED,
            {"by": 5, "account": 1, "box": 8, "entries": [("/private/comment", b"x", None), ("/shared/a", None, b"y")]},
            "anna from 127.0.0.1 over imap set /private/comment and removed /shared/a of New",
        ),
        (
            n.METADATA_CHANGED, {"by": 5, "account": 0, "box": 0, "entries": [("/shared/comment", b"x", None)]},
            "anna from 127.0.0.1 over imap set /shared/comment of the server",
        ),
        (
            n.SPECIAL_USES_CHANGED,
            {"by": 5, "account": 1, "uses": [(3, None, "\\Drafts"), (8, "\\Drafts", None)]},
            "anna from 127.0.0.1 over imap let INBOX be no longer the mailbox for Drafts and made New the mailbox for "
            "Drafts",
        ),
        (
            a.PASSWORD_SET, {"by": 6, "account": 2, "replaces": 3},
            "user root over the command line changed the password of ben",
        ),
        (
            a.QUOTA_CHANGED, {"by": 6, "account": 1, "quota": [1 << 30, 10], "old": None},
            "user root over the command line let anna hold 1.0 GiB and 10 messages",
        ),
        (
            a.QUOTA_CHANGED, {"by": 6, "account": 1, "quota": [0, 0], "old": None},
            "user root over the command line let anna hold as much as the disk takes",
        ),
        (
            a.QUOTA_CHANGED, {"by": 6, "account": 1, "quota": None, "old": [0, 0]},
            "user root over the command line let anna hold what the settings allow",
        ),
        (a.QUOTA_TOLD, {"account": 1, "step": 80}, "anna reached 80 % of its quota"),
        (a.QUOTA_TOLD, {"account": 1, "step": 100, "lacking": 9}, "anna was told that mail found no room"),
        (a.QUOTA_TOLD, {"account": 1, "step": 0}, "anna has room again"),
        (a.SESSION_OPENED, CONTROL, "user root gave commands (crockery account add)"),
        (a.APP_PASSWORD_USED, {"app": 4, "peer": "192.0.2.7"}, "app password anna/phone was used from 192.0.2.7"),
        (
            s.SETTING_CHANGED, {"by": 0, "name": "domain", "value": "b.example", "old": "a.example"},
            "the server set domain to b.example (it was a.example)",
        ),
        (
            s.BODIES_ERASED, {"numbers": NUMBERS, "why": "the retention time is over"},
            "the bodies of 2 events erased: the retention time is over",
        ),
        (
            q.RECIPIENTS_CANCELLED, {"by": 6, "message": 12, "recipients": ["c@example.org"], "orphaned": b""},
            "user root over the command line cancelled sending message 12 to c@example.org",
        ),
    ],
    ids=lambda value: value.name if isinstance(value, EventType) else "",
)  # fmt: skip
def test_sentences(names: Names, kind: EventType, facts: dict[str, Any], sentence: str) -> None:
    assert tell(names, 99, kind, facts) == sentence


def test_a_type_that_has_no_sentence_yet_does_no_harm(names: Names) -> None:
    assert tell(names, 1, EventType(9999, "MoonRisen"), {}) == "MoonRisen happened"


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (4200, "4.1 KiB"), (30 << 20, "30 MiB"), (5 << 40, "5.0 TiB"),
     (1023 << 10, "1.0 MiB"), (5000 << 40, "5,000 TiB")],
)  # fmt: skip
def test_octets(size: int, text: str) -> None:
    assert octets(size) == text


def test_counts() -> None:
    assert (plural(1, "message"), plural(1200, "message")) == ("1 message", "1,200 messages")
    assert uids([5, 5]) == "UID 5"
    assert uids([1, 1000, 2000, 2999]) == "2,000 messages (UIDs 1:1000,2000:2999)"

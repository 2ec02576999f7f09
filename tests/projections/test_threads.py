"""Conversations: allotted at receipt, kept by COPY, found after any start; bounded."""

from pathlib import Path

import pytest

from crockery.actions.actor import Actor
from crockery.actions.incoming import received
from crockery.actions.mail import Delivery, copy_messages, deliver
from crockery.actions.mailboxes import create_mailbox
from crockery.message.conversation import read_conversation
from crockery.projections import threads
from crockery.projections.threads import Threads
from tests.support.store import TestStore


@pytest.fixture
def store(tmp_path: Path) -> TestStore:
    return TestStore(tmp_path / "log.crk")


def receive(store: TestStore, actor: Actor, header: bytes) -> int:
    """The conversation of a message put into the actor's INBOX."""
    inbox = store.inbox(actor)
    said = read_conversation(header)
    deliver(store.store, actor, received(header), [Delivery(inbox, b"")], via="smtp", keys=said.keys)
    return int(inbox.columns.thread[-1])


def test_answers_join(store: TestStore) -> None:
    anna = store.account()
    first = receive(store, anna, b"Message-ID: <1@x>\r\n\r\n")
    assert first == store.inbox(anna).columns.number[0]
    assert receive(store, anna, b"Message-ID: <2@x>\r\nIn-Reply-To: <1@x>\r\n\r\n") == first
    assert receive(store, anna, b"Message-ID: <3@x>\r\nReferences: <0@x> <2@x>\r\n\r\n") == first
    assert receive(store, anna, b"References: <0@x>\r\n\r\n") == first, "two that answer one that never came"
    assert receive(store, anna, b"Message-ID: <9@x>\r\n\r\n") != first


def test_accounts_share_nothing(store: TestStore) -> None:
    anna, ben = store.account(), store.account("ben")
    assert receive(store, anna, b"Message-ID: <1@x>\r\n\r\n") != receive(store, ben, b"Message-ID: <1@x>\r\n\r\n")


def test_one_mail_in_two_mailboxes_is_one_conversation(store: TestStore) -> None:
    anna = store.account()
    other = create_mailbox(store.store, anna, anna.account, "Other")
    said = read_conversation(b"Message-ID: <1@x>\r\n\r\n")
    where = [Delivery(store.inbox(anna), b""), Delivery(other, b"")]
    deliver(store.store, anna, received(b"x"), where, via="smtp", keys=said.keys)
    assert store.inbox(anna).columns.thread[0] == other.columns.thread[0]


def test_copies_keep_it_and_so_do_starts(store: TestStore) -> None:
    anna = store.account()
    first = receive(store, anna, b"Message-ID: <1@x>\r\n\r\n")
    receive(store, anna, b"In-Reply-To: <1@x>\r\n\r\n")
    other = create_mailbox(store.store, anna, anna.account, "Other")
    inbox = store.inbox(anna)
    copy_messages(store.store, anna, inbox, inbox.columns.uid, other)
    assert other.columns.thread.tolist() == [first, first]
    store.reopen()
    again = Actor(anna.account, "imap", "192.0.2.1")
    assert store.inbox(again).columns.thread.tolist() == [first, first]
    assert receive(store, again, b"In-Reply-To: <1@x>\r\n\r\n") == first


def fold(projection: Threads, first: int, last: int) -> None:
    for number in range(first, last):
        projection.message_received(number, 0, {"keys": (number * 7).to_bytes(8, "little")})


def test_keys_are_found_wherever_they_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "NEW_KEYS", 4)
    monkeypatch.setattr(threads, "SMALL_KEYS", 12)
    monkeypatch.setattr(threads, "THREAD_KEYS", 50)
    projection = Threads()
    fold(projection, 1, 120)
    known = projection.find([number * 7 for number in range(200)])
    assert known == {number * 7: number for number in range(51, 120)}, "the last two generations"
    other = Threads()
    other.load(projection.dump())
    assert other.find([number * 7 for number in range(200)]) == known
    fold(projection, 120, 160)
    fold(other, 120, 160)
    assert other.dump() == projection.dump()

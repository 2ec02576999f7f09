"""One atom for all recipients: who gets which copy, what it says on top, what the event tells."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from crockery.actions.actor import Actor
from crockery.actions.incoming import received
from crockery.actions.store import Store
from crockery.delivery.accept import accept
from crockery.delivery.envelope import Client, Envelope
from crockery.delivery.header import Header
from crockery.delivery.inbound import INBOUND
from crockery.delivery.intake import Message
from crockery.delivery.submission import SUBMISSION
from crockery.events.types.accounts import ACCOUNT_REMOVED
from crockery.smtp.wire import parse_mailbox, replies
from tests.support.smtp_session import add_alias, change, make_store, set_wildcard, the_server
from tests.support.store import inbox, messages

DATA = b"Subject: x\r\n\r\nHello\r\n"
MESSAGE = Message(Header(DATA), received(DATA), "1@client.test", False)
CLIENT = Client("192.0.2.7", "client.test", True, "TLSv1.3 TLS_AES_256_GCM_SHA384")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = make_store(tmp_path / "x.crk")
    add_alias(store, "sales", "anna", "ben")
    yield store
    store.log.file.close()


def envelope(*recipients: str, sender: str = "c@client.test", client: Client = CLIENT) -> Envelope:
    path = parse_mailbox(sender) if sender else None
    return Envelope(client, path, recipients=[parse_mailbox(recipient) for recipient in recipients])


def test_one_recipient(store: Store) -> None:
    number = accept(store, INBOUND, the_server(), envelope("Anna+x@example.test"), MESSAGE)
    assert number == store.log.head
    (message,) = messages(store, "anna")
    lines = message.split(b"\r\n")
    assert lines[:2] == [b"Return-Path: <c@client.test>", b"Delivered-To: anna@example.test"]
    trace = b" ".join(line.strip() for line in lines[2:6])
    assert trace.startswith(b"Received: from client.test ([192.0.2.7]) by mx.example.test with ESMTPS ")
    assert b" (TLSv1.3 TLS_AES_256_GCM_SHA384 256 bits) id %d for <Anna+x@example.test>; " % number in trace
    assert message.endswith(b"\r\n" + DATA)
    kind, facts, _ = store.log.read_record(number)
    assert (kind.name, facts["by"], facts["via"], facts["message_id"]) == (
        "MessageReceived",
        0,
        "smtp",
        "1@client.test",
    )
    assert facts["envelope"] == {
        "peer": "192.0.2.7", "helo": "client.test", "tls": CLIENT.tls, "from": "c@client.test",
        "to": "Anna+x@example.test", "esmtp": "ESMTPS",
    }  # fmt: skip


def test_one_copy_a_mailbox_and_no_copy_tells_of_another_recipient(store: Store) -> None:
    to = ("sales@example.test", "ben@example.test", "anna@example.test", "anna+x@example.test", "anna@example.test")
    before = store.log.head
    accept(store, INBOUND, the_server(), envelope(*to), MESSAGE)
    (anna,), (ben,) = messages(store, "anna"), messages(store, "ben")
    assert store.log.head == before + 2
    for message, own, other in ((anna, b"anna", b"ben"), (ben, b"ben", b"anna")):
        assert b"Delivered-To: %s@example.test" % own in message
        assert b"for <sales@example.test>" in message
        assert other not in message
    assert store.log.read_record(store.log.head)[1]["body_of"] == before + 1


def test_null_reverse_path(store: Store) -> None:
    accept(store, INBOUND, the_server(), envelope("anna@example.test", sender=""), MESSAGE)
    assert messages(store, "anna")[0].startswith(b"Return-Path: <>\r\n")


def test_local_and_elsewhere_are_one_atom(store: Store) -> None:
    anna = store.state.accounts.by_name["anna"]
    actor = Actor(anna.id, "submission", "192.0.2.7")
    client = Client("192.0.2.7", "pc", True, "TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256", anna.id)
    to = ("x@other.test", "ben@example.test", "y@Other.test", "x@OTHER.test")
    sizes = len(store.log._batch.appended) if store.log._batch else 0
    number = accept(store, SUBMISSION, actor, envelope(*to, sender="anna@example.test", client=client), MESSAGE)
    batch = store.log._batch
    assert batch is not None
    assert [event.type.name for event in batch.appended[sizes:]] == [
        "SessionOpened",
        "MessageReceived",
        "MessageQueued",
    ]
    assert number == batch.appended[-2].sequence
    (queued,) = store.state.queue.by_id.values()
    assert [recipient.address for recipient in queued.recipients] == ["x@other.test", "y@other.test"]
    assert (queued.reverse_path, queued.account) == ("anna@example.test", anna.id)
    facts = batch.appended[-1].facts
    assert facts["body_of"] == number
    assert facts["by"] == actor.number == number - 1
    assert facts["prefix"].startswith(b"Received: from pc ([192.0.2.7]) by mx.example.test with ESMTPSA")
    assert b" for " not in facts["prefix"] and b"Return-Path" not in facts["prefix"]
    assert (facts["body"], facts["smtputf8"]) == ("7BIT", False)
    assert b"128 bits" in messages(store, "ben")[0]


@pytest.mark.parametrize(("declared", "found"), [(False, True), (True, False)])
def test_8bit_content_goes_on_as_such(store: Store, declared: bool, found: bool) -> None:
    mail = envelope("x@other.test", client=dataclasses.replace(CLIENT, account=store.state.accounts.by_name["anna"].id))
    mail.eight_bit, mail.smtputf8 = declared, True
    number = accept(store, SUBMISSION, the_server(), mail, MESSAGE._replace(eight_bit=found))
    assert isinstance(number, int)
    facts = store.log.read_record(number)[1]
    assert facts["body"] == "8BITMIME"
    assert b"with UTF8SMTPSA" in facts["prefix"]
    assert b"for <x@other.test>" in facts["prefix"]


@pytest.mark.parametrize(
    ("recipient", "subject", "needed"),
    [("x@other.test", "hello", False), ("ä@other.test", "hello", True), ("x@other.test", "grüße", True)],
)
def test_smtputf8_is_asked_of_the_next_server_where_it_is_needed(
    store: Store, recipient: str, subject: str, needed: bool
) -> None:
    mail = envelope(recipient, client=dataclasses.replace(CLIENT, account=store.state.accounts.by_name["anna"].id))
    mail.smtputf8 = True
    header = Header(f"From: anna@example.test\r\nSubject: {subject}\r\n\r\n".encode())
    number = accept(store, SUBMISSION, the_server(), mail, MESSAGE._replace(header=header))
    assert isinstance(number, int)
    assert store.log.read_record(number)[1]["smtputf8"] is needed


def test_a_recipient_gone_since_rcpt_refuses_all(store: Store) -> None:
    ben = store.state.accounts.by_name["ben"]
    change(store, ACCOUNT_REMOVED, account=ben.id, name="ben", orphaned=b"")
    head = store.log.head
    outcome = accept(store, INBOUND, the_server(), envelope("anna@example.test", "ben@example.test"), MESSAGE)
    assert outcome is replies.RECIPIENT_GONE
    assert store.log.head == head


def test_the_wildcard_gets_what_nobody_has(store: Store) -> None:
    set_wildcard(store, "ben")
    accept(store, INBOUND, the_server(), envelope("x@example.test", "y@example.test", "anna@example.test"), MESSAGE)
    assert len(inbox(store, "ben")) == len(inbox(store, "anna")) == 1
    assert b"for <x@example.test>" in messages(store, "ben")[0]

"""A message as it comes in: header checked and edited, body as it was sent, however the octets are cut."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crockery import limits
from crockery.actions.mail import Delivery, deliver
from crockery.actions.store import Store
from crockery.delivery.envelope import Client, Envelope
from crockery.delivery.inbound import INBOUND
from crockery.delivery.intake import Intake, Message
from crockery.delivery.policy import Policy
from crockery.delivery.submission import SUBMISSION
from crockery.smtp.wire import Reply, parse_mailbox, replies
from tests.support.smtp_session import make_store, the_server
from tests.support.store import inbox

ANNA = "anna@example.test"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = make_store(tmp_path / "x.crk")
    yield store
    store.log.file.close()


def take(store: Store, policy: Policy, pieces: list[bytes]) -> tuple[Message, bytes] | Reply:
    """The message, and its octets read back from the log; or why it is refused."""
    account = store.state.accounts.by_name["anna"].id if policy is SUBMISSION else 0
    envelope = Envelope(Client("127.0.0.1", account=account), parse_mailbox("c@client.test"))
    envelope.recipients = [parse_mailbox(ANNA)]
    intake = Intake(store, policy, envelope)
    for piece in pieces:
        intake.write(piece)
    message = intake.finish()
    if message is None:
        assert intake.refusal is not None
        return intake.refusal
    deliver(store, the_server(), message.body, [Delivery(inbox(store, "anna"), b"")], via="smtp")
    return message, store.log.read_message(store.log.head)[1]


KEPT = {
    "ordinary": b"From: a@b\r\nMessage-ID: <1@b>\r\n\r\nHello\r\n",
    "only a header": b"From: a@b\r\n",
    "only a header and its end": b"From: a@b\r\n\r\n",
    "no header": b"\r\nHello\r\n",
    "8-bit header": b"Subject: \xe4\xff\r\n\r\nHello\r\n",
    "NUL": b"Subject: a\0b\r\n\r\n\0\r\n",
    "junk in the header": b"Subject: a\r\njunk\r\n continued\r\n\r\nbody\r\n",
    "header without an end that looks like a body": b"Subject: a\r\nno colon here\r\n",
    "mbox line": b"From a@b Sun Nov 22 16:11:04 2026\r\nSubject: x\r\n\r\nbody\r\n",
    "lines of the names in the body": b"Subject: a\r\n\r\nReturn-Path: <b>\r\nBcc: c\r\n",
    "results of others": b"Authentication-Results: other.test; spf=pass\r\nSubject: a\r\n\r\n",
    "large": b"Subject: a\r\n\r\n" + b"0123456789abcdef\r\n" * 20_000,
    "very large": b"Subject: a\r\n\r\n" + bytes(range(32, 127)) * 30_000 + b"\r\n",
    "large header": b"Subject: a\r\n" + b"X-Y: z\r\n" * 20_000 + b"\r\nbody\r\n",
    "large, only a header": b"Subject: a\r\n" + b"X-Y: z\r\n" * 20_000,
}


@pytest.mark.parametrize("name", KEPT)
def test_a_stranger_s_message_is_kept_as_it_is(store: Store, name: str) -> None:
    data = KEPT[name]
    for pieces in ([data], [data[at : at + 999] for at in range(0, len(data), 999)], cut_small(data)):
        taken = take(store, INBOUND, pieces)
        assert not isinstance(taken, Reply)
        assert taken[1] == data
        assert taken[0].body.size == len(data)
        assert taken[0].eight_bit == (not data.isascii())


def cut_small(data: bytes) -> list[bytes]:
    """Byte by byte at both ends."""
    ends, middle = 300, data[300:-300]
    return [data[at : at + 1] for at in range(min(ends, len(data)))] + (
        [middle, *(data[at : at + 1] for at in range(len(data) - ends, len(data)))] if middle else
        [data[ends:]] if len(data) > ends else []
    )  # fmt: skip


EDITED = {
    "no header at all": (b"Hello\r\nyou\r\n", b"\r\nHello\r\nyou\r\n"),
    "empty": (b"", b"\r\n"),
    "one blank line": (b"\r\n", b"\r\n"),
    "return path": (b"Return-Path: <x@y>\r\nSubject: a\r\n\r\nb\r\n", b"Subject: a\r\n\r\nb\r\n"),
    "return path, folded, any case, twice": (
        b"RETURN-path:\r\n <x@y>\r\nSubject: a\r\nreturn-path : <>\r\n\r\nb\r\n",
        b"Subject: a\r\n\r\nb\r\n",
    ),
    "our results": (
        b"Authentication-Results: MX.example.test 1; spf=pass\r\nSubject: a\r\n\r\n",
        b"Subject: a\r\n\r\n",
    ),
    "nothing else": (b"Return-Path: <x@y>\r\n\r\nb\r\n", b"\r\nb\r\n"),
    "large body": (
        b"Return-Path: <x@y>\r\nSubject: a\r\n\r\n" + b"x" * 99 + b"\r\n" * 99_999,
        b"Subject: a\r\n\r\n" + b"x" * 99 + b"\r\n" * 99_999,
    ),
    "large, no header": (b"no header\r\n" * 9_999, b"\r\n" + b"no header\r\n" * 9_999),
}


@pytest.mark.parametrize("name", EDITED)
def test_what_only_we_may_say_is_removed(store: Store, name: str) -> None:
    data, expected = EDITED[name]
    for pieces in ([data], cut_small(data), [data[at : at + 5000] for at in range(0, len(data), 5000)]):
        taken = take(store, INBOUND, pieces)
        assert not isinstance(taken, Reply)
        assert taken[1] == expected


LOOPS = {
    "a hundred hops pass": (b"Received: x\r\n" * limits.SMTP_MAX_HOPS + b"\r\n", None),
    "one more is a loop": (b"Received: x\r\n" * (limits.SMTP_MAX_HOPS + 1) + b"\r\n", replies.MAIL_LOOP),
    "delivered here before": (b"Delivered-To: anna@example.test\r\n\r\n", replies.MAIL_LOOP),
    "in any form": (b"DELIVERED-TO : <Anna@Example.test>\r\n\r\n", replies.MAIL_LOOP),
    "delivered to another": (b"Delivered-To: ben@example.test\r\n\r\n", None),
    "not in the header": (b"\r\nDelivered-To: anna@example.test\r\n", None),
    "header too big": (b"X: y\r\n" * 200_000, replies.HEADER_TOO_BIG),
    "header too big, with an end": (b"X: " + b"y" * 2_000_000 + b"\r\n\r\n", replies.HEADER_TOO_BIG),
    "loop of a large mail": (b"Delivered-To: anna@example.test\r\n\r\n" + b"x" * 200_000, replies.MAIL_LOOP),
}


@pytest.mark.parametrize("name", LOOPS)
def test_loops(store: Store, name: str) -> None:
    data, expected = LOOPS[name]
    for pieces in ([data], [data[at : at + 7000] for at in range(0, len(data), 7000)]):
        taken = take(store, INBOUND, pieces)
        assert (taken if isinstance(taken, Reply) else None) == expected


FROM = b"From: Anna <anna@example.test>\r\n"
REST = b"Date: Sun, 22 Nov 2026 16:11:04 +0000\r\nMessage-ID: <1@b>\r\n\r\nHi\r\n"
AUTHORS = {
    "own": (FROM, None),
    "subaddress, other case": (b"FROM: ANNA+x@Example.Test\r\n", None),
    "one of two": (b"From: anna@example.test, ben@example.test\r\n", replies.FROM_NOT_YOURS),
    "another's": (b"From: ben@example.test\r\n", replies.FROM_NOT_YOURS),
    "another domain": (b"From: anna@other.test\r\n", replies.FROM_NOT_YOURS),
    "none": (b"Subject: x\r\n", replies.BAD_FROM),
    "two fields": (FROM + FROM, replies.BAD_FROM),
    "two addresses in one": (b"From: anna@example.test <ben@example.test>\r\n", replies.BAD_FROM),
    "no address": (b"From: Anna\r\n", replies.BAD_FROM),
    "empty": (b"From:\r\n", replies.BAD_FROM),
    "group": (b"From: all: anna@example.test;\r\n", replies.BAD_FROM),
    "sender own": (FROM + b"Sender: anna+x@example.test\r\n", None),
    "sender another's": (FROM + b"Sender: ben@example.test\r\n", replies.FROM_NOT_YOURS),
    "two senders": (FROM + b"Sender: anna@example.test\r\n" * 2, replies.BAD_FROM),
    "bad domain": (b"From: anna@exa_-mple..test\r\n", replies.BAD_FROM),
    "delivered here before": (FROM + b"Delivered-To: anna@example.test\r\n", None),
}


@pytest.mark.parametrize("name", AUTHORS)
def test_from_belongs_to_the_account(store: Store, name: str) -> None:
    fields, expected = AUTHORS[name]
    taken = take(store, SUBMISSION, [fields + REST])
    assert (taken if isinstance(taken, Reply) else None) == expected


def test_submission_completes_the_header(store: Store) -> None:
    taken = take(store, SUBMISSION, [FROM + b"Bcc: x@y.test,\r\n z@y.test\r\nSubject: a\r\n\r\nBcc: stays\r\n"])
    assert not isinstance(taken, Reply)
    lines = taken[1].split(b"\r\n")
    assert lines[0].startswith(b"Date: ") and lines[0].endswith(b" +0000")
    assert lines[1] == b"Message-ID: <%s>" % taken[0].message_id.encode()
    assert lines[1].endswith(b"@example.test>")
    assert lines[2:] == [b"From: Anna <anna@example.test>", b"Subject: a", b"", b"Bcc: stays", b""]
    taken = take(store, SUBMISSION, [FROM + REST])
    assert not isinstance(taken, Reply)
    assert taken[1] == FROM + REST
    assert taken[0].message_id == "1@b"


def test_no_header_is_no_from(store: Store) -> None:
    assert take(store, SUBMISSION, [b"junk\r\n" + FROM + REST]) == replies.BAD_FROM


def test_nothing_is_kept_of_a_refused_message(store: Store) -> None:
    head = store.log.head
    envelope = Envelope(Client("127.0.0.1"), None, recipients=[parse_mailbox(ANNA)])
    intake = Intake(store, INBOUND, envelope)
    for _ in range(100):
        intake.write(b"Delivered-To: anna@example.test\r\n\r\n" + b"x" * 65536)
    assert intake.refusal == replies.MAIL_LOOP
    assert intake.finish() is None
    assert store.log.head == head


PIECES = (
    b"Return-Path: <x>\r\n", b" folded\r\n", b"Subject: a\r\n", b"\r\n", b"junk", b":", b"\0\xff", b"x" * 70_000,
    b"a: b\r\n",
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(
    data=st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join),
    cuts=st.lists(st.integers(0, 300_000), max_size=5),
)
def test_the_cuts_do_not_matter(store: Store, data: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    pieces = [data[a:b] for a, b in itertools.pairwise(places)]
    once, cut = take(store, INBOUND, [data]), take(store, INBOUND, pieces)
    assert not isinstance(once, Reply) and not isinstance(cut, Reply)
    assert once[1] == cut[1]
    assert once[0].message_id == cut[0].message_id

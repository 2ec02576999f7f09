"""Held submissions for people here, receipts of what was delivered here, and forwards that fail."""

from typing import Any

import pytest
import trio
from trio.testing import MockClock

from crockery.actions.accounts import add_alias, remove_account, set_forward
from crockery.actions.actor import Actor, the_server
from crockery.actions.incoming import received
from crockery.actions.queue import cancel_recipients
from crockery.delivery.accept import accept
from crockery.delivery.envelope import Client, Envelope
from crockery.delivery.header import Header
from crockery.delivery.inbound import INBOUND
from crockery.delivery.intake import Message
from crockery.delivery.policy import Policy
from crockery.delivery.submission import SUBMISSION
from crockery.events.errors import BodyUnreadable
from crockery.events.log import Log
from crockery.smtp.wire import Mailbox, parse_mailbox
from tests.delivery.sending.conftest import Sending
from tests.delivery.sending.test_notices import read

DATA = b"From: anna@example.test\r\nSubject: later\r\nMessage-ID: <1@example.test>\r\n\r\nHello\r\n"
MESSAGE = Message(Header(DATA), received(DATA), "1@example.test", False)


def hand_in(sending: Sending, *recipients: str, sender: str = "", hold: int = 0, **more: Any) -> int:
    """From anna's program, or with `sender` from another server; returns the number."""
    store = sending.store
    account = 0 if sender else store.state.accounts.by_name["anna"].id
    policy: Policy = INBOUND if sender else SUBMISSION
    mail = Envelope(
        Client("192.0.2.7", "pc", account=account),
        parse_mailbox(sender or "anna@example.test"),
        hold_until=store.now + hold if hold else 0,
        recipients=[parse_mailbox(to) if "@" in to else Mailbox(to, "") for to in recipients],
        **more,
    )
    number = accept(store, policy, Actor(account, "submission") if account else the_server(), mail, MESSAGE)
    assert isinstance(number, int)
    return number


async def test_a_held_mail_reaches_nobody_before_its_time(autojump_clock: MockClock, sending: Sending) -> None:
    sending.start_notices("example.test", "anna", "ben")
    number = hand_in(sending, "ben@example.test", "ben+x@example.test", "c@far.test", hold=1000)
    await trio.sleep(990)
    assert not sending.inbox("ben") and not sending.world["far.test"].mails
    assert await sending.until_empty() < 72
    (mail,) = sending.inbox("ben")
    top, _, rest = mail.partition(b"Received: ")
    assert top == b"Return-Path: <anna@example.test>\r\nDelivered-To: ben@example.test\r\n"
    assert rest.endswith(DATA)
    assert len(sending.world["far.test"].mails) == 1
    assert sending.states(number) == {
        "ben@example.test": "DELIVERED", "ben+x@example.test": "DELIVERED", "c@far.test": "RELAYED",
    }  # fmt: skip
    assert not sending.inbox("anna")
    assert not sending.world["example.test"].dials


async def test_it_can_be_taken_back_until_then(autojump_clock: MockClock, sending: Sending) -> None:
    sending.start_notices("example.test", "anna", "ben")
    number = hand_in(sending, "ben@example.test", "c@far.test", hold=1000)
    await trio.sleep(500)
    cancel_recipients(sending.store, the_server(), number)
    await trio.sleep(1000)
    assert not sending.inbox("ben") and not sending.world["far.test"].dials


async def test_a_damaged_one_comes_back_to_its_sender(
    autojump_clock: MockClock, sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending.start_notices("example.test", "anna", "ben")
    number = hand_in(sending, "ben@example.test", hold=1000)

    def damaged(self: Log, message: int, *where: int) -> bytes:
        raise BodyUnreadable(message, "damaged")

    monkeypatch.setattr(Log, "read_range", damaged)
    await sending.until(lambda: sending.states(number) == {"ben@example.test": "FAILED"}, 1100)
    await sending.until(lambda: bool(sending.inbox("anna")))
    monkeypatch.undo()
    assert not sending.inbox("ben")
    (notice,) = sending.inbox("anna")
    assert read(notice)[1]["Status ben@example.test"] == "5.3.0"
    assert "this server keeps of your message is damaged" in " ".join(notice.decode().split())


async def test_aliases_and_forwards_are_those_of_that_day(autojump_clock: MockClock, sending: Sending) -> None:
    sending.start_notices("example.test", "anna", "ben", "carl")
    hand_in(sending, "ben@example.test", "carl@example.test", hold=1000)
    await trio.sleep(10)
    set_forward(sending.store, the_server(), "ben", "ben@far.test")
    remove_account(sending.store, the_server(), "carl")
    add_alias(sending.store, the_server(), "carl", ["carl@far.test"])
    await trio.sleep(2000)
    assert len(sending.inbox("ben")) == 1
    mails = sending.world["far.test"].mails
    assert sorted(mail.recipients[0] for mail in mails) == ["ben@far.test", "carl@far.test"]
    assert {mail.sender for mail in mails} == {"anna@example.test"}
    assert all(b"Delivered-To: " in mail.content and mail.content.endswith(DATA) for mail in mails)


async def test_who_is_gone_when_the_time_comes(autojump_clock: MockClock, sending: Sending) -> None:
    sending.start_notices("example.test", "anna", "ben")
    hand_in(sending, "ben@example.test", hold=1000)
    await trio.sleep(10)
    remove_account(sending.store, the_server(), "ben")
    await trio.sleep(2000)
    (notice,) = sending.inbox("anna")
    assert read(notice)[1]["Status ben@example.test"] == "5.1.1"


@pytest.mark.parametrize("hold", [0, 1000])
async def test_receipts_of_what_arrived_here(autojump_clock: MockClock, sending: Sending, hold: int) -> None:
    sending.start_notices("example.test", "anna", "ben")
    options: Any = {
        "ben@example.test": {"notify": ["SUCCESS"], "orcpt": "rfc822;benny@old.test"},
        "anna@example.test": {"notify": ["NEVER"]},
    }
    hand_in(sending, "ben@example.test", "anna@example.test", hold=hold, options=options, envid="E1", ret="HDRS")
    await trio.sleep(2000)
    own, receipt = sending.inbox("anna")
    assert own.endswith(DATA) and len(sending.inbox("ben")) == 1
    message, fields = read(receipt)
    assert fields["Action ben@example.test"] == "delivered"
    assert fields["Original-Recipient ben@example.test"].replace(" ", "") == "rfc822;benny@old.test"
    assert "Action anna@example.test" not in fields
    assert b"Original-Envelope-Id: E1" in receipt and b"Hello" not in receipt
    assert message["Subject"] == "Delivered: later"
    assert not sending.store.state.queue.by_id


async def test_a_receipt_for_another_server(autojump_clock: MockClock, sending: Sending) -> None:
    sending.start_notices("example.test", "ben")
    options: Any = {"ben@example.test": {"notify": ["SUCCESS"]}}
    hand_in(sending, "ben@example.test", sender="c@far.test", options=options)
    await sending.until_empty()
    (mail,) = sending.world["far.test"].mails
    assert (mail.sender, mail.recipients) == ("", ["c@far.test"])
    assert read(mail.content)[1]["Action ben@example.test"] == "delivered"


async def test_a_forward_that_fails_comes_back_to_the_sender(autojump_clock: MockClock, sending: Sending) -> None:
    sending.start_notices("example.test", "ben")
    set_forward(sending.store, the_server(), "ben", "ben@far.test", keep=False)
    sending.world["far.test"].rcpt = lambda address: b"550 5.1.1 no such user"
    hand_in(sending, "ben@example.test", sender="c@near.test")
    await sending.until_empty()
    await sending.until(lambda: bool(sending.world["near.test"].mails))
    (mail,) = sending.world["near.test"].mails
    assert (mail.sender, mail.recipients) == ("", ["c@near.test"])
    message, fields = read(mail.content)
    assert message["To"] == "c@near.test"
    assert fields["Original-Recipient ben@far.test"].replace(" ", "") == "rfc822;ben@example.test"

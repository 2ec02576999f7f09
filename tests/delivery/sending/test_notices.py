"""Who is told what, when and how often; and giving up."""

import email
import email.policy
from email.message import EmailMessage
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from crockery.actions.queue import Terms
from crockery.delivery.sending.ways import Obstacle
from crockery.limits import QUEUE_LIFETIME
from tests.delivery.sending.conftest import Sending
from tests.support.queue import enqueue, queued

HOUR = 3600
DOWN = Obstacle("deferred", enhanced="4.4.1", text="no server answers", why="unreachable", is_down=True)


def read(mail: bytes) -> tuple[EmailMessage, dict[str, str]]:
    """A notice: the message, and the fields of all its recipients by name and address."""
    message = email.message_from_bytes(mail, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    fields: dict[str, str] = {}
    for part in message.walk():
        if part.get_content_type() == "message/delivery-status":
            groups: Any = part.get_payload()
            for group in groups[1:]:
                address = group["Final-Recipient"].partition(";")[2].strip()
                fields |= {f"{name} {address}": value for name, value in group.items()}
    return message, fields


async def test_a_failure_is_told_once(autojump_clock: MockClock, sending: Sending) -> None:
    sending.start_notices("example.test", "anna")
    sending.world["x.test"].rcpt = lambda address: b"550 5.1.1 no such user"
    number = enqueue(sending.store, "a@x.test", "b@x.test", "c@y.test")
    await sending.until_empty()
    await trio.sleep(10 * HOUR)
    (mail,) = sending.inbox("anna")
    assert mail.startswith(b"Return-Path: <>\r\nDelivered-To: anna@example.test\r\n")
    message, fields = read(mail)
    assert fields["Action a@x.test"] == fields["Action b@x.test"] == "failed"
    assert fields["Status a@x.test"] == "5.1.1"
    assert fields["Diagnostic-Code a@x.test"] == "smtp; 550 5.1.1 no such user"
    assert fields["Remote-MTA a@x.test"] == "dns; mx.x.test"
    assert "Action c@y.test" not in fields
    assert message["In-Reply-To"] == "<1@example.test>"
    assert message["Auto-Submitted"] == "auto-replied"
    assert number in sending.store.state.retention.orphaned


async def test_failures_are_gathered(autojump_clock: MockClock, sending: Sending) -> None:
    sending.start_notices("example.test", "anna")
    for domain in ("x.test", "y.test"):
        sending.world[domain].rcpt = lambda address: b"550 5.1.1 no such user"
    sending.world["y.test"].dial_time = 20.0
    enqueue(sending.store, "a@x.test", "b@y.test")
    await sending.until_empty()
    (mail,) = sending.inbox("anna")
    assert {"Action a@x.test", "Action b@y.test"} <= set(read(mail)[1])


async def test_a_delay_is_told_once_after_four_hours(autojump_clock: MockClock, sending: Sending) -> None:
    sending.start_notices("example.test", "anna")
    sending.world["x.test"].obstacle = DOWN
    number = enqueue(sending.store, "a@x.test", "b@x.test", options={"b@x.test": {"notify": ["FAILURE"]}})
    await trio.sleep(4 * HOUR - 70)
    assert not sending.inbox("anna")
    await trio.sleep(140)
    (mail,) = sending.inbox("anna")
    _, fields = read(mail)
    assert fields["Action a@x.test"] == "delayed"
    assert "Will-Retry-Until a@x.test" in fields and "Action b@x.test" not in fields
    await trio.sleep(30 * HOUR)
    assert len(sending.inbox("anna")) == 1
    assert queued(sending.store, number).recipients[0].told


async def test_after_seven_days_it_is_given_up(autojump_clock: MockClock, sending: Sending) -> None:
    sending.start_notices("example.test", "anna")
    sending.world["x.test"].obstacle = DOWN
    number = enqueue(sending.store, "a@x.test", options={"a@x.test": {"notify": ["FAILURE"]}})
    await trio.sleep(QUEUE_LIFETIME - 70)
    assert number in sending.store.state.queue.by_id
    await trio.sleep(140)
    (mail,) = sending.inbox("anna")
    _, fields = read(mail)
    assert (fields["Action a@x.test"], fields["Status a@x.test"]) == ("failed", "4.4.7")
    assert fields["Diagnostic-Code a@x.test"] == "x-crockery; no server answers"
    assert sending.states(number) == {"a@x.test": "FAILED"}


async def test_giving_up_waits_for_a_proven_clock(autojump_clock: MockClock, sending: Sending) -> None:
    sending.start_notices("example.test", "anna")
    sending.clock_is_proven = False
    sending.world["x.test"].obstacle = DOWN
    number = enqueue(sending.store, "a@x.test", terms=Terms(return_by=sending.store.now + 600))
    await trio.sleep(HOUR)
    assert number in sending.store.state.queue.by_id
    sending.clock_is_proven = True
    assert await sending.until_empty() <= 61


async def test_a_deadline_that_wants_to_be_told(autojump_clock: MockClock, sending: Sending) -> None:
    sending.start_notices("example.test", "anna")
    sending.world["x.test"].obstacle = DOWN
    number = enqueue(sending.store, "a@x.test", terms=Terms(deliver_by=sending.store.now + 600))
    await trio.sleep(720)
    (mail,) = sending.inbox("anna")
    fields = read(mail)[1]
    assert (fields["Action a@x.test"], fields["Status a@x.test"]) == ("delayed", "4.4.7")
    assert b"\r\nDeliver-By-Date: " in mail
    assert "You wanted it to be delivered by " in " ".join(mail.decode().split())
    assert queued(sending.store, number).deliver_by == 0


async def test_a_deadline_that_another_server_has_told_of(autojump_clock: MockClock, sending: Sending) -> None:
    sending.start_notices("example.test", "anna")
    sending.world["x.test"].obstacle = DOWN
    enqueue(sending.store, "a@x.test", terms=Terms(deliver_by=sending.store.now - 5))
    await trio.sleep(720)
    assert not sending.inbox("anna")


async def test_what_comes_back_at_its_deadline_says_so(autojump_clock: MockClock, sending: Sending) -> None:
    sending.start_notices("example.test", "anna")
    sending.world["x.test"].obstacle = DOWN
    enqueue(sending.store, "a@x.test", terms=Terms(return_by=sending.store.now + 600))
    assert 600 <= await sending.until_empty() <= 661
    (mail,) = sending.inbox("anna")
    fields = read(mail)[1]
    assert (fields["Action a@x.test"], fields["Status a@x.test"]) == ("failed", "5.4.7")
    assert b"\r\nDeliver-By-Date: " in mail and b"Future-Release" not in mail
    assert "That time is over. What you can try: send it again with more time" in " ".join(mail.decode().split())


async def test_who_asks_for_too_much_is_told_so(autojump_clock: MockClock, sending: Sending) -> None:
    sending.start_notices("example.test", "anna")
    enqueue(sending.store, "a@x.test", terms=Terms(return_by=sending.store.now + 600))
    await sending.until_empty()
    (mail,) = sending.inbox("anna")
    words = " ".join(mail.decode().split())
    assert "does not promise that. What you can try: send it again without such a deadline." in words


async def test_a_notice_names_the_release_that_was_asked_for(autojump_clock: MockClock, sending: Sending) -> None:
    """RFC 4865 §5.1.2."""
    sending.start_notices("example.test", "anna")
    sending.world["x.test"].rcpt = lambda address: b"550 5.1.1 no such user"
    enqueue(sending.store, "a@x.test", terms=Terms(hold_until=sending.store.now + 600, hold="for;600"))
    await sending.until_empty()
    (mail,) = sending.inbox("anna")
    assert b"\r\nFuture-Release-Request: for;600\r\n" in mail and b"\r\nArrival-Date: " in mail


@pytest.mark.parametrize(
    ("terms", "notify", "extensions", "actions"),
    [
        ({"by_trace": True, "deliver_by": 600}, None, ("DSN", "DELIVERBY"), ["relayed"]),
        ({"by_trace": True, "return_by": 600}, ["FAILURE"], ("DSN", "DELIVERBY"), ["relayed"]),
        ({"by_trace": True, "deliver_by": 600}, ["NEVER"], ("DSN", "DELIVERBY"), []),
        ({"deliver_by": 600}, None, ("DSN", "DELIVERBY"), []),
        ({"deliver_by": 600}, None, ("DSN",), ["relayed"]),  # nobody watches the deadline from there on
        ({"deliver_by": 600}, ["NEVER"], ("DSN",), []),
        ({"return_by": 600}, None, ("DSN", "DELIVERBY 100"), []),
        ({"return_by": 600}, None, ("DSN",), ["failed"]),  # a server that promises nothing does not get it
        ({"return_by": 600}, None, ("DSN", "DELIVERBY 1000"), ["failed"]),
    ],
)
async def test_a_deadline_and_the_next_server(
    autojump_clock: MockClock,
    sending: Sending,
    terms: dict[str, int],
    notify: list[str] | None,
    extensions: tuple[str, ...],
    actions: list[str],
) -> None:
    sending.start_notices("example.test", "anna")
    sending.world["x.test"].extensions = extensions
    now = sending.store.now
    wanted = Terms(**{name: now + value if name != "by_trace" else True for name, value in terms.items()})  # type: ignore[arg-type]
    enqueue(sending.store, "a@x.test", terms=wanted, options={"a@x.test": {"notify": notify}} if notify else {})
    await sending.until_empty()
    assert [read(mail)[1]["Action a@x.test"] for mail in sending.inbox("anna")] == actions
    assert len(sending.world["x.test"].mails) == (actions != ["failed"])


@pytest.mark.parametrize(
    ("notify", "extensions", "confirms"),
    [
        (["SUCCESS", "FAILURE"], ("DSN", "DELIVERBY"), True), (["FAILURE"], ("DSN", "DELIVERBY"), False),
        (["SUCCESS"], ("DELIVERBY",), False),
    ],
)  # fmt: skip
async def test_handed_on_says_whether_more_will_be_heard(
    autojump_clock: MockClock, sending: Sending, notify: list[str], extensions: tuple[str, ...], confirms: bool
) -> None:
    sending.start_notices("example.test", "anna")
    sending.world["x.test"].extensions = extensions
    terms = Terms(by_trace=True, deliver_by=sending.store.now + 600)
    enqueue(sending.store, "a@x.test", terms=terms, options={"a@x.test": {"notify": notify}})
    await sending.until_empty()
    (mail,) = sending.inbox("anna")
    text = b" ".join(mail.split())
    assert (b"was asked to tell you when it is delivered, or why it is not:" in text) == confirms
    assert (b"does not confirm delivery" in text) == (not confirms)


@pytest.mark.parametrize(
    ("notify", "extensions", "action"),
    [(["SUCCESS"], ("PIPELINING",), "relayed"), (["SUCCESS"], ("DSN",), ""), (["NEVER"], ("PIPELINING",), "")],
)
async def test_success(
    autojump_clock: MockClock, sending: Sending, notify: list[str], extensions: tuple[str, ...], action: str
) -> None:
    sending.start_notices("example.test", "anna")
    sending.world["x.test"].extensions = extensions
    enqueue(sending.store, "a@x.test", options={"a@x.test": {"notify": notify, "orcpt": "rfc822;o@x.test"}})
    await sending.until_empty()
    told = [read(mail)[1] for mail in sending.inbox("anna")]
    assert [fields["Action a@x.test"] for fields in told] == ([action] if action else [])
    if told:
        assert told[0]["Original-Recipient a@x.test"] == "rfc822; o@x.test"


@pytest.mark.parametrize(
    ("extensions", "mail", "rcpt"),
    [
        (
            ("DSN",),
            "RET=FULL ENVID=a+2Bb+20c",
            ["NOTIFY=SUCCESS,DELAY ORCPT=rfc822;o+2Bx@old.test", "NOTIFY=NEVER", ""],
        ),
        (("PIPELINING",), "", ["", "", ""]),
    ],
    ids=["with DSN", "without"],
)
async def test_what_was_asked_for_is_passed_on(
    autojump_clock: MockClock, sending: Sending, extensions: tuple[str, ...], mail: str, rcpt: list[str]
) -> None:
    """RFC 3461 §5.2.1, §5.2.2."""
    sending.world["x.test"].extensions = extensions
    options = {
        "a@x.test": {"notify": ["SUCCESS", "DELAY"], "orcpt": "rfc822;o+x@old.test"},
        "b@x.test": {"notify": ["NEVER"]},
    }
    terms = Terms(ret="FULL", envid="a+b c")
    enqueue(sending.store, "a@x.test", "b@x.test", "c@x.test", options=options, terms=terms)
    await sending.until(lambda: bool(sending.world["x.test"].mails))
    (arrived,) = sending.world["x.test"].mails
    assert (arrived.parameters, arrived.recipient_parameters) == (mail, rcpt)


async def test_a_sender_elsewhere_is_told_by_mail(autojump_clock: MockClock, sending: Sending) -> None:
    sending.start_notices()
    sending.world["x.test"].rcpt = lambda address: b"550 5.1.1 no such user"
    enqueue(sending.store, "a@x.test", reverse_path="carl@far.test")
    await sending.until(lambda: len(sending.world["far.test"].mails) == 1)
    (mail,) = sending.world["far.test"].mails
    assert (mail.sender, mail.recipients) == ("", ["carl@far.test"])
    sending.world["far.test"].rcpt = lambda address: b"550 5.1.1 no such user either"
    enqueue(sending.store, "a@x.test", reverse_path="carl@far.test")
    await sending.until_empty()
    assert len(sending.world["far.test"].mails) == 1


@pytest.mark.parametrize("extension", ["REQUIRETLS", "HELP"])
async def test_the_bounce_of_mail_that_needs_tls(autojump_clock: MockClock, sending: Sending, extension: str) -> None:
    """RFC 8689 §5: it says REQUIRETLS itself, and goes to servers that do not know that all the same."""
    sending.start_notices()
    sending.world["x.test"].rcpt = lambda address: b"550 5.1.1 no such user"
    sending.world["x.test"].extensions = ("REQUIRETLS",)
    sending.world["far.test"].extensions = (extension,)
    enqueue(sending.store, "a@x.test", reverse_path="carl@far.test", origin="forward", terms=Terms(requiretls=True))
    await sending.until(lambda: len(sending.world["far.test"].mails) == 1)
    (mail,) = sending.world["far.test"].mails
    assert mail.sender == "" and mail.parameters == ("REQUIRETLS" if extension == "REQUIRETLS" else "")


@pytest.mark.parametrize("reverse_path", ["", "gone@example.test", "not an address"])
async def test_nobody_to_tell(autojump_clock: MockClock, sending: Sending, reverse_path: str) -> None:
    sending.start_notices("example.test", "anna")
    sending.world["x.test"].rcpt = lambda address: b"550 5.1.1 no such user"
    enqueue(sending.store, "a@x.test", reverse_path=reverse_path)
    await sending.until_empty()
    assert not sending.inbox("anna")
    assert not sending.store.state.queue.by_id

"""What other servers say later of mail that was sent: matched to it, told in its story, and no more than that."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crockery.actions.accounts import add_alias
from crockery.actions.incoming import received
from crockery.actions.mail import deliver
from crockery.actions.queue import Outcome, Outgoing, Terms, record_outcomes
from crockery.actions.signing import ensure_srs_key
from crockery.actions.store import Store
from crockery.delivery.accept import accept
from crockery.delivery.envelope import Client, Envelope
from crockery.delivery.forwarding import rewrite_path
from crockery.delivery.inbound import INBOUND
from crockery.delivery.intake import Intake, Message
from crockery.message.compose import Mailbox as Person
from crockery.message.dsn import Notice, render_dsn
from crockery.message.dsn_parse import parse_dsn
from crockery.message.dsn_status import Action, RecipientStatus
from crockery.projections.queue import Place, Report
from crockery.projections.state import State
from crockery.smtp.wire import parse_mailbox
from crockery.web.control.stories import tell
from tests.support.queue import MESSAGE, enqueue, queued
from tests.support.smtp_session import make_store, the_server
from tests.support.store import messages

PLACE = Place("mx.there.test", "192.0.2.25")
PEER = "192.0.2.99"
DATA = Path(__file__).parents[1] / "data" / "dsn"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = make_store(tmp_path / "x.crk")
    yield store
    store.log.file.close()


def sent(store: Store, *recipients: str, result: str = "relayed", **more: Any) -> int:
    number = enqueue(store, *recipients, **more)
    record_outcomes(store, queued(store, number), [Outcome(recipients, result, 250, "2.0.0", "ok")], place=PLACE)
    return number


def notice(
    *statuses: RecipientStatus, original: bytes = MESSAGE, envelope_id: str = "", to: str = "anna@example.test"
) -> bytes:
    return render_dsn(
        Notice(
            Person("postmaster@there.test", ""), to, 1_760_000_000, "<n@there.test>", "mx.there.test", 1_760_000_000,
            envelope_id, original, False, statuses,
        )
    )  # fmt: skip


def failed(final: str, original: str = "", action: Action = Action.FAILED) -> RecipientStatus:
    return RecipientStatus(final, action, "5.1.1", original, "inner.there.test", "550 5.1.1 no such user")


def come_in(store: Store, data: bytes, *to: str, sender: str = "", peer: str = PEER, account: int = 0) -> int:
    client = Client(peer, "mx.there.test", True, "", account)
    path = parse_mailbox(sender) if sender else None
    envelope = Envelope(client, path, recipients=[parse_mailbox(address) for address in to or ("anna@example.test",)])
    intake = Intake(store, INBOUND, envelope)
    for start in range(0, len(data), 5000):
        intake.write(data[start : start + 5000])
    message = intake.finish()
    assert isinstance(message, Message)
    number = accept(store, INBOUND, the_server(), envelope, message)
    assert isinstance(number, int)
    return number


def reports(store: Store, message: int) -> dict[str, tuple[Report, ...]]:
    return store.state.queue.reports.get(message, {})


def test_a_failure_is_a_part_of_the_story_and_changes_no_state(store: Store) -> None:
    number = sent(store, "ben@there.test", "carl@there.test")
    came = come_in(store, notice(failed("ben@there.test")))
    (report,) = reports(store, number)["ben@there.test"]
    assert (report.number, report.peer, report.reporter) == (came, PEER, "mx.there.test")
    message = store.state.queue.find(number)
    assert message is not None
    assert [r.state.name for r in message.recipients] == ["RELAYED", "RELAYED"]
    told = tell(message, message.recipients[0], store.now, stands_still=False, reports=(report,))
    assert told["story"][-1].partition(": ")[2] == (
        "their server mx.there.test later said: it could not be delivered by inner.there.test: 550 5.1.1 no such user "
        f"(the notice is message {came}, and came from 192.0.2.99)"
    )
    assert told["reports"][0]["action"] == "failed"
    assert len(messages(store, "anna")) == 1


@pytest.mark.parametrize("action", list(Action))
def test_every_action_has_a_sentence(store: Store, action: Action) -> None:
    number = sent(store, "ben@there.test")
    come_in(store, notice(failed("ben@there.test", action=action)))
    message = store.state.queue.find(number)
    assert message is not None
    told = tell(message, message.recipients[0], 0, stands_still=False, reports=reports(store, number)["ben@there.test"])
    sentence = {
        "failed": "could not be delivered", "delayed": "is delayed", "delivered": "was delivered",
        "relayed": "went on to a server", "expanded": "members of a list",
    }[action.value]  # fmt: skip
    assert sentence in told["story"][-1]


def test_by_original_recipient_and_by_the_one_recipient(store: Store) -> None:
    number = sent(store, "ben@there.test", "carl@there.test")
    come_in(store, notice(failed("b@inner.test", "rfc822;Ben@there.test"), failed("nobody@inner.test")))
    assert {name: one[0].final for name, one in reports(store, number).items()} == {"ben@there.test": "b@inner.test"}
    number = sent(store, "dora@there.test")
    come_in(store, notice(failed("d@inner.test")))
    assert {name: one[0].final for name, one in reports(store, number).items()} == {"dora@there.test": "d@inner.test"}


def test_by_envelope_id(store: Store) -> None:
    number = sent(store, "ben@there.test", terms=Terms(envid="QQ-1"))
    come_in(store, notice(failed("ben@there.test"), original=b"Subject: x\r\n\r\n", envelope_id="QQ-1"))
    assert list(reports(store, number)) == ["ben@there.test"]


def test_a_bounce_of_a_forward_finds_it_and_goes_on(store: Store) -> None:
    ensure_srs_key(store)
    add_alias(store, the_server(), "out", ["friend@there.test"])
    path = rewrite_path(store, parse_mailbox("c@client.test"))
    number = sent(store, "friend@there.test", origin="forward", reverse_path=path)
    before = set(store.state.queue.by_id)
    come_in(store, notice(failed("friend@there.test")), path)
    assert [report.action for report in reports(store, number)["friend@there.test"]] == ["failed"]
    (onward,) = set(store.state.queue.by_id) - before
    assert [r.address for r in queued(store, onward).recipients] == ["c@client.test"]


FORGED: dict[str, dict[str, Any]] = {
    "another Message-ID": {"data": notice(failed("ben@there.test"), original=b"Message-ID: <2@example.test>\r\n\r\n")},
    "an ENVID beside another Message-ID": {
        "data": notice(failed("ben@there.test"), original=b"Message-ID: <2@x.test>\r\n\r\n", envelope_id="QQ-1")
    },
    "neither": {"data": notice(failed("ben@there.test"), original=b"Subject: x\r\n\r\n")},
    "to whom it was never sent": {"data": notice(failed("dora@there.test"))},
    "to somebody else than its sender": {"data": notice(failed("ben@there.test")), "to": "ben@example.test"},
    "from a person": {"data": notice(failed("ben@there.test")), "sender": "x@there.test"},
    "not a report": {"data": MESSAGE},
}


@pytest.mark.parametrize("name", FORGED)
def test_what_does_not_fit_counts_for_nothing(store: Store, name: str) -> None:
    number = sent(store, "ben@there.test", "carl@there.test", terms=Terms(envid="QQ-1"))
    forged = dict(FORGED[name])
    to = str(forged.pop("to", "anna@example.test"))
    come_in(store, forged.pop("data"), to, **forged)
    assert not reports(store, number)


@pytest.mark.parametrize("result", ["deferred", "held", "failed", ""])
def test_nobody_can_report_of_mail_that_no_server_took(store: Store, result: str) -> None:
    number = enqueue(store, "ben@there.test") if not result else sent(store, "ben@there.test", result=result)
    come_in(store, notice(failed("ben@there.test")))
    assert not reports(store, number)


def test_a_large_notice_is_read_as_far_as_needed(store: Store) -> None:
    number = sent(store, "ben@there.test")
    data = notice(failed("ben@there.test"))
    come_in(store, data + b"x" * 70 + b"\r\n" + b"epilogue\r\n" * 40_000)
    assert list(reports(store, number)) == ["ben@there.test"]


def test_it_survives_a_snapshot_and_is_bounded(store: Store) -> None:
    number = sent(store, "ben@there.test")
    for _ in range(9):
        come_in(store, notice(failed("ben@there.test", action=Action.DELAYED)))
    assert len(reports(store, number)["ben@there.test"]) == 6
    again = State()
    again.load(store.state.dump())
    assert again.queue.reports == store.state.queue.reports
    assert again.sent.find("1@example.test", "") == [number]


@pytest.mark.parametrize("name", ["postfix", "exim", "exim-old", "gmail", "exchange", "sendmail", "postfix-delayed"])
def test_notices_as_others_write_them(store: Store, name: str) -> None:
    data = (DATA / f"{name}.eml").read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    report = parse_dsn(data)
    assert report is not None and report.recipients
    original = f"From: anna@example.test\r\nMessage-ID: {report.message_id}\r\n\r\n".encode()
    recipient = report.recipients[0].original or report.recipients[0].final
    outgoing = Outgoing(1, "anna@example.test", [recipient], b"", terms=Terms(envid=report.envelope_id))
    deliver(store, the_server(), received(original), [], outgoing, via="submission",
            message_id=report.message_id.strip("<>"))  # fmt: skip
    number = store.log.head
    record_outcomes(store, queued(store, number), [Outcome([recipient], "relayed", 250)], place=PLACE)
    come_in(store, data)
    assert list(reports(store, number)) == [recipient]

"""Delivery status notifications of other programs, in the forms they are met in (tests/data/dsn)."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.message.dsn_parse import DeliveryReport, ReportedRecipient, parse_dsn
from crockery.message.dsn_status import Action

DATA = Path(__file__).parent.parent / "data" / "dsn"


def recipient(
    final: str, action: Action, status: str, diagnostic: str = "", host: str = "", original: str = ""
) -> ReportedRecipient:
    return ReportedRecipient(original, final, action, status, diagnostic, host)


EXPECTED = {
    "postfix": DeliveryReport(
        "QUJD-17", "<17@example.test>", "relay.shady.test",
        (
            recipient(
                "bob@shady.test", Action.FAILED, "5.1.1",
                "550 5.1.1 <bob@shady.test>: Recipient address rejected: User unknown", "mx.shady.test",
                "Bob@shady.test",
            ),
            recipient(
                "carol@shady.test", Action.FAILED, "5.2.2", "552 5.2.2 Over quota", "mx.shady.test", "carol@shady.test"
            ),
        ),
    ),
    "postfix-delayed": DeliveryReport(
        "", "<18@example.test>", "relay.shady.test",
        (
            recipient(
                "bob@slow.test", Action.DELAYED, "4.4.1",
                "connect to mx.slow.test[192.0.2.26]:25: Connection timed out",
            ),
        ),
    ),
    "exim": DeliveryReport(
        "", "<19@example.test>", "exim.test",
        (recipient("bob@exim.test", Action.FAILED, "5.0.0", "550 Unknown user", "mx.exim.test"),),
    ),
    "exim-old": DeliveryReport(
        "", "<20@example.test>", "",
        (
            recipient(
                "bob@exim.test", Action.FAILED, "5.1.1",
                "SMTP error from remote mail server after RCPT TO:<bob@exim.test>: "
                "host mx.exim.test [192.0.2.27]: 550 5.1.1 Unknown user", "mx.exim.test",
            ),
            recipient("carol@other.test", Action.FAILED, "5.0.0", "Unrouteable address"),
        ),
    ),
    "exchange": DeliveryReport(
        "", "<21@example.test>", "EX01.corp.test",
        (
            recipient(
                "robert@corp.test", Action.FAILED, "5.1.10",
                "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
                "EX02.corp.test", "bob@corp.test",
            ),
        ),
    ),
    "gmail": DeliveryReport(
        "", "<22@example.test>", "googlemail.test",
        (
            recipient(
                "nobody@gmail.test", Action.FAILED, "5.1.1",
                "550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 "
                "double-checking the recipient's email address for typos or 550 5.1.1 unnecessary spaces. - gsmtp",
                "gmail-smtp-in.l.gmail.test. (192.0.2.28, the server for the domain gmail.test.)",
            ),
        ),
    ),
    "sendmail": DeliveryReport(
        "EV+23", "<23@example.test>", "old.test",
        (
            recipient("list@old.test", Action.EXPANDED, "2.1.5", original="list@old.test"),
            recipient("ben@old.test", Action.RELAYED, "2.0.0", host="inner.old.test"),
        ),
    ),
    "global": DeliveryReport(
        "", "<24@example.test>", "utf8.test",
        (recipient("jürgen@utf8.test", Action.FAILED, "5.1.1", original="jürgen@utf8.test"),),
    ),
}  # fmt: skip


def test_every_sample_is_expected() -> None:
    assert {path.stem for path in DATA.glob("*.eml")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("newline", [b"\r\n", b"\n"], ids=["CRLF", "LF"])
def test_samples(name: str, newline: bytes) -> None:
    data = (DATA / f"{name}.eml").read_bytes()
    assert parse_dsn(data.replace(b"\r\n", newline)) == EXPECTED[name]


@pytest.mark.parametrize("name", EXPECTED)
def test_cut_and_damaged_samples_do_not_raise(name: str) -> None:
    data = (DATA / f"{name}.eml").read_bytes()
    for cut in range(0, len(data), 17):
        parse_dsn(data[:cut])
        parse_dsn(data[:cut] + b"\xff\x00" + data[cut + 3 :])


def report(groups: str) -> bytes:
    return (
        'Content-Type: multipart/report; boundary="b"\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n'
        f"{groups}\r\n--b--\r\n"
    ).encode()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("Final-Recipient: a@b\r\nStatus: 5.0.0\r\nDiagnostic-Code: smtp; 550 5.7.1 no", ("a@b", "failed", "5.7.1")),
        ("Final-Recipient: a@b\r\nStatus: 4.2.2 (full)", ("a@b", "delayed", "4.2.2")),
        ("Final-Recipient: rfc822;<a@b>\r\nAction: failed\r\nDiagnostic-Code: 552 Full", ("a@b", "failed", "5.0.0")),
        ("Final-Recipient: a@b\r\nAction: failed", ("a@b", "failed", "")),
        ("Final-Recipient: a@b\r\nAction: vanished", None),
        ("Final-Recipient: a@b\r\nAction: (x) Delivered (y)\r\nStatus: 2.0.0", ("a@b", "delivered", "2.0.0")),
        ("Final-Recipient: utf-8; \\x{110000}\\x{D800}\\x{0}@b\r\nAction: failed", ("\ufffd" * 3 + "@b", "failed", "")),
    ],
    ids=["status in the diagnosis", "no action", "no status", "neither", "no known action", "comments", "escapes"],
)
def test_odd_fields(fields: str, expected: tuple[str, str, str] | None) -> None:
    found = parse_dsn(report(f"Reporting-MTA: dns; x\r\n\r\n{fields}\r\n"))
    assert found is not None
    assert [(r.final, r.action, r.status) for r in found.recipients] == ([expected] if expected else [])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"Subject: hello\r\n\r\nHi",
        b"Content-Type: message/rfc822\r\n\r\n" + (DATA / "postfix.eml").read_bytes(),
        b'Content-Type: multipart/report; report-type=disposition-notification; boundary="b"\r\n\r\n--b\r\n'
        b"Content-Type: message/disposition-notification\r\n\r\nDisposition: x\r\n\r\n--b--\r\n",
    ],
    ids=["nothing", "usual mail", "somebody forwards a notice", "a receipt"],
)
def test_no_notices(data: bytes) -> None:
    assert parse_dsn(data) is None


@given(st.text(max_size=300))
def test_any_status_part(text: str) -> None:
    assert parse_dsn(report(text)) is not None


def test_many_recipients_are_cut_off() -> None:
    found = parse_dsn(report("Final-Recipient: a@b\r\nAction: failed\r\n\r\n" * 20_000))
    assert found is not None
    assert len(found.recipients) == 1000
    names = b",".join(b"a%d@b.test" % n for n in range(20_000))
    found = parse_dsn(b"X-Failed-Recipients: " + names + b"\r\n\r\n" + b"\n  a\n" * 20_000)
    assert found is not None
    assert len(found.recipients) == 1000


def test_the_newest_reference_stands_in_for_the_message_id() -> None:
    found = parse_dsn(b"References: <old@x> <new@x>\r\n" + report("Final-Recipient: a@b\r\nAction: failed\r\n"))
    assert found is not None
    assert found.message_id == "<new@x>"

"""Mail of programs is no answer."""

import pytest

from crockery.assistant.may_answer import NoAnswer, why_no_answer

PERSON = "From: Anna <anna@example.test>\r\nSubject: Re: Not sent yet\r\nMIME-Version: 1.0\r\n"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("", None),
        ("Auto-Submitted: no", None),
        ("Auto-Submitted: NO (really)", None),
        ("Auto-Submitted: no; owner-email=x", None),
        ("Content-Type: text/plain; charset=utf-8", None),
        ("Content-Type: multipart/alternative; boundary=b", None),
        ("Precedence: normal", None),
        ("X-Auto-Response-Suppress: All", None),
        ("Disposition-Notification-To: anna@example.test", None),
        ("Auto-Submitted: auto-replied", NoAnswer.AUTOMATIC),
        ("Auto-Submitted: auto-generated", NoAnswer.AUTOMATIC),
        ("auto-submitted:\r\n Auto-Replied (vacation)", NoAnswer.AUTOMATIC),
        ("Auto-Submitted: auto-notified; owner-email=x", NoAnswer.AUTOMATIC),
        ("Auto-Submitted:", NoAnswer.AUTOMATIC),
        ("Auto-Submitted: (no) yes", NoAnswer.AUTOMATIC),
        ("X-Autoreply: yes", NoAnswer.AUTOMATIC),
        ("X-Autorespond:", NoAnswer.AUTOMATIC),
        ("Precedence: auto_reply", NoAnswer.AUTOMATIC),
        ("Precedence: Bulk", NoAnswer.LIST),
        ("Precedence: list", NoAnswer.LIST),
        ("Precedence: junk", NoAnswer.LIST),
        ("List-Id: <x.example.test>", NoAnswer.LIST),
        ("List-Unsubscribe: <mailto:x@y>", NoAnswer.LIST),
        ("List-Post: NO", NoAnswer.LIST),
        ("Content-Type: multipart/report; report-type=delivery-status; boundary=b", NoAnswer.NOTICE),
        ("Content-Type: Multipart/Report; boundary=b", NoAnswer.NOTICE),
        ("Content-Type: message/delivery-status", NoAnswer.NOTICE),
        ("X-Failed-Recipients: bob@shady.test", NoAnswer.NOTICE),
        ("Content-Type: multipart/report;\r\n report-type=disposition-notification; boundary=b", NoAnswer.RECEIPT),
        ("Content-Type: message/disposition-notification", NoAnswer.RECEIPT),
    ],
)
def test_headers(fields: str, expected: NoAnswer | None) -> None:
    message = (PERSON + (fields + "\r\n" if fields else "") + "\r\nsend\r\n").encode()
    assert why_no_answer(message, "anna@example.test") == expected


def test_null_reverse_path() -> None:
    assert why_no_answer(PERSON.encode() + b"\r\nsend\r\n", "") == NoAnswer.AUTOMATIC


def test_what_stands_in_the_body_does_not_count() -> None:
    assert why_no_answer(PERSON.encode() + b"\r\nAuto-Submitted: auto-replied\r\n", "a@b") is None
    assert why_no_answer(b"", "a@b") is None

"""Notices that we write, read back by us and by the standard library; and as a person reads them."""

import dataclasses
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.limits import DSN_WHOLE_MAX
from crockery.message.compose import Mailbox
from crockery.message.dsn import Notice, render_dsn
from crockery.message.dsn_parse import ReportedRecipient, parse_dsn
from crockery.message.dsn_reasons import REASONS, explain_status
from crockery.message.dsn_status import Action, RecipientStatus
from crockery.message.edit import find_bare_newline
from crockery.message.structure import iterate_parts, parse_structure
from crockery.message.text import part_text

ORIGINAL = (
    b"From: anna@example.test\r\nTo: bob@shady.test\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
    b"Date: Sun, 22 Nov 2026 17:11:04 +0100\r\nMessage-ID: <17@example.test>\r\n\r\nHello Bob\r\n"
)
REFUSED = RecipientStatus(
    "bob@shady.test", Action.FAILED, "5.1.1", "rfc822;Bob@shady.test", "mx.shady.test",
    "550 5.1.1 <bob@shady.test>: Recipient address rejected:\nUser unknown", last_attempt=1_795_363_870,
)  # fmt: skip


def notice(*recipients: RecipientStatus, **changes: Any) -> Notice:
    values: dict[str, Any] = {
        "sender": Mailbox("postmaster@example.test", "Crockery"),
        "to": "anna@example.test",
        "date": 1_795_363_900,
        "message_id": "<dsn1@example.test>",
        "reporting_mta": "mail.example.test",
        "arrival": 1_795_363_864,
        "envelope_id": "QUJD-17",
        "original": ORIGINAL,
        "whole": True,
        "recipients": recipients or (REFUSED,),
    }
    return Notice(**(values | changes))


def text_of(data: bytes) -> str:
    return part_text(data, parse_structure(data).children[0]).replace("\r\n", "\n")


def test_what_a_person_reads() -> None:
    data = render_dsn(notice())
    assert text_of(data) == (
        'This is about your message "Grüße", sent on Sunday, 22 November 2026 at\n17:11 (UTC+1).\n\n'
        "It could not be delivered to this recipient, and nothing more will be\ntried:\n\n"
        "  bob@shady.test\n"
        "    There is no mailbox bob@shady.test.\n"
        "    The mail server mx.shady.test said:\n"
        "      550 5.1.1 <bob@shady.test>: Recipient address rejected:\n"
        "      User unknown\n"
        "    What you can try: check the address for typing mistakes, or ask the\n"
        "    recipient another way for the right one.\n\n"
        "Your message is attached. About recipients who are not named here, this\nnotice says nothing.\n"
    )


def test_header_and_parts() -> None:
    message = message_from_bytes(render_dsn(notice()), policy=default)
    assert message["subject"] == "Not delivered: Grüße"
    assert message["auto-submitted"] == "auto-replied"
    assert message["in-reply-to"] == message["references"] == "<17@example.test>"
    assert message.get_content_type() == "multipart/report"
    assert message["content-type"].params["report-type"] == "delivery-status"
    kinds = [part.get_content_type() for part in message.iter_parts()]
    assert kinds == ["text/plain", "message/delivery-status", "message/rfc822"]
    groups = list(message.iter_parts())[1].get_payload()
    assert [dict(group.items()) for group in groups] == [  # type: ignore[union-attr]
        {
            "Original-Envelope-Id": "QUJD-17",
            "Reporting-MTA": "dns; mail.example.test",
            "Arrival-Date": "Sun, 22 Nov 2026 16:11:04 +0000",
        },
        {
            "Original-Recipient": "rfc822; Bob@shady.test",
            "Final-Recipient": "rfc822; bob@shady.test",
            "Action": "failed",
            "Status": "5.1.1",
            "Remote-MTA": "dns; mx.shady.test",
            "Diagnostic-Code": "smtp; 550 5.1.1 <bob@shady.test>: Recipient address rejected: User unknown",
            "Last-Attempt-Date": "Sun, 22 Nov 2026 16:11:10 +0000",
        },
    ]


def test_all_actions() -> None:
    data = render_dsn(
        notice(
            RecipientStatus("d@slow.test", Action.DELAYED, "4.4.1", diagnosis="timed out", retry_until=1_795_968_664),
            RecipientStatus("e@fine.test", Action.DELIVERED, "2.0.0", remote_host="mx.fine.test"),
            RecipientStatus("r@plain.test", Action.RELAYED, "2.0.0"),
            RecipientStatus("l@list.test", Action.EXPANDED, "2.0.0"),
        )
    )
    text = text_of(data)
    assert "It is tried again until Sunday, 29 November 2026 at 17:11 (UTC+1)." in text
    assert "you need not send it again" in text.replace("\n", " ")
    assert "taken by the mail server mx.fine.test" in text
    assert "does not confirm delivery" in text.replace("\n", " ")
    assert "What you can try" not in text
    assert b"Subject: =?utf-8?q?Not_delivered_yet=3A" in data
    found = parse_dsn(data)
    assert found is not None
    assert [r.action for r in found.recipients] == [Action.DELAYED, Action.DELIVERED, Action.RELAYED, Action.EXPANDED]
    assert b"Will-Retry-Until: Sun, 29 Nov 2026 16:11:04 +0000\r\n" in data
    assert b"Diagnostic-Code: x-crockery; timed out\r\n" in data


@pytest.mark.parametrize(
    ("original", "whole", "kind", "encoding"),
    [
        (ORIGINAL, True, "message/rfc822", "7bit"),
        (ORIGINAL, False, "text/rfc822-headers", "7bit"),
        (ORIGINAL + b"\xe4\r\n", True, "message/rfc822", "8bit"),
        (ORIGINAL + b"\xe4\r\n", False, "text/rfc822-headers", "7bit"),
        (b"Subject: \xc3\xbc\r\n" + ORIGINAL, True, "message/global", "8bit"),
        (b"Subject: \xc3\xbc\r\n" + ORIGINAL, False, "message/global-headers", "8bit"),
        (ORIGINAL + b"x" * 78 * (DSN_WHOLE_MAX // 78), True, "text/rfc822-headers", "7bit"),
        (b"", True, "message/rfc822", "7bit"),
        (b"no header at all\r\n", False, "text/rfc822-headers", "7bit"),
    ],
    ids=[
        "whole",
        "header",
        "8-bit body",
        "header of that",
        "utf-8",
        "header of that one",
        "too large",
        "empty",
        "none",
    ],
)
def test_what_comes_back(original: bytes, whole: bool, kind: str, encoding: str) -> None:
    data = render_dsn(notice(original=original, whole=whole))
    part = parse_structure(data).children[2]
    assert (f"{part.maintype}/{part.subtype}", part.encoding) == (kind, encoding)
    content = data[part.body_start : part.body_end]
    assert (b"Hello Bob" in content) == (kind.startswith("message/") and "headers" not in kind and b"Hello" in original)
    assert ("is attached" in text_of(data)) and ("The header of" in text_of(data)) == (kind.endswith("headers"))


def test_addresses_beyond_ascii() -> None:
    data = render_dsn(notice(RecipientStatus("jürgen@shady.test", Action.FAILED, "5.1.1", "utf-8;jürgen@shady.test")))
    assert not data.isascii()
    assert b"Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n" in data
    assert "Final-Recipient: utf-8; jürgen@shady.test\r\n".encode() in data
    found = parse_dsn(data)
    assert found is not None
    assert (found.recipients[0].original, found.recipients[0].final) == ("jürgen@shady.test",) * 2


def test_own_words_win() -> None:
    words = dataclasses.replace(REFUSED, why="The certificate was never put right.", advice="Ask Bob.")
    text = text_of(render_dsn(notice(words)))
    assert "    The certificate was never put right.\n" in text
    assert "    What you can try: ask Bob.\n" in text


addresses = st.from_regex(r"[a-z0-9äü+.-]{1,30}@[a-z0-9.-]{1,30}", fullmatch=True)
statuses = st.builds(
    RecipientStatus,
    final=addresses,
    action=st.sampled_from(Action),
    status=st.from_regex(r"[245]\.[0-9]{1,2}\.[0-9]{1,2}", fullmatch=True),
    remote_host=st.sampled_from(["", "mx.shady.test"]),
    remote_reply=st.text(max_size=80).map(lambda text: "550 " + text),
)


@given(st.lists(statuses, min_size=1, max_size=4), st.text(st.characters(codec="ascii"), max_size=20))
def test_written_and_read(recipients: list[RecipientStatus], envelope_id: str) -> None:
    data = render_dsn(notice(*recipients, envelope_id=envelope_id))
    assert find_bare_newline(data) is None
    found = parse_dsn(data)
    assert found is not None
    assert found.message_id == "<17@example.test>"
    assert found.reporting_host == "mail.example.test"
    assert [(r.final, r.action) for r in found.recipients] == [(r.final, r.action) for r in recipients]
    assert len([p for p in iterate_parts(parse_structure(data)) if p.maintype == "message"]) == 2


def test_a_remote_cannot_forge_fields() -> None:
    reply = "550 no\r\nAction: delivered\r\n\r\nFinal-Recipient: rfc822; evil@x\r\n--=_" + "x" * 5000
    data = render_dsn(notice(dataclasses.replace(REFUSED, remote_reply=reply)))
    found = parse_dsn(data)
    assert found is not None
    assert [type(r) for r in found.recipients] == [ReportedRecipient]
    assert found.recipients[0].action == Action.FAILED
    assert max(map(len, data.split(b"\r\n"))) < 998


@pytest.mark.parametrize("code", REASONS)
def test_sentences(code: str) -> None:
    """Every sentence ends, names no braces, and is short enough to be read."""
    reason = explain_status(f"5.{code}", "bob@shady.test")
    for sentence in (reason.why, reason.advice):
        assert sentence.endswith(".") and "{" not in sentence and 20 < len(sentence) < 160
    assert explain_status(f"4.{code}", "bob@shady.test") == reason


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("5.1.99", "did not accept the address"), ("5.9.9", "refused the message"), ("4.9.9", "could not take"),
        ("", "refused the message"), ("5", "refused the message"), ("5.7.99", "by its rules"),
    ],
)  # fmt: skip
def test_unknown_codes(status: str, expected: str) -> None:
    assert expected in explain_status(status, "bob@shady.test").why


def test_no_control_characters_come_through() -> None:
    data = render_dsn(notice(dataclasses.replace(REFUSED, remote_reply="550 \x00no\x1b[2J\x85 \x7fnever")))
    assert not set(data) & {0, 0x1B, 0x7F}
    assert b"Diagnostic-Code: smtp; 550 no [2J never\r\n" in data

"""New messages, read back by us and by the standard library."""

from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.message.addresses import parse_mailboxes
from crockery.message.compose import Attachment, Draft, Mailbox, attachment_entity, compose, text_entity
from crockery.message.edit import find_bare_newline
from crockery.message.headers import field_values
from crockery.message.structure import parse_structure
from crockery.message.text import header_texts, part_text
from crockery.message.transfer import decode_transfer


def draft(**changes: Any) -> Draft:
    values: dict[str, Any] = {
        "sender": Mailbox("anna@example.test", "Anna"),
        "to": [Mailbox("bob@example.test", "Bob, the Builder"), Mailbox("c@example.test")],
        "subject": "Hello",
        "date": 0,
        "message_id": "<1@example.test>",
        "text": "Hi Bob\n",
    }
    return Draft(**(values | changes))


def test_simple_message() -> None:
    assert compose(draft()) == (
        b"Date: Thu, 1 Jan 1970 00:00:00 +0000\r\nFrom: Anna <anna@example.test>\r\n"
        b'To: "Bob, the Builder" <bob@example.test>, c@example.test\r\nSubject: Hello\r\n'
        b"Message-ID: <1@example.test>\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\nHi Bob\r\n"
    )


RICH = draft(
    subject="Grüße aus Köln und ein langer Betreff, der über mehrere Zeilen geht, weil er so lang ist",
    sender=Mailbox("anna@example.test", "Änna"),
    text="Zeile eins äöü\nZeile zwei",
    html="<p>Привет</p>",
    attachments=[
        Attachment("Prüfung €.pdf", "application/pdf", bytes(range(256)) * 10),
        Attachment("a.txt", "a/b", b""),
    ],
    cc=[Mailbox("d@example.test")],
    reply_to=[Mailbox("e@example.test")],
    in_reply_to="<0@x>",
    references=[f"<{n}@references.example.test>" for n in range(20)],
    fields=[("Auto-Submitted", "auto-generated"), ("X-Note", "ü\r\nBcc: evil@example.test")],
)


def test_rich_message_is_read_back() -> None:
    data = compose(RICH)
    assert find_bare_newline(data) is None
    assert max(map(len, data.split(b"\r\n"))) <= 78
    root = parse_structure(data)
    assert header_texts(data, b"subject") == [RICH.subject]
    assert header_texts(data, b"from") == ["Änna <anna@example.test>"]
    assert field_values(data, b"bcc") == []
    assert len(field_values(data, b"references")[0].split()) == 20
    alternative, pdf, _ = root.children
    plain, html = alternative.children
    assert part_text(data, plain) == "Zeile eins äöü\r\nZeile zwei\r\n"
    assert part_text(data, html) == "<p>Привет</p>\r\n"
    assert pdf.filename == "Prüfung €.pdf"
    assert decode_transfer(data[pdf.body_start : pdf.body_end], pdf.encoding) == RICH.attachments[0].content


def test_rich_message_is_read_by_the_standard_library() -> None:
    message = message_from_bytes(compose(RICH), policy=default)
    assert message["subject"] == RICH.subject
    assert message["from"].addresses[0].display_name == "Änna"
    names = [part.get_filename() for part in message.iter_attachments()]
    assert names == ["Prüfung €.pdf", "a.txt"]
    body = message.get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == "Zeile eins äöü\nZeile zwei\n"


def test_long_names_go_in_pieces() -> None:
    name = "ü" * 200 + ".pdf"
    entity = attachment_entity(Attachment(name, "application/pdf", b""))
    assert max(map(len, entity.split(b"\r\n"))) <= 78
    assert parse_structure(entity).filename == name


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"))
)
def test_any_text_comes_back(text: str) -> None:
    entity = text_entity(text)
    assert find_bare_newline(entity) is None
    assert part_text(entity, parse_structure(entity)) == (text + "\r\n" if text else "")


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_name_or_subject_injects_a_field(name: str, subject: str) -> None:
    data = compose(draft(subject=subject, sender=Mailbox("anna@example.test", name)))
    assert find_bare_newline(data) is None
    assert [line.partition(b":")[0] for line in data.split(b"\r\n\r\n")[0].split(b"\r\n") if line[:1] != b" "] == [
        b"Date", b"From", b"To", b"Subject", b"Message-ID", b"MIME-Version", b"Content-Type",
        b"Content-Transfer-Encoding",
    ]  # fmt: skip
    assert parse_mailboxes(field_values(data, b"from")[0]) == ["anna@example.test"]


@pytest.mark.parametrize(
    "changes",
    [
        {"sender": Mailbox("anna")},
        {"sender": Mailbox("a@b>\r\nBcc: x@y")},
        {"message_id": "1@x"},
        {"references": ["<a> <b>"]},
        {"fields": [("X:", "y")]},
        {"attachments": [Attachment("x", "pdf", b"")]},
    ],
    ids=str,
)
def test_unusable_values(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not a"):
        compose(draft(**changes))

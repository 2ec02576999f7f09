"""What is kept of a message."""

import pytest

from crockery.message.bodystructure import render_bodystructure
from crockery.message.envelope import render_envelope
from crockery.message.structure import parse_structure
from crockery.message.summary import summarize

MAIL = (
    b"Date: Thu, 1 Jan 1970 01:00:00 +0100\r\nSubject: Re: [x] =?utf-8?q?=C3=BC?=\r\nMessage-ID: <3@x>\r\n"
    b"In-Reply-To: <2@x>\r\nReferences: <1@x>\r\n <2@x>\r\n\r\nbody"
)


def test_fields() -> None:
    summary = summarize(MAIL)
    part = parse_structure(MAIL)
    assert part.envelope is not None
    assert summary.envelope == render_envelope(part.envelope)
    assert summary.bodystructure == render_bodystructure(part)
    assert MAIL[summary.header_length :] == b"body"
    assert (summary.subject, summary.base_subject, summary.is_reply) == ("Re: [x] ü", "ü", True)
    assert summary.sent == (0, 60)
    assert summary.message_id == b"<3@x>"
    assert (summary.in_reply_to, summary.references) == ((b"<2@x>",), (b"<1@x>", b"<2@x>"))
    assert not summary.utf8_differs


@pytest.mark.parametrize(
    "data",
    [b"Subject: \xc3\xbc\r\n\r\n", b"Content-Type: message/global\r\n\r\nA: b\r\n\r\n"],
    ids=["header", "global"],
)
def test_utf8_differs(data: bytes) -> None:
    assert summarize(data).utf8_differs
    assert summarize(b"A: b\r\n\r\n\xc3\xbc").utf8_differs is False

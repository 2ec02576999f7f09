"""Trace fields: their keywords, their folding, and names that try to be more than names."""

import datetime
import email.policy
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.smtp.wire import Mailbox
from crockery.smtp.wire.received import (
    TlsFacts,
    render_delivered_to,
    render_received,
    render_return_path,
    with_keyword,
)

WHEN = datetime.datetime(2026, 11, 22, 9, 5, 7, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))
FACTS: dict[str, Any] = {
    "helo": "mail.sender.test",
    "peer_address": "192.0.2.7",
    "peer_name": None,
    "by": "mx.example.test",
    "with_protocol": "ESMTPS",
    "tls": TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384", 256),
    "message_id": "1042",
    "recipient": Mailbox("anna", "example.test"),
    "when": WHEN,
}


def render(**changes: Any) -> str:
    return render_received(**{**FACTS, **changes}).decode()


def test_received() -> None:
    assert render() == (
        "Received: from mail.sender.test ([192.0.2.7]) by mx.example.test with ESMTPS\r\n"
        "\t(TLSv1.3 TLS_AES_256_GCM_SHA384 256 bits) id 1042\r\n"
        "\tfor <anna@example.test>; Sun, 22 Nov 2026 09:05:07 +0100\r\n"
    )


def test_received_of_little() -> None:
    assert render(tls=None, recipient=None, helo="c", with_protocol="SMTP", by="m") == (
        "Received: from c ([192.0.2.7]) by m with SMTP id 1042;\r\n\tSun, 22 Nov 2026 09:05:07 +0100\r\n"
    )


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"peer_name": "host.sender.test"}, "(host.sender.test [192.0.2.7])"),
        ({"peer_address": "2001:db8::1"}, "([IPv6:2001:db8::1])"),
        ({"peer_address": "fe80::1%eth0"}, "([IPv6:fe80::1])"),
        ({"peer_address": "::ffff:192.0.2.1"}, "([192.0.2.1])"),
        ({"peer_address": ""}, "([?])"),
        ({"helo": "[IPv6:2001:db8::1]"}, "from [IPv6:2001:db8::1] ("),
        ({"helo": "a\r\nX: y"}, "from a??X:?y ("),
        ({"helo": "a) by evil (x"}, "from a??by?evil??x ("),
        ({"helo": ""}, "from ? ("),
        ({"peer_name": "a) (b"}, "(a???b [192.0.2.7])"),
        ({"tls": TlsFacts("TLSv1.3)", "x\r\n", 1)}, "(TLSv1.3? x?? 1 bits)"),
        ({"recipient": Mailbox("ä", "x.test")}, "for <ä@x.test>;"),
        ({"recipient": Mailbox("a b", "x.test")}, 'for <"a b"@x.test>;'),
    ],
)
def test_clauses(changes: dict[str, Any], part: str) -> None:
    assert part in re.sub(r"\r\n\t", " ", render(**changes))


@pytest.mark.parametrize(
    ("extended", "tls", "authenticated", "smtputf8", "keyword"),
    [
        (False, False, False, False, "SMTP"),
        (False, True, False, False, "SMTP"),
        (True, False, False, False, "ESMTP"),
        (True, True, False, False, "ESMTPS"),
        (True, False, True, False, "ESMTPA"),
        (True, True, True, False, "ESMTPSA"),
        (True, False, False, True, "UTF8SMTP"),
        (True, True, False, True, "UTF8SMTPS"),
        (True, True, True, True, "UTF8SMTPSA"),
    ],
)
def test_with_keyword(extended: bool, tls: bool, authenticated: bool, smtputf8: bool, keyword: str) -> None:
    assert with_keyword(extended=extended, tls=tls, authenticated=authenticated, smtputf8=smtputf8) == keyword


def test_return_path_and_delivered_to() -> None:
    assert render_return_path(None) == b"Return-Path: <>\r\n"
    assert render_return_path(Mailbox("anna", "x.test")) == b"Return-Path: <anna@x.test>\r\n"
    assert render_delivered_to(Mailbox("ä", "x.test")) == "Delivered-To: ä@x.test\r\n".encode()


@given(helo=st.text(max_size=100), name=st.none() | st.text(max_size=100), local=st.text(max_size=30), ident=st.text())
def test_one_field_whatever_the_names(helo: str, name: str | None, local: str, ident: str) -> None:
    mailbox = Mailbox(local, "x.test")
    for field in (
        render(helo=helo, peer_name=name, recipient=mailbox, message_id=ident, peer_address=helo).encode(),
        render_return_path(mailbox),
        render_delivered_to(mailbox),
    ):
        lines = field.split(b"\r\n")
        assert lines.pop() == b""
        assert re.match(rb"[A-Z][A-Za-z-]+: ", lines[0])
        assert all(line.startswith(b"\t") for line in lines[1:])
        assert not re.search(rb"[\x00-\x08\x0a-\x1f]", b"".join(lines))


def test_lines_are_short_and_an_independent_parser_reads_the_field() -> None:
    field = render(peer_name="a-rather-long-host-name.in-a-long-domain.sender.test", helo="x" * 30)
    assert all(len(line.expandtabs(8)) <= 78 for line in field.split("\r\n"))
    message = email.message_from_string(field + "\r\n", policy=email.policy.default)
    assert list(message.keys()) == ["Received"]

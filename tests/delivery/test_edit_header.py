"""What becomes of a header on its way in: the quick look at it decides as the whole edit would."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.delivery import inbound, submission
from crockery.delivery.header import Header, find_header_end
from crockery.message.dates import render_date
from crockery.message.edit import header_separator, missing_fields, remove_bcc, remove_forged
from crockery.projections.state import State

NOW = 1_700_000_000
LINES = st.sampled_from(
    [
        b"Date: today", b"date : x", b"Message-ID: <a@b>", b"MESSAGE-ID\t: <c@d>", b"Subject: Bcc: no", b" Bcc: folded",
        b"Bcc: a@b.test", b"bCC : c@d.test", b"Resent-Bcc: e@f.test", b"Return-Path: <x@y.test>", b"nonsense",
        b"return-path\t : <z@y.test>", b"Authentication-Results: mail.example.test; none", b"Bcc\x0b: odd", b"\tmore",
        b"Authentication-Results: elsewhere.test; none", b"authentication-results:\r\n mail.example.test; spf=pass",
    ]
)  # fmt: skip


def make_state() -> State:
    state = State()
    state.settings.values |= {"domain": "example.test", "hostname": "mail.example.test"}
    return state


@given(st.lists(LINES, max_size=8), st.booleans())
def test_nothing_is_missed(lines: list[bytes], ends: bool) -> None:
    data = b"".join(line + b"\r\n" for line in lines) + b"\r\n" * ends
    end = find_header_end(data)
    data = data if end is None else data[:end]
    header, state = Header(data), make_state()
    assert inbound.edit_header(state, header, NOW) == header_separator(data) + remove_forged(data, "mail.example.test")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("secrets.token_hex", lambda octets: "random")
        edited = submission.edit_header(state, header, NOW)
    added = missing_fields(data, render_date(NOW), b"<random@example.test>")
    assert edited == added + remove_forged(remove_bcc(data), "mail.example.test")

"""Tokens and the addresses that carry them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.assistant.tokens import make_token, token_address
from crockery.delivery.answers import is_crockerys
from crockery.projections.state import State
from crockery.smtp.wire import Mailbox

STATE = State()
STATE.settings.values["domain"] = "example.test"


@given(st.binary(min_size=16, max_size=16))
def test_tokens_come_back(octets: bytes) -> None:
    token = make_token(lambda length: octets[:length])
    assert re.fullmatch(r"[a-z2-7]{26}", token)
    local, _, domain = token_address(token, "example.test").partition("@")
    assert domain == "example.test"
    assert len(local) <= 64
    assert is_crockerys(STATE, Mailbox(local, domain))
    assert local == f"crockery+{token}"


def test_different_octets_different_tokens() -> None:
    assert len({make_token(n.to_bytes) for n in range(1000)}) == 1000


GOOD = "a" * 26


@pytest.mark.parametrize(
    ("local", "ours"),
    [
        ("crockery", True), ("Crockery", True), ("crockery+", True), ("crockery+x", True), ("CROCKERY+x+y", True),
        ("crockery+" + "a" * 25, True), ("crockery+" + "a" * 27, True), ("crockery+" + "a" * 25 + "b", True),
        ("crockery+" + "1" * 26, True), ("crockery++" + GOOD, True), ("crockery+" + GOOD + "+", True),
        ("crockery-" + GOOD, False), ("crockeries", False), ("anna+" + GOOD, False), (GOOD, False), ("", False),
        ("+" + GOOD, False), ("anna+crockery", False),
    ],
)  # fmt: skip
def test_local_parts_that_are_crockerys(local: str, ours: bool) -> None:
    assert is_crockerys(STATE, Mailbox(local, "example.test")) == ours
    assert not is_crockerys(STATE, Mailbox(local, "elsewhere.test"))

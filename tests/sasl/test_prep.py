"""SASLprep: the examples of RFC 4013 §3 and what must hold for any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.sasl import PrepError, saslprep

EXAMPLES = {
    "soft hyphen": ("I\u00adX", "IX"),
    "no change": ("user", "user"),
    "case stays": ("USER", "USER"),
    "feminine ordinal": ("\u00aa", "a"),
    "roman numeral": ("\u2168", "IX"),
    "wide space": ("a\u3000b", "a b"),
    "Hebrew": ("\u05d0\u05d1", "\u05d0\u05d1"),
    "emoji": ("🦀x", "🦀x"),
    "empty": ("", ""),
    "all mapped to nothing": ("\u00ad", ""),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples(name: str) -> None:
    text, prepared = EXAMPLES[name]
    assert saslprep(text) == prepared


@pytest.mark.parametrize(
    "text", ["\u0007", "a\x7f", "ä\u0007", "\u0627\u0031", "\u05d0a", "\ue000", "\ufffd", "\u202e"]
)
def test_prohibited(text: str) -> None:
    with pytest.raises(PrepError):
        saslprep(text)


def test_unassigned() -> None:
    with pytest.raises(PrepError):
        saslprep("\u0221", allow_unassigned=False)
    assert saslprep("\u0221") == "\u0221"


@given(text=st.text(max_size=20))
def test_twice_is_once(text: str) -> None:
    try:
        prepared = saslprep(text)
    except PrepError:
        return
    assert saslprep(prepared) == prepared

"""Canonical forms, against RFC 6376's examples, a plain reference, and every way of cutting the input."""

import hashlib
import time

import pytest
from dkim.canonicalization import Relaxed, Simple
from hypothesis import given
from hypothesis import strategies as st

from crockery.trust.dkim.canonical import BodyCanonicaliser, BodyHash, collapse_blanks, relaxed_field


def canonical(pieces: list[bytes], relaxed: bool) -> bytes:
    out: list[bytes] = []
    canonicaliser = BodyCanonicaliser(out.append, relaxed=relaxed)
    for piece in pieces:
        canonicaliser.update(piece)
    canonicaliser.finish()
    return b"".join(out)


BODIES = [
    (b"", b"", b"\r\n"),
    (b"\r\n", b"", b"\r\n"),
    (b"\r\n\r\n\r\n", b"", b"\r\n"),
    (b" \r\n\t\r\n", b"", b" \r\n\t\r\n"),
    (b" C \r\nD \t E\r\n\r\n\r\n", b" C\r\nD E\r\n", b" C \r\nD \t E\r\n"),  # RFC 6376 §3.4.5
    (b"no end", b"no end\r\n", b"no end\r\n"),
    (b"blank at the end ", b"blank at the end\r\n", b"blank at the end \r\n"),
    (b"a\r\n \r\n \t \r\nb\r\n", b"a\r\n\r\n\r\nb\r\n", b"a\r\n \r\n \t \r\nb\r\n"),
    (b"bare\rand\nhere\r\n", b"bare\rand\nhere\r\n", b"bare\rand\nhere\r\n"),
    (b"x \r\r\n\n\r\n", b"x \r\r\n\n\r\n", b"x \r\r\n\n\r\n"),
    (b"x\n\r\n\r\n", b"x\n\r\n", b"x\n\r\n"),
    (b"x\r", b"x\r\r\n", b"x\r\r\n"),
]


@pytest.mark.parametrize(("body", "relaxed", "simple"), BODIES, ids=[repr(case[0]) for case in BODIES])
def test_bodies(body: bytes, relaxed: bytes, simple: bytes) -> None:
    for form, expected in ((True, relaxed), (False, simple)):
        assert canonical([body], form) == expected
        assert canonical([body[i : i + 1] for i in range(len(body))], form) == expected
        for cut in range(len(body)):
            assert canonical([body[:cut], body[cut:]], form) == expected


pieces = st.lists(st.text("ab \t\r\n", max_size=12).map(str.encode), max_size=6)


@given(pieces, st.booleans())
def test_cuts_change_nothing(parts: list[bytes], relaxed: bool) -> None:
    assert canonical(parts, relaxed) == canonical([b"".join(parts)], relaxed)


@given(st.lists(st.text("ab \t", max_size=8).map(str.encode), max_size=8), st.booleans())
def test_agrees_with_dkimpy(lines: list[bytes], relaxed: bool) -> None:
    body = b"".join(line + b"\r\n" for line in lines)
    reference = Relaxed if relaxed else Simple
    assert canonical([body], relaxed) == reference.canonicalize_body(body)


@given(st.binary(max_size=60), pieces)
def test_blanks_and_fields(octets: bytes, values: list[bytes]) -> None:
    assert b"  " not in collapse_blanks(octets) and b"\t" not in collapse_blanks(octets)
    value = b"\r\n ".join(piece.replace(b"\r", b"").replace(b"\n", b"") for piece in values)
    assert relaxed_field(b"SubJect \t", value) == b"subject:" + b" ".join(value.split())


BOMBS = {
    "blanks": b" " * 2**23,
    "blanks and letters": (b" " * 4001 + b"x") * 2000,
    "empty lines": b"\r\n" * 2**22,
    "bare newlines": b"\r\r\n\n" * 2**21,
    "one blank, many lines": b" \r\n" * 2**21,
}


@pytest.mark.parametrize("name", BOMBS)
def test_time_is_linear(name: str) -> None:
    started = time.process_time()
    body = BodyHash()
    body.update(BOMBS[name])
    body.update(b"x\r\n")
    body.digest()
    assert time.process_time() - started < 1.5  # 8 MB; a tenth of that on a quiet machine


def test_large_bodies_are_not_held() -> None:
    lines: list[int] = []
    canonicaliser = BodyCanonicaliser(lambda piece: lines.append(len(piece)))
    for _ in range(64):
        canonicaliser.update(memoryview(b"\r\n" * 2**15))
    canonicaliser.update(b"end")
    canonicaliser.finish()
    assert max(lines) <= 2**17
    assert sum(lines) == 2 * 64 * 2**15 + len(b"end\r\n")


def test_body_hash() -> None:
    body = BodyHash()
    body.update(b"Hi. \r\n")
    body.update(b"\r\n\r\n")
    assert body.digest() == hashlib.sha256(b"Hi.\r\n").digest()

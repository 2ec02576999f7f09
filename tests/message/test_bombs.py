"""Hostile messages: every reading takes time that grows with their size, and no more.

Each bomb is built at two sizes, 1:4; the larger one may take ten times as long. The floor keeps out the noise of a busy
machine; what is quadratic takes many seconds at these sizes.
"""

import time
from collections.abc import Callable

import pytest

from crockery.message.addresses import parse_addresses
from crockery.message.edit import remove_bcc, remove_forged
from crockery.message.headers import header_fields, header_fields_not
from crockery.message.searched import searched
from crockery.message.structure import iterate_parts, parse_structure
from crockery.message.summary import summarize
from crockery.message.transfer import decode_base64, decode_quoted_printable
from crockery.message.words import decode_words

MIXED = b"Content-Type: multipart/mixed; boundary=%b\r\n\r\n"
_SIZE = 40_000  # repetitions in the larger form; most bombs are of some 200 KB then


def nested(levels: int) -> bytes:
    return b"".join(MIXED % (b"b%d" % n) + b"--b%d\r\n" % n for n in range(levels)) + b"\n--" * levels


MESSAGES: dict[str, Callable[[int], bytes]] = {
    "parts": lambda n: MIXED % b"b" + b"--b\r\n\r\nx\r\n" * n,
    "parts without header end": lambda n: MIXED % b"b" + b"--b\r\nA: b\r\n" * n,
    "lines like delimiters": lambda n: MIXED % b"b" + b"--\r\n--b-\r\n--bb\r\n" * n,
    "nested multiparts": lambda n: nested(n // 4),
    "nested multiparts closed": lambda n: nested(100) + b"".join(b"--b%d--\r\n" % (99 - i % 100) for i in range(n)),
    "nested messages": lambda n: b"Content-Type: message/rfc822\r\n\r\n" * n,
    "nested messages of many lines": lambda n: b"Content-Type: message/rfc822\r\n\r\n" * 99 + b"\r\n" * 10 * n,
    "lines without header end": lambda n: b"A: b\r\n" * n,
    "continuations": lambda n: b"Subject: x\r\n" + b" y\r\n" * n,
    "lines without colon": lambda n: b"A: b\r\n" + b"ccc ddd\r\n" * n,
    "one long line": lambda n: b"A" * 20 * n,
    "one long name": lambda n: b"A: b\r\n" + b"C" * 20 * n + b"\r\n\r\n",
    "addresses": lambda n: b"To: " + b"a@b.test, " * n + b"\r\n\r\n",
    "parameters": lambda n: b"Content-Type: a/b" + b"; c=d" * n + b"\r\n\r\n",
    "continued parameters": lambda n: b"Content-Type: a/b" + b"".join(b"; c*%d*=d" % i for i in range(n)) + b"\r\n\r\n",
    "comments in a type": lambda n: b"Content-Type: " + b"\\(" * n + b"a/b\r\n\r\n",
    "quotes in a type": lambda n: b"Content-Type: a/b; c(=" + b'\\"' * n + b"\r\n\r\n",
    "semicolons and blanks": lambda n: b"Content-Type: a/b" + b"; " * n + b" " * n + b"\r\n\r\n",
    "date": lambda n: b"Date: " + b"Mon " * n + b"\r\n\r\n",
    "replies": lambda n: b"Subject: " + b"Re: [x] " * n + b"(fwd) " * n + b"\r\n\r\n",
    "references": lambda n: b"References: " + b"<a@b> " * n + b"<" * n + b"\r\n\r\n",
    "encoded words": lambda n: b"Subject: " + b"=?utf-8?q?=C3?= " * n + b"\r\n\r\n",
    "blank lines": lambda n: b"\r\n" * n + MIXED % b"b" + b"\n\n" * n,
    "NULs": lambda n: b"\0" * 10 * n,
}
VALUES: dict[str, Callable[[int], bytes]] = {
    "comments": lambda n: b"(" * n,
    "closed comments": lambda n: b"(" * n + b")" * n + b"a@b",
    "escaped quotes": lambda n: b'"' + b'\\"' * n,
    "quotes": lambda n: b'"' * (2 * n + 1),
    "quotes and words": lambda n: b'""a' * n,
    "at signs": lambda n: b"a@" * n,
    "routes": lambda n: b"<" + b"@a," * n + b":b@c>",
    "brackets": lambda n: b"[" * n,
    "angles": lambda n: b"<" * n + b">" * n,
    "groups": lambda n: b"a:" * n + b";" * n,
    "words": lambda n: b"a " * n + b"@b",
    "dots": lambda n: b"a . " * n + b"@b",
    "word starts": lambda n: b"=?" * n,
    "word middles": lambda n: b"=?u?q?" * n,
    "words of other charsets": lambda n: b"".join(b"=?x%d?b?/w==?= " % i for i in range(n // 4)),
    "soft line breaks": lambda n: b"=   " * n,
    "blanks before line ends": lambda n: b" \t" * n + b"x" + b" " * n,
    "padding": lambda n: b"A=" * n,
}


def read_message(data: bytes) -> None:
    for part in iterate_parts(parse_structure(data)):
        assert part.body_end <= len(data)
    summarize(data)
    names = (b"subject", b"x")
    header_fields(data, names)
    header_fields_not(data, names)
    remove_bcc(data)
    remove_forged(data, "x")
    searched(data)


def read_value(value: bytes) -> None:
    parse_addresses(value)
    decode_words(value)
    decode_base64(value)
    decode_quoted_printable(value)
    summarize(b"To: %b\r\nContent-Type: %b\r\nContent-Disposition: %b\r\n\r\n" % (value, value, value))
    remove_forged(b"Authentication-Results: %b\r\n\r\n" % value, "x")


def seconds(work: Callable[[bytes], None], data: bytes) -> float:
    start = time.process_time()
    work(data)
    return time.process_time() - start


@pytest.mark.parametrize("name", MESSAGES)
def test_message(name: str) -> None:
    check_linear(read_message, MESSAGES[name])


@pytest.mark.parametrize("name", VALUES)
def test_value(name: str) -> None:
    check_linear(read_value, VALUES[name])


def check_linear(work: Callable[[bytes], None], bomb: Callable[[int], bytes]) -> None:
    small = seconds(work, bomb(_SIZE // 4))
    large = seconds(work, bomb(_SIZE))
    assert large < max(10 * small, 0.5)

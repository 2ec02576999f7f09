"""Encoded words, charsets, transfer encodings."""

import base64
from binascii import b2a_qp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.message.charsets import decode_charset, find_codec
from crockery.message.transfer import UnknownEncodingError, decode_base64, decode_quoted_printable, decode_transfer
from crockery.message.words import decode_words, encode_words

WORDS = [
    (b"plain", "plain"),
    (b"=?ISO-8859-1?Q?a?=", "a"),
    (b"=?ISO-8859-1?Q?a?= b", "a b"),
    (b"=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab"),
    (b"=?ISO-8859-1?Q?a?=   \t =?UTF-8?Q?b?=", "ab"),
    (b"=?ISO-8859-1?Q?a_b?=", "a b"),
    (b"=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b"),
    (b"=?utf-8?B?w7w=?=", "ü"),
    (b"=?utf-8?B?w7w?=", "ü"),
    (b"=?utf-8?B?ww==?= =?utf-8?B?vA==?=", "ü"),
    (b"=?utf-8*de?q?=C3=BC?=", "ü"),
    (b"=?koi8-r?B?8NLJ18XU?=", "Привет"),
    (b"=?iso-2022-jp?B?GyRCJDMbKEI=?=", "こ"),
    (b"=?gb2312?B?xOO6ww==?=", "你好"),
    (b"=?nonsense?q?a=FC?=", "aü"),
    (b"=?utf-8?q?with space?=", "with space"),
    (b"=?utf-8?x?a?=", "=?utf-8?x?a?="),
    (b"=?utf-8?q?open", "=?utf-8?q?open"),
    (b"=?utf-8?q?=ZZ?=", "=ZZ"),
    ("roh ü".encode(), "roh ü"),
    (b"roh Gr\xfc\xdfe", "roh Grüße"),
]


@pytest.mark.parametrize(("raw", "expected"), WORDS, ids=[repr(row[0]) for row in WORDS])
def test_decode_words(raw: bytes, expected: str) -> None:
    assert decode_words(raw) == expected


@given(st.text(max_size=200))
def test_encode_words_round_trip(text: str) -> None:
    encoded = encode_words(text)
    assert decode_words(encoded) == text
    assert b"\r" not in encoded
    assert b"\n" not in encoded
    if encoded != text.encode():
        assert max(map(len, encoded.split(b" "))) <= 64


@given(st.binary(max_size=100) | st.lists(st.sampled_from([b"=?", b"?=", b"utf-8", b"?q?", b"?b?", b"=C3", b" ", b"a"]),
                                          max_size=20).map(b"".join))  # fmt: skip
def test_words_soup(raw: bytes) -> None:
    assert isinstance(decode_words(raw), str)


CHARSETS = [
    ("iso-8859-1 is windows-1252", b"\x80", "iso-8859-1", "€"),
    ("us-ascii that is UTF-8", "ü".encode(), "us-ascii", "ü"),
    ("us-ascii that is Latin", b"Gr\xfc\xdfe", "us-ascii", "Grüße"),
    ("broken UTF-8", b"a\xfcb", "utf-8", "a\ufffdb"),
    ("broken multi-octet", "你好".encode("gbk") + b"\x81", "gb2312", "你好\ufffd"),
    ("unknown", "Ж".encode(), "x-whatever", "Ж"),
    ("empty label", b"a", "", "a"),
    ("label with a NUL", b"a\xc3\xbc", "utf\0", "aü"),
    ("no text encoding", "ü".encode(), "zlib", "ü"),
    ("slow codec", b"\xc3\xbc", "idna", "ü"),
    ("UTF-16", "aü".encode("utf-16-be"), "UTF-16BE", "aü"),
    ("UTF-7", b"Gr+APwA3w-e", "unicode-1-1-utf-7", "Grüße"),
    ("iso-2022-jp", "こ".encode("iso2022_jp"), "ISO-2022-JP", "こ"),
    ("ks_c_5601-1987", "가".encode("cp949"), "ks_c_5601-1987", "가"),
    ("quoted label", b"\xe4", "'iso-8859-1'", "ä"),
]


@pytest.mark.parametrize(("data", "label", "text"), [row[1:] for row in CHARSETS], ids=[row[0] for row in CHARSETS])
def test_charsets(data: bytes, label: str, text: str) -> None:
    assert decode_charset(data, label) == text


def test_every_alias_is_a_codec() -> None:
    from crockery.message import charsets

    for name in (*charsets._CODECS, *charsets._LABELS.values()):
        assert b"a\x80".decode(name, "replace") is not None
        assert name in charsets._CODECS
    assert find_codec("UTF-8") == "utf_8"
    assert find_codec("rot13") is None


@given(st.binary(max_size=200), st.none() | st.text(max_size=20) | st.sampled_from(["utf-7", "hz", "utf-16", "big5"]))
def test_charset_soup(data: bytes, label: str | None) -> None:
    assert isinstance(decode_charset(data, label), str)


TRANSFERS = [
    ("base64", b"aGVs\r\nbG8=\r\n", b"hello"),
    ("base64", b"aGVsbG8", b"hello"),
    ("base64", b"aGk=aGk=", b"hihi"),
    ("base64", b"a!G#k=", b"hi"),
    ("base64", b"a", b""),
    ("quoted-printable", b"a=3Db =\r\nc  \r\nd=\r\n", b"a=b c\r\nd"),
    ("quoted-printable", b"a=zz=", b"a=zz"),
    ("quoted-printable", b"=e4 = \r\nb", b"\xe4 b"),
    ("8bit", b"\xe4", b"\xe4"),
]


@pytest.mark.parametrize(("encoding", "data", "expected"), TRANSFERS, ids=str)
def test_transfer(encoding: str, data: bytes, expected: bytes) -> None:
    assert decode_transfer(memoryview(data), encoding) == expected


def test_unknown_transfer_encoding() -> None:
    with pytest.raises(UnknownEncodingError):
        decode_transfer(b"", "x-uuencode")


@given(st.binary(max_size=500))
def test_transfer_agrees_with_stdlib(data: bytes) -> None:
    assert decode_base64(base64.encodebytes(data).replace(b"\n", b"\r\n")) == data
    assert decode_quoted_printable(b2a_qp(data, quotetabs=True, istext=False)) == data


@given(st.binary(max_size=200))
def test_transfer_soup(data: bytes) -> None:
    assert isinstance(decode_base64(data) + decode_quoted_printable(data), bytes)

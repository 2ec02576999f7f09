"""Encoded words in headers (RFC 2047): reading them tolerantly, writing them in UTF-8. Linear, never raises."""

import re
from binascii import Error, a2b_base64, b2a_base64

from crockery.message.charsets import decode_charset

_WORD = re.compile(rb"=\?([^?\s]{1,80}+)\?([bBqQ])\?([^?\r\n]*+)\?=")
_BETWEEN_WORDS = re.compile(rb"[ \t\r\n]*+")
_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_SAFE_IN_Q = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!*+-/")  # RFC 2047 §5 (3)
_MAX_WORD = 64  # octets of one encoded word: RFC 2047 §2 allows 75, but also only 76 for the line around it


def decode_words(raw: bytes) -> str:
    """The text of an unfolded unstructured value or phrase; encoded words decoded, 8-bit octets guessed."""
    if b"=?" not in raw:
        return decode_charset(raw, None)
    pieces: list[str] = []
    end = 0
    pending: list[bytes] = []  # neighbouring words of one charset may share a multi-octet character
    pending_charset = ""
    for match in _WORD.finditer(raw):
        adjacent = bool(pending) and _BETWEEN_WORDS.fullmatch(raw, end, match.start()) is not None
        charset = match[1].decode("ascii", "replace").partition("*")[0].lower()  # RFC 2231 §5: "charset*language"
        if pending and not (adjacent and charset == pending_charset):
            pieces.append(decode_charset(b"".join(pending), pending_charset))
            pending.clear()
        if not adjacent:
            pieces.append(decode_charset(raw[end : match.start()], None))
        pending.append(_decode_word(match[2], match[3]))
        pending_charset = charset
        end = match.end()
    if pending:
        pieces.append(decode_charset(b"".join(pending), pending_charset))
    pieces.append(decode_charset(raw[end:], None))
    return "".join(pieces)


def _decode_word(encoding: bytes, content: bytes) -> bytes:
    if encoding in b"qQ":
        return _HEX.sub(lambda match: bytes.fromhex(match[1].decode()), content.replace(b"_", b" "))
    content = _NOT_BASE64.sub(b"", content)
    content = content[: len(content) - (len(content) % 4 == 1)]
    try:
        return a2b_base64(content + b"=" * (-len(content) % 4))
    except Error:
        return content


def encode_words(text: str) -> bytes:
    """`text` as it may stand in a header: as it is if printable ASCII, else as encoded words in UTF-8.

    The words are separated by single blanks, at which the field may be folded; none is longer than 64 octets, and none
    splits a character. Line breaks and other controls never come out as themselves.
    """
    if text.isascii() and text.isprintable() and "=?" not in text:
        return text.encode("ascii")
    utf8 = text.encode("utf-8", "replace")
    plain = sum(octet in _SAFE_IN_Q or octet == 0x20 for octet in utf8)
    use_q = 3 * (len(utf8) - plain) + plain <= len(utf8) * 4 / 3 + 4
    room = _MAX_WORD - len("=?utf-8?q??=")
    words: list[bytes] = []
    word = bytearray()
    for character in text:
        octets = character.encode("utf-8", "replace")
        piece = _quote(octets) if use_q else octets
        if len(word) + len(piece) > (room if use_q else room // 4 * 3):
            words.append(_finish_word(bytes(word), use_q))
            word.clear()
        word += piece
    words.append(_finish_word(bytes(word), use_q))
    return b" ".join(words)


def _quote(octets: bytes) -> bytes:
    return b"".join(b"_" if o == 0x20 else bytes((o,)) if o in _SAFE_IN_Q else b"=%02X" % o for o in octets)


def _finish_word(content: bytes, use_q: bool) -> bytes:
    return b"=?utf-8?q?%s?=" % content if use_q else b"=?utf-8?b?%s?=" % b2a_base64(content, newline=False)

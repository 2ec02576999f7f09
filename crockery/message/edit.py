"""What a server does to the header of a message that passes, without touching the rest (RFC 5321 §4.4, RFC 6409 §8).

What is added goes in front, as a prefix; what is removed are whole fields. Every function gives its argument back
unchanged (the same object) where there is nothing to do.
"""

import re
from collections.abc import Callable, Collection
from typing import Final

from crockery.message.headers import field_pattern, header_length, starts_header, unfold

_BARE: Final = re.compile(rb"\r(?!\n)|(?<!\r)\n")


def find_bare_newline(data: bytes) -> int | None:
    """The offset of the first CR without LF or LF without CR (RFC 5321 §2.3.8); None if there is none."""
    pairs = data.count(b"\r\n")
    if data.count(b"\r") == pairs == data.count(b"\n"):
        return None
    match = _BARE.search(data)
    return None if match is None else match.start()


def header_separator(data: bytes) -> bytes:
    """What must stand between fields put in front and `data`: an empty line if `data` has no header, else nothing."""
    return b"" if starts_header(data) else b"\r\n"


def missing_fields(data: bytes, date: bytes, message_id: bytes) -> bytes:
    """The prefix that gives a submitted message the Date and Message-ID it lacks (RFC 6409 §8.2, §8.3)."""
    prefix = b""
    if count_fields(data, b"date") == 0:
        prefix += b"Date: %b\r\n" % date
    if count_fields(data, b"message-id") == 0:
        prefix += b"Message-ID: %b\r\n" % message_id
    return prefix + header_separator(data) if prefix else prefix


def count_fields(data: bytes, name: bytes) -> int:
    """How many fields called `name` (any case) the header has; for Received, the hops made (RFC 5321 §6.3)."""
    return len(field_pattern((name,)).findall(b"\n" + data[: header_length(data)]))


def remove_fields(data: bytes, names: Collection[bytes], condition: Callable[[bytes], bool] | None = None) -> bytes:
    """The message without the fields called one of `names`; only those whose whole text `condition` accepts."""
    end = header_length(data)
    kept: list[bytes] = []
    position = 0
    for match in field_pattern(tuple(names)).finditer(b"\n" + data[:end]):  # offsets there are greater by one
        if condition is None or condition(match[1]):
            kept.append(data[position : match.start()])
            position = min(match.end(), end)
    if not position:
        return data
    kept.append(data[position:])
    return b"".join(kept)


def remove_bcc(data: bytes) -> bytes:
    """The message as its visible recipients may see it (RFC 5322 §3.6.3)."""
    return remove_fields(data, (b"Bcc", b"Resent-Bcc"))


def remove_forged(data: bytes, authserv_id: str) -> bytes:
    """The message without fields only we may write: Return-Path (RFC 5321 §4.4) and our results (RFC 8601 §5)."""
    ours = authserv_id.encode().lower()

    def claims_to_be_ours(field: bytes) -> bool:
        name, _, value = field.partition(b":")
        return name.strip().lower() == b"return-path" or read_authserv_id(unfold(value)) == ours

    return remove_fields(data, (b"Return-Path", b"Authentication-Results"), claims_to_be_ours)


def read_authserv_id(value: bytes) -> bytes:
    """The lower-case authserv-id in an unfolded Authentication-Results: [CFWS] value [CFWS version] ";" ..."""
    position = depth = 0
    while position < len(value):
        octet = value[position : position + 1]
        if octet == b"\\":
            position += 1
        elif octet == b"(":
            depth += 1
        elif octet == b")":
            depth = max(depth - 1, 0)
        elif not depth and not octet.isspace():
            break
        position += 1
    match = re.compile(rb'"((?:[^"\\]++|\\.)*+)"|([^\s;()"]*+)', re.DOTALL).match(value, position)
    if match is None:
        return b""
    quoted, token = match.groups()
    return (token if quoted is None else re.sub(rb"\\(.)", rb"\1", quoted)).lower()

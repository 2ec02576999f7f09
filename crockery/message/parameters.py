"""Content-Type and Content-Disposition values and their parameters (RFC 2045 §5, RFC 2183, RFC 2231).

Parameters are kept as an IMAP server must show them (RFC 2231 §6): continuations joined, charset and percent encoding
left in place under the name with its asterisk. `parameter_text` decodes one for people. Never raises.
"""

import re
from urllib.parse import quote_from_bytes, unquote_to_bytes

from crockery.limits import MAX_PARAMETERS
from crockery.message.charsets import decode_charset
from crockery.message.words import decode_words

Parameters = tuple[tuple[bytes, bytes], ...]
"""Pairs of lower-case name and value, in the order of the field."""

_TYPE = re.compile(rb"\s*+([^\s/;()<>@,:\\\"\[\]?=]++)\s*+/\s*+([^\s/;()<>@,:\\\"\[\]?=]++)")
_DISPOSITION = re.compile(rb"\s*+\"?([^\s;()\"=]++)\"?\s*+(?=;|$)")
_PARAMETER = re.compile(rb";\s*+([^\s=;]++)\s*+=\s*+(?:\"((?:[^\"\\]++|\\.)*+)\"?+|([^;]*+))", re.DOTALL)
_COMMENT = re.compile(rb"\"(?:[^\"\\]++|\\.)*+\"?+|\((?:[^()\\]++|\\.)*+\)?+", re.DOTALL)
_ESCAPE = re.compile(rb"\\([\"\\])")  # of others the backslash stays: names like C:\Desktop are meant as they stand
_SEGMENT = re.compile(rb"(.+?)\*(\d{1,3})(\*?)")


def parse_content_type(value: bytes) -> tuple[str, str, Parameters]:
    """The lower-case type and subtype and the parameters of an unfolded Content-Type.

    What has no type and subtype is text/plain (RFC 2045 §5.2), in the charset it may name all the same.
    """
    if b"(" in value:
        value = remove_comments(value)
    match = _TYPE.match(value)
    if match is None:
        return "text", "plain", parse_parameters(value) or ((b"charset", b"us-ascii"),)
    maintype, subtype = match.groups()
    return _token(maintype), _token(subtype), parse_parameters(value, match.end())


def parse_disposition(value: bytes) -> tuple[bytes, Parameters] | None:
    """The lower-case type and the parameters of an unfolded Content-Disposition; None if there is no type."""
    if b"(" in value:
        value = remove_comments(value)
    match = _DISPOSITION.match(value)
    if match is None:
        return None
    return match[1].lower(), parse_parameters(value, match.end())


def parse_parameters(value: bytes, start: int = 0) -> Parameters:
    """The parameters of `value` from `start` on. Junk between semicolons is skipped, blanks in tokens are kept."""
    pairs: list[tuple[bytes, bytes]] = []
    for match in _PARAMETER.finditer(value, start):
        name, quoted, token = match.groups()
        if quoted is None:
            pairs.append((name.lower(), token.strip()))
        else:
            pairs.append((name.lower(), _ESCAPE.sub(rb"\1", quoted) if b"\\" in quoted else quoted))
        if len(pairs) == MAX_PARAMETERS:
            break
    if any(b"*" in name for name, _ in pairs):
        pairs = _join_continuations(pairs)
    return tuple(pairs)


def remove_comments(value: bytes) -> bytes:
    """The value without its comments. Nested ones leave rests: real mail has none, and one pass is linear."""
    return _COMMENT.sub(lambda match: match[0] if match[0].startswith(b'"') else b" ", value)


def parameter_text(params: Parameters, name: bytes) -> str | None:
    """The decoded text of parameter `name` (lower-case): RFC 2231 first, else RFC 2047 words, else raw; or None."""
    values = dict(reversed(params))  # the first of a name wins
    extended = values.get(name + b"*")
    if extended is not None:
        charset, _, rest = extended.partition(b"'")
        _, quote, encoded = rest.partition(b"'")
        if quote:
            return decode_charset(unquote_to_bytes(encoded), charset.decode("ascii", "replace"))
        return decode_charset(unquote_to_bytes(extended), None)
    plain = values.get(name)
    return None if plain is None else decode_words(plain)


def _join_continuations(pairs: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """RFC 2231 §3, §4.1: name*0, name*1* ... become one parameter at the place of the first segment met."""
    joined: dict[bytes | int, tuple[bytes, bytes]] = {}
    segments: dict[bytes, dict[int, tuple[bytes, bool]]] = {}
    for place, (name, value) in enumerate(pairs):
        match = _SEGMENT.fullmatch(name)
        if match is None:
            joined[place] = (name, value)
            continue
        base = match[1]
        joined.setdefault(base, (base, b""))
        segments.setdefault(base, {}).setdefault(int(match[2]), (value, bool(match[3])))
    for base, numbered in segments.items():
        ordered = [numbered[number] for number in sorted(numbered)]
        if any(encoded for _, encoded in ordered):
            value = b"".join(v if encoded else quote_from_bytes(v).encode() for v, encoded in ordered)
            joined[base] = (base + b"*", value)
        else:
            joined[base] = (base, b"".join(v for v, _ in ordered))
    return list(joined.values())


def _token(raw: bytes) -> str:
    return raw.decode("ascii", "replace").lower()

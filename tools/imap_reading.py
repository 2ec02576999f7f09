"""ENVELOPE and BODYSTRUCTURE as a client gets them, compared with what the standard library reads in the mail.

Its `email` reads the mail. Where that is not right nothing is compared; tools.email_reading says where.
"""

import contextlib
import itertools
import re
from collections.abc import Iterator
from email.header import decode_header, make_header
from email.utils import getaddresses
from typing import Any, Final, TypeAlias

import idna

from crockery.message.addresses import is_damaged
from tools.bench.client import Response
from tools.email_reading import (
    EmailMessage,
    body_of,
    children_of,
    compare_kinds,
    encoding_of,
    header_octets,
    is_comparable,
    read_mail,
)

Value: TypeAlias = Any
"""bytes, int, None for NIL, or a list of these."""

TOKEN: Final = re.compile(rb'"((?:[^"\\]|\\.)*)"|~?\{\d+\}\r\n|([()])|([^\s()"]+)|\s+', re.DOTALL)
BODY_SECTION: Final = re.compile(rb"BODY\[[^]]*\](?:<\d+>)?")
ENVELOPE_TEXTS: Final = ((0, "date"), (1, "subject"), (8, "in-reply-to"), (9, "message-id"))
ENVELOPE_ADDRESSES: Final = ((2, "from"), (3, "sender"), (4, "reply-to"), (5, "to"), (6, "cc"), (7, "bcc"))


def read_fetch(response: Response) -> dict[str, Value]:
    """The items of one `* n FETCH (...)`, names in capitals. Raises ValueError."""
    literals = iter(response.literals)
    stack: list[list[Value]] = [[]]
    text = BODY_SECTION.sub(
        lambda found: found[0].replace(b" ", b"_").replace(b"(", b"<").replace(b")", b">"), response.text
    )
    position = 0
    while position < len(text):
        token = TOKEN.match(text, position)
        if token is None:
            raise ValueError(f"not IMAP at octet {position}: {text[position : position + 60]!r}")
        position = token.end()
        if token[1] is not None:
            stack[-1].append(re.sub(rb"\\(.)", rb"\1", token[1]))
        elif token[0].startswith((b"{", b"~{")):
            stack[-1].append(next(literals))
        elif token[2] == b"(":
            stack.append([])
        elif token[2] == b")":
            closed = stack.pop()
            stack[-1].append(closed)
        elif token[3] is not None:
            atom = token[3]
            stack[-1].append(None if atom.upper() == b"NIL" else int(atom) if atom.isdigit() else atom)
    items = stack[0][-1]
    return {name.decode().upper(): value for name, value in zip(items[::2], items[1::2], strict=True)}


def differences(data: bytes, items: dict[str, Value]) -> Iterator[str]:
    """How ENVELOPE and BODYSTRUCTURE of the message `data` differ from `email`'s reading, one line each."""
    theirs = read_mail(data)
    yield from _compare_envelopes(items["ENVELOPE"], theirs)
    yield from _compare_parts(data, items["BODYSTRUCTURE"], theirs, "1")


def _compare_parts(data: bytes, ours: Value, theirs: EmailMessage, number: str) -> Iterator[str]:
    our_children = list(itertools.takewhile(lambda child: isinstance(child, list), ours))
    if our_children:
        our_type, parameters = f"multipart/{_lower(ours[len(our_children)])}", ours[len(our_children) + 1]
    else:
        our_type, parameters = f"{_lower(ours[0])}/{_lower(ours[1])}", ours[2]
    if not is_comparable(our_type, theirs):
        return
    if our_type in ("message/rfc822", "message/global"):
        our_children = [ours[8]]
    if difference := compare_kinds(our_type, len(our_children), theirs):
        yield f"{number}: {difference}"
        return
    yield from _compare_parameters(parameters, theirs, number)
    their_children = children_of(theirs)
    if our_type in ("message/rfc822", "message/global"):
        yield from _compare_envelopes(ours[7], their_children[0])
    for place, (our_child, their_child) in enumerate(zip(our_children, their_children, strict=True), 1):
        yield from _compare_parts(data, our_child, their_child, f"{number}.{place}")
    if not our_children:
        yield from _compare_leaf(data, ours, theirs, number)


def _compare_parameters(ours: Value, theirs: EmailMessage, number: str) -> Iterator[str]:
    for name, value in zip((ours or [])[::2], (ours or [])[1::2], strict=True):
        expected = theirs.get_param(name.decode("latin-1"), unquote=True)
        if not isinstance(expected, str):
            continue
        if "\ufffd" in expected:  # so `email` shows octets beyond ASCII
            if not value.isascii():
                yield f"{number}: parameter {name!r} {value!r} is not ASCII"
        elif expected.encode("ascii", "surrogateescape") != value:
            yield f"{number}: parameter {name!r} {value!r}, email {expected!r}"


def _compare_leaf(data: bytes, ours: Value, theirs: EmailMessage, number: str) -> Iterator[str]:
    encoding = encoding_of(theirs)
    if encoding is not None and _lower(ours[5]) != encoding:
        yield f"{number}: encoding {ours[5]!r}, email {encoding}"
    body = body_of(theirs)
    if ours[6] == len(body) + 2 and number != "1" and data.endswith(body + b"\r\n"):
        return  # in a multipart that is never closed
    if ours[6] != len(body):
        yield f"{number}: {ours[6]} octets, email {len(body)}"
    if _lower(ours[0]) == "text" and ours[7] != body.count(b"\n"):
        yield f"{number}: {ours[7]} lines, email {body.count(chr(10).encode())}"


def _compare_envelopes(ours: Value, theirs: EmailMessage) -> Iterator[str]:
    for place, name in ENVELOPE_TEXTS:
        expected = header_octets(theirs, name)
        if expected is not None and not expected.isascii():
            yield from _compare_eight_bit(name, ours[place], expected)
        elif ours[place] != expected:
            yield f"{name}: {ours[place]!r}, email {expected!r}"
    for place, name in ENVELOPE_ADDRESSES:
        raw = header_octets(theirs, name)
        if not raw and name in ("sender", "reply-to"):
            raw = header_octets(theirs, "from")
        if raw is None or is_damaged(raw):
            continue
        specs = [b"%s@%s" % (mailbox, host) for _, _, mailbox, host in ours[place] or () if mailbox and host]
        expected_specs = [spec for _, spec in getaddresses([raw.decode("utf-8", "replace")]) if spec]
        if not all(spec.isascii() for spec in expected_specs):
            yield from _compare_eight_bit_addresses(name, specs, expected_specs)
        elif [spec.decode("utf-8", "replace") for spec in specs] != [spec.replace('"', "") for spec in expected_specs]:
            yield f"{name}: addresses {specs}, email {expected_specs} of {raw!r}"


def _compare_eight_bit(name: str, ours: bytes, expected: bytes) -> Iterator[str]:
    """Octets beyond ASCII come as encoded words. UTF-8 must be right in them; other charsets can only be guessed."""
    decoded = str(make_header(decode_header(ours.decode("ascii"))))
    with contextlib.suppress(UnicodeDecodeError):
        if "".join(decoded.split()) != "".join(expected.decode().split()):  # `email` puts blanks around encoded words
            yield f"{name}: {decoded!r}, email {expected!r}"


def _compare_eight_bit_addresses(name: str, specs: list[bytes], expected: list[str]) -> Iterator[str]:
    """As many as `email` finds, all in ASCII, and domains as their A-labels or masked."""
    if len(specs) != len(expected) or not all(spec.isascii() for spec in specs):
        yield f"{name}: addresses {specs}, email {expected}"
        return
    for spec, their_spec in zip(specs, expected, strict=True):
        host = spec.rpartition(b"@")[2].lower()
        with contextlib.suppress(UnicodeError):  # it has no A-labels
            if b"?" not in host and host != idna.encode(their_spec.rpartition("@")[2], uts46=True).lower():
                yield f"{name}: address {spec!r}, email {their_spec!r}"


def _lower(value: bytes) -> str:
    return value.decode("latin-1").lower()

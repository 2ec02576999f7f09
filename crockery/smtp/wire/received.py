"""The trace fields that a receiving server puts on top of a message: Return-Path, Delivered-To, Received.

RFC 5321 §4.4 (trace information), RFC 3848 and RFC 6531 §4.3 (the `with` keywords), RFC 5322 §2.2.3 (folding).
Invariant: each function gives one field in ASCII or UTF-8 that ends in CRLF, whose folded lines begin with a tab, and
nothing of the arguments can end it, comment it out or add another: names are what a stranger called himself.
"""

import dataclasses
import datetime
import email.utils
import functools
import ipaddress
import re
from typing import Final

from crockery.smtp.wire.address import Mailbox

_LINE_WIDTH: Final = 78  # columns; RFC 5322 §2.1.1 asks for no more
_TAB_WIDTH: Final = 8
_NOT_IN_NAME: Final = re.compile(r"[^A-Za-z0-9.:_\[\]-]")
_NOT_IN_COMMENT: Final = re.compile(r"[^A-Za-z0-9.:_/=+ -]")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclasses.dataclass(frozen=True, slots=True)
class TlsFacts:
    """What is told of TLS: `version` as "TLSv1.3", `cipher` as "TLS_AES_256_GCM_SHA384", its key `bits`."""

    version: str
    cipher: str
    bits: int


def with_keyword(*, extended: bool, tls: bool, authenticated: bool, smtputf8: bool) -> str:
    """SMTP after HELO, else ESMTP or UTF8SMTP, then S for TLS and A for AUTH (RFC 3848, RFC 6531)."""
    if not extended:
        return "SMTP"
    return ("UTF8SMTP" if smtputf8 else "ESMTP") + "S" * tls + "A" * authenticated


def render_received(
    *,
    helo: str,
    peer_address: str,
    peer_name: str | None,
    by: str,
    with_protocol: str,
    tls: TlsFacts | None,
    message_id: str,
    recipient: Mailbox | None,
    when: datetime.datetime,
) -> bytes:
    """The Received field (RFC 5321 §4.4 Time-stamp-line).

    `helo` is the client's own name, `peer_address` its IP address, `peer_name` its name by DNS; `by` is this host;
    `message_id` the number of the message here; `recipient` is None if there are several, so that none learns of the
    others; `when` is aware of its zone.
    """
    tcp_info = _literal(peer_address)
    if peer_name:
        tcp_info = f"{_name(peer_name)} {tcp_info}"
    clauses = [f"from {_name(helo)}", f"({tcp_info})", f"by {_name(by)}", f"with {_name(with_protocol)}"]
    if tls is not None:
        clauses.append(f"({_NOT_IN_COMMENT.sub('?', f'{tls.version} {tls.cipher} {tls.bits} bits')})")
    clauses.append(f"id {_name(message_id)}")
    if recipient is not None:
        clauses.append(f"for <{_UNPRINTABLE.sub('?', str(recipient))}>")
    clauses[-1] += ";"
    clauses.append(_date_time(when))
    return _fold("Received:", clauses)


def render_return_path(reverse_path: Mailbox | None) -> bytes:
    """`Return-path-line = "Return-Path:" FWS Reverse-path` for final delivery; None is `<>`."""
    return _fold("Return-Path:", [f"<{_UNPRINTABLE.sub('?', str(reverse_path or ''))}>"])


def render_delivered_to(recipient: Mailbox) -> bytes:
    """Delivered-To, by which mail loops over this mailbox are seen (RFC 9228)."""
    return _fold("Delivered-To:", [_UNPRINTABLE.sub("?", str(recipient))])


@functools.lru_cache(maxsize=4)  # the same for all mail of a second
def _date_time(when: datetime.datetime) -> str:
    return email.utils.format_datetime(when)


def _name(text: str) -> str:
    return _NOT_IN_NAME.sub("?", text) or "?"


@functools.lru_cache(maxsize=256)  # busy peers say the same again and again
def _literal(text: str) -> str:
    """`address-literal` of an IP address, or [?] for what is none (a Unix socket)."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return "[?]"
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    if mapped is not None or isinstance(address, ipaddress.IPv4Address):
        return f"[{mapped or address}]"
    return f"[IPv6:{address}]"


def _fold(label: str, clauses: list[str]) -> bytes:
    """The field with as many clauses on a line as fit; a clause longer than a line has one of its own."""
    lines, width = [label], len(label)
    for clause in clauses:
        if width + 1 + len(clause) <= _LINE_WIDTH or lines == [label]:
            lines[-1] += f" {clause}"
            width += 1 + len(clause)
        else:
            lines.append(clause)
            width = _TAB_WIDTH + len(clause)
    return ("\r\n\t".join(lines) + "\r\n").encode("utf-8", "replace")

"""Delivery status notifications read (RFC 3464, RFC 6533), tolerantly: Postfix, Exim, Exchange, Gmail, Sendmail.

What a notice says is a claim: anybody can write one. The envelope id and the Message-ID in it tell which mail of ours
it is about; the caller looks them up and believes nothing that does not fit. Linear and bounded; never raises.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from crockery.limits import DSN_EXIM_READ, DSN_STATUS_READ, DSN_VALUE_READ, MAX_DSN_RECIPIENTS, MAX_PARSED_HEADER
from crockery.message.charsets import decode_charset
from crockery.message.dsn_status import Action
from crockery.message.headers import field_values, iterate_fields, read_fields, unfold
from crockery.message.parameters import remove_comments
from crockery.message.structure import Part, parse_structure
from crockery.message.subjects import message_ids
from crockery.message.text import part_text

_STATUS_TYPES: Final = ("delivery-status", "global-delivery-status")
_ORIGINAL_TYPES: Final = ("rfc822", "global", "rfc822-headers", "global-headers")
_BLANK_LINE: Final = re.compile(r"\r?\n[ \t]*(?=\r?\n)")
_STATUS: Final = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_REPLY_CODE: Final = re.compile(r"\b([45]\d\d)[ -]")
_ESCAPED: Final = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")


@dataclass(frozen=True, slots=True)
class ReportedRecipient:
    """What a notice says of one recipient; "" where it says nothing. `status` is as "5.1.1"."""

    original: str
    final: str
    action: Action
    status: str
    diagnostic: str
    remote_host: str


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What a notice says; `message_id` is that of the mail it is about, with its brackets."""

    envelope_id: str
    message_id: str
    reporting_host: str
    recipients: tuple[ReportedRecipient, ...]


def parse_dsn(data: bytes) -> DeliveryReport | None:
    """What the message `data` reports, or None if it is no delivery status notification."""
    root = parse_structure(data)
    status = original = None
    for part in _own_parts(root):
        if part.maintype == "message" and part.subtype in _STATUS_TYPES:
            status = status or part
        elif part is not root and status and (part.maintype, part.subtype) != ("text", "plain"):
            original = original or (part if part.subtype in _ORIGINAL_TYPES else None)
    if status is None:
        return _parse_exim(data, root)
    groups = [_read_group(block) for block in _BLANK_LINE.split(_status_text(data, status)) if block.strip()]
    message = next((group for group in groups if "final-recipient" not in group and "action" not in group), {})
    recipients = [_read_recipient(group) for group in groups if "final-recipient" in group or "action" in group]
    return DeliveryReport(
        message.get("original-envelope-id", ""),
        _find_message_id(data, original),
        _after_type(message.get("reporting-mta", "")),
        tuple(recipient for recipient in recipients if recipient is not None)[:MAX_DSN_RECIPIENTS],
    )


def _own_parts(part: Part) -> Iterator[Part]:
    """The parts of the message, without those of messages in it: a notice that somebody forwards is none of theirs."""
    yield part
    for child in part.children:
        yield from _own_parts(child)


def _status_text(data: bytes, part: Part) -> str:
    text = part_text(data, part, DSN_STATUS_READ)
    return text.lstrip("\r\n")


def _read_group(block: str) -> dict[str, str]:
    """The fields of one group: lower-case name -> value, unfolded and with single blanks; of several the first."""
    found = read_fields(block.lstrip("\r\n").encode("utf-8", "replace"))
    return {
        name.decode("utf-8", "replace"): " ".join(decode_charset(unfold(value), None)[:DSN_VALUE_READ].split())
        for name, value in found.items()
    }


def _read_recipient(group: dict[str, str]) -> ReportedRecipient | None:
    word = re.match(r"\s*([a-z]+)", remove_comments(group.get("action", "").encode()).decode(), re.IGNORECASE)
    diagnostic = _after_type(group.get("diagnostic-code", ""))
    status = _find_status(group.get("status", ""), diagnostic)
    try:
        action = Action(word[1].lower() if word else "")
    except ValueError:
        if not status:
            return None
        action = {"2": Action.DELIVERED, "4": Action.DELAYED, "5": Action.FAILED}[status[0]]
    return ReportedRecipient(
        _read_address(group.get("original-recipient", "")),
        _read_address(group.get("final-recipient", "")),
        action,
        status,
        diagnostic,
        _after_type(group.get("remote-mta", "")),
    )


def _find_status(status: str, diagnostic: str) -> str:
    """The status; where it only says "5.0.0", what the remote said may be more exact."""
    match, closer = _STATUS.search(status), _STATUS.search(diagnostic)
    if match and not (match[1].endswith(".0.0") and closer and closer[1][0] == match[1][0]):
        return match[1]
    if closer:
        return closer[1]
    code = _REPLY_CODE.search(diagnostic)
    return f"{code[1][0]}.0.0" if code else ""


def _after_type(value: str) -> str:
    """The value behind "dns;", "smtp;" and the like; some leave that out."""
    kind, separator, rest = value.partition(";")
    return rest.strip() if separator and re.fullmatch(r"\s*[\w-]+\s*", kind) else value.strip()


def _read_address(value: str) -> str:
    """The address behind "rfc822;" or "utf-8;", its escapes undone (RFC 6533 §3)."""
    address = _after_type(value).strip("<> ")
    if value.lstrip()[:5].lower() == "utf-8":
        address = _ESCAPED.sub(_unescape, address)
    return address


def _unescape(match: re.Match[str]) -> str:
    number = int(match[1], 16)
    return chr(number) if 0x20 <= number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"


def _find_message_id(data: bytes, original: Part | None) -> str:
    """The Message-ID in the returned message or header; else what the notice answers to (Gmail, Exchange)."""
    if original is not None:
        if original.message is not None:
            start, end = original.message.header_start, original.message.body_start
        else:
            start, end = original.body_start, original.body_end
        for name, _, value_start, value_end in iterate_fields(data, start, min(end, start + MAX_PARSED_HEADER)):
            if name.lower() == b"message-id":
                for found in message_ids(unfold(data[value_start:value_end])):
                    return found.decode("utf-8", "replace")
    for field in (b"in-reply-to", b"references", b"x-original-message-id"):
        for value in field_values(data, field):
            for found in reversed(message_ids(value)):
                return found.decode("utf-8", "replace")
    return ""


def _parse_exim(data: bytes, root: Part) -> DeliveryReport | None:
    """Notices of Exim before 4.86 (and where it is told so): plain text, the addresses in X-Failed-Recipients."""
    failed = [name.strip() for value in field_values(data, b"x-failed-recipients") for name in _text(value).split(",")]
    if not failed:
        return None
    text = part_text(data, root, DSN_EXIM_READ) if not root.children else ""
    before, _, copy = text.partition("------ This is a copy of")
    match = re.search(r"^Message-I[dD]:[ \t]*(<[^<>\s]{1,998}>)", copy, re.MULTILINE)
    recipients = tuple(_exim_recipient(name, before) for name in failed[:MAX_DSN_RECIPIENTS] if name)
    return DeliveryReport("", match[1] if match else _find_message_id(data, None), "", recipients)


def _exim_recipient(address: str, text: str) -> ReportedRecipient:
    """What stands, indented, below the address: "    host mx.a.test [192.0.2.1]: 550 5.1.1 Unknown user" and so on."""
    block = text.partition(f"\n  {address}")[2] if not text.startswith(f"  {address}") else text
    lines: list[str] = []
    for line in block.splitlines()[1:]:
        if not line.startswith("    "):
            break
        lines.append(line.strip())
    diagnostic = " ".join(lines)[:DSN_VALUE_READ]
    host = re.search(r"\bhost (\S{1,255})", diagnostic)
    return ReportedRecipient(
        "", address, Action.FAILED, _find_status("", diagnostic) or "5.0.0", diagnostic, host[1] if host else ""
    )


def _text(value: bytes) -> str:
    return decode_charset(value, None)

"""Commands around login: LOGIN, AUTHENTICATE, ID, ENABLE (RFC 9051 sections 6.1 to 6.3.1, RFC 2971, 4959)."""

import binascii
from dataclasses import dataclass, field

from crockery import limits
from crockery.imap.wire.cursor import Cursor
from crockery.imap.wire.errors import BadCommand


@dataclass(frozen=True, slots=True)
class NoArguments:
    """CAPABILITY, NOOP, LOGOUT, STARTTLS, NAMESPACE, IDLE, CHECK, CLOSE, UNSELECT, EXPUNGE."""


@dataclass(frozen=True, slots=True)
class Login:
    """LOGIN (RFC 9051 section 6.2.3)."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Authenticate:
    """AUTHENTICATE; `initial` is the decoded initial response, b"" for `=`, None if there is none (section 6.2.2)."""

    mechanism: str
    initial: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Id:
    """ID; `fields` is None for NIL (RFC 2971). Names as sent; compare them without regard to case."""

    fields: tuple[tuple[str, str | None], ...] | None


@dataclass(frozen=True, slots=True)
class Enable:
    """ENABLE; names in upper case, known or not: unknown ones are ignored (RFC 9051 section 6.3.1)."""

    capabilities: tuple[str, ...]


def parse_no_arguments(cursor: Cursor) -> NoArguments:
    """`command-any = "CAPABILITY" / "LOGOUT" / "NOOP"` and their like."""
    return NoArguments()


def parse_login(cursor: Cursor) -> Login:
    """`login = "LOGIN" SP userid SP password`, both astring"""
    cursor.space()
    user = cursor.utf8_string()
    cursor.space()
    return Login(user, cursor.utf8_string())


def parse_authenticate(cursor: Cursor) -> Authenticate:
    """`authenticate = "AUTHENTICATE" SP auth-type [SP initial-resp]`, `initial-resp = (base64 / "=")`"""
    cursor.space()
    mechanism = cursor.word("mechanism")
    if cursor.at_end():
        return Authenticate(mechanism)
    initial = cursor.astring()
    return Authenticate(mechanism, b"" if initial == b"=" else decode_base64(initial))


def decode_sasl_line(line: bytes) -> bytes | None:
    """A client's answer in an AUTHENTICATE exchange, decoded; None for `*`, which cancels (RFC 9051 section 6.2.2).

    Raises BadCommand (without a tag) for what is not base64.
    """
    return None if line == b"*" else decode_base64(line)


def decode_base64(text: bytes) -> bytes:
    """`base64 = *(4base64-char) [base64-terminal]`, strictly; raises BadCommand."""
    try:
        return binascii.a2b_base64(text, strict_mode=True) if text else b""
    except binascii.Error:
        raise BadCommand("Invalid base64") from None


def parse_id(cursor: Cursor) -> Id:
    """`id = "ID" SP id-params-list`, `id-params-list = "(" [string SP nstring *(SP string SP nstring)] ")" / nil`"""
    cursor.space()
    if cursor.accept_word("NIL"):
        return Id(None)
    fields = cursor.items(_id_field, empty=True)
    if len(fields) > limits.IMAP_ID_PAIRS_MAX:
        raise BadCommand("Too many ID fields")
    return Id(fields)


def _id_field(cursor: Cursor) -> tuple[str, str | None]:
    name = cursor.string()
    cursor.space()
    value = cursor.nstring()
    # names of programs are shown to people and never compared: whatever is no UTF-8 is replaced
    return name.decode("utf-8", "replace"), None if value is None else value.decode("utf-8", "replace")


def parse_enable(cursor: Cursor) -> Enable:
    """`enable = "ENABLE" 1*(SP capability)`"""
    names: list[str] = []
    cursor.space()
    names.append(cursor.word("capability"))
    while not cursor.at_end():
        cursor.count_item()
        names.append(cursor.word("capability"))
    return Enable(tuple(dict.fromkeys(names)))

"""Mailboxes, paths and domains of the SMTP envelope.

RFC 5321 §4.1.2 (Path, Mailbox, Domain), §4.1.3 (address literals), RFC 6531 §3.3 (the same beyond ASCII), RFC 5890
(IDNA). Invariant: `str(mailbox)` is a Mailbox of the grammar, and parsing it gives an equal value; it holds no control
character.

Choices: underscores pass in domains (real senders have them); source routes are read and dropped (§4.1.1.3, appendix
F.2); local parts may be longer than 64 octets as long as the path is not too long: VERP and ticket systems make such,
and a limit here would only lose their mail. Domains are compared and kept as lower-case A-labels.
"""

import dataclasses
import ipaddress
import re
from typing import Final

import idna

from crockery import limits

# atext of RFC 5322 §3.2.3, and beyond ASCII by RFC 6531
_ATEXT: Final = r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\x80-\U0010ffff]"
_DOT_STRING: Final = re.compile(rf"{_ATEXT}+(?:\.{_ATEXT}+)*")
_QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
# path = "<" [ A-d-l ":" ] Mailbox ">"; local part and domain are looked at more closely afterwards
_PATH: Final = re.compile(
    rf"<(?P<route>@[^<>\":\s]*:)?(?:(?P<local>{_QUOTED}|[^<>\"@\s]+)(?:@(?P<domain>\[[^<>\[\]\s]*\]|[^<>\"@\[\]\s]+))?)?>"
)
_ROUTE: Final = re.compile(r"@[^@,]+(?:,@[^@,]+)*:")
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
# C0, DEL, C1, line and paragraph separators, bidirectional controls, byte order mark: they only ever deceive.
# The joiners U+200C and U+200D stay, some scripts need them.
_FORBIDDEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]")


class AddressError(ValueError):
    """Not an address by the grammar."""


class PathTooLong(AddressError):
    """More than `limits.SMTP_MAX_PATH` octets."""


@dataclasses.dataclass(frozen=True, slots=True)
class Mailbox:
    """`local`@`domain`: the local part without its quoting; the domain normalised, a literal with its brackets.

    The domain is empty only for the bare `<postmaster>` of RFC 5321 §4.5.1.
    """

    local: str
    domain: str

    @property
    def is_ascii(self) -> bool:
        """Whether the address can be used without SMTPUTF8."""
        return self.local.isascii()

    def __str__(self) -> str:
        local = self.local
        if not _DOT_STRING.fullmatch(local):
            local = '"' + re.sub(r'(["\\])', r"\\\1", local) + '"'
        return f"{local}@{self.domain}" if self.domain else local


def parse_path(text: str) -> tuple[Mailbox | None, str]:
    """The path at the start of `text`, None for the null path `<>`, and the text behind it. Raises AddressError.

    `Path = "<" [ A-d-l ":" ] Mailbox ">"` (RFC 5321 §4.1.2); the source route is checked for shape and dropped.
    """
    match = _PATH.match(text)
    if not match:
        raise AddressError("not a path")
    if len(match[0].encode("utf-8", "replace")) > limits.SMTP_MAX_PATH:
        raise PathTooLong("path is too long")
    route, local, domain = match["route"], match["local"], match["domain"]
    rest = text[match.end() :]
    if route and not (local and domain and _ROUTE.fullmatch(route)):
        raise AddressError("malformed source route")
    if not local:
        return None, rest
    if domain is None:
        if local.lower() != "postmaster":
            raise AddressError("an address needs a domain")
        return Mailbox(local, ""), rest
    return Mailbox(_parse_local(local), parse_domain(domain)), rest


def parse_mailbox(text: str) -> Mailbox:
    """`Mailbox = Local-part "@" ( Domain / address-literal )`, all of `text`. Raises AddressError."""
    mailbox, rest = parse_path(f"<{text}>")
    if mailbox is None or not mailbox.domain or rest or text.startswith("@"):
        raise AddressError("not a mailbox")
    return mailbox


def _parse_local(text: str) -> str:
    """`Local-part = Dot-string / Quoted-string`, its quoting undone."""
    if _FORBIDDEN.search(text):
        raise AddressError("control character in the local part")
    if text.startswith('"'):
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    if not _DOT_STRING.fullmatch(text):
        raise AddressError("malformed local part")
    return text


def parse_domain(text: str) -> str:
    """`Domain` or `address-literal`, normalised. Raises AddressError."""
    return _parse_literal(text) if text.startswith("[") else normalise_domain(text)


def normalise_domain(text: str) -> str:
    """The form in which domains are compared: lower-case A-labels. Raises AddressError.

    U-labels go through UTS 46 (so that full-width dots and capitals are folded) and IDNA 2008 (RFC 5891).
    """
    domain = text.lower()
    if len(text) > limits.SMTP_MAX_DOMAIN:
        raise AddressError("domain is too long")
    if not domain.isascii():
        try:
            domain = idna.encode(text, uts46=True).decode("ascii").lower()
        except (idna.IDNAError, UnicodeError) as error:
            raise AddressError("malformed international domain") from error
    if len(domain) > limits.SMTP_MAX_DOMAIN or not all(map(_LABEL.fullmatch, domain.split("."))):
        raise AddressError("malformed domain")
    return domain


def display_domain(domain: str) -> str:
    """A normalised domain as people read it, with U-labels; A-labels that decode to nothing sound stay as they are."""
    if "xn--" not in domain:
        return domain
    try:
        return idna.decode(domain)
    except (idna.IDNAError, UnicodeError):
        return domain


def _parse_literal(text: str) -> str:
    """`address-literal = "[" ( IPv4-address-literal / "IPv6:" IPv6-addr ) "]"` (RFC 5321 §4.1.3)."""
    inner = text[1:-1]
    if "%" in inner:  # a zone (RFC 4007), which Python reads and SMTP does not have
        raise AddressError("malformed address literal")
    try:
        if inner[:5].lower() == "ipv6:":
            return f"[IPv6:{ipaddress.IPv6Address(inner[5:])}]"
        return f"[{ipaddress.IPv4Address(inner)}]"
    except ValueError as error:
        raise AddressError("malformed address literal") from error

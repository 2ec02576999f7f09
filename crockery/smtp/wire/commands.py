"""The commands of an SMTP client, as values, and their grammar.

RFC 5321 §4.1.1 (commands), RFC 3030 (BDAT), RFC 3207 (STARTTLS), RFC 4954 (AUTH), RFC 6531 (addresses beyond ASCII). A
parser here takes what stands behind the verb and either returns a value or raises `CommandError` with the reply to
give. Which verb is legal when, and what was offered, is not its business but `server`'s.
"""

import dataclasses
import re
from collections.abc import Mapping
from typing import Final

from crockery import limits
from crockery.smtp.wire import replies
from crockery.smtp.wire.address import AddressError, Mailbox, PathTooLong, parse_path
from crockery.smtp.wire.extensions import Parameters, parse_parameters, read_date_time
from crockery.smtp.wire.replies import CommandError, Reply
from crockery.smtp.wire.xtext import decode_orcpt, decode_xtext

# What browsers and their enemies say to any port; a mail client never does (cross-protocol attacks come so).
HTTP_VERBS: Final = frozenset({"GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PATCH", "PRI"})

_CONTROL: Final = re.compile(rb"[\x00-\x1f\x7f]")


@dataclasses.dataclass(frozen=True, slots=True)
class Hello:
    """EHLO (`extended`) or HELO, with the name that the client gives itself: printable ASCII, but any lie."""

    name: str
    extended: bool


@dataclasses.dataclass(frozen=True, slots=True)
class StartTLS:
    """STARTTLS."""


@dataclasses.dataclass(frozen=True, slots=True)
class Auth:
    """AUTH: `mechanism` in capitals, one of those offered; `initial` as sent (base64, `=` for empty) or None."""

    mechanism: str
    initial: bytes | None


@dataclasses.dataclass(frozen=True, slots=True)
class AuthResponse:
    """The client's turn in a SASL exchange: its line as sent (base64, or `*` to cancel)."""

    line: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Mail:
    """MAIL FROM: None is the null reverse-path `<>`. `params`: checked, keyword in capitals to value or ""."""

    reverse_path: Mailbox | None
    params: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def size(self) -> int | None:
        """The size that the client declared (RFC 1870), in octets."""
        return int(self.params["SIZE"]) if "SIZE" in self.params else None

    @property
    def smtputf8(self) -> bool:
        """Whether the client declared that addresses or headers go beyond ASCII (RFC 6531)."""
        return "SMTPUTF8" in self.params

    @property
    def ret(self) -> str:
        """How much of the message a notice should bring back (RFC 3461 §4.3): FULL, HDRS, or "" if it was not said."""
        return self.params.get("RET", "").upper()

    @property
    def envid(self) -> str:
        """The client's name for this transaction (RFC 3461 §4.4), decoded; "" if it has none."""
        return decode_xtext(self.params.get("ENVID", ""))

    @property
    def requiretls(self) -> bool:
        """Every hop must promise TLS (RFC 8689)."""
        return "REQUIRETLS" in self.params

    @property
    def hold_for(self) -> int | None:
        """Seconds from now before which nobody is to get it (RFC 4865)."""
        return int(self.params["HOLDFOR"]) if "HOLDFOR" in self.params else None

    @property
    def hold_until(self) -> int | None:
        """Unix seconds before which nobody is to get it (RFC 4865)."""
        return read_date_time(self.params["HOLDUNTIL"]) if "HOLDUNTIL" in self.params else None

    @property
    def hold(self) -> str:
        """Either of them in the words of a notice: "for;3600", "until;2027-01-01T00:00:00Z" (RFC 4865 §5.1.2)."""
        words = {"HOLDFOR": "for", "HOLDUNTIL": "until"}
        return next((f"{word};{self.params[name]}" for name, word in words.items() if name in self.params), "")

    @property
    def deliver_by(self) -> "DeliverBy | None":
        """The deadline (RFC 2852)."""
        if "BY" not in self.params:
            return None
        seconds, _, mode = self.params["BY"].upper().partition(";")
        return DeliverBy(int(seconds), returns=mode.startswith("R"), traces=mode.endswith("T"))


@dataclasses.dataclass(frozen=True, slots=True)
class DeliverBy:
    """Seconds from now; then the message comes back (mode R), or its sender is told and it goes on (mode N).

    `traces`: its sender is told of each server that takes it (T).
    """

    seconds: int
    returns: bool
    traces: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Rcpt:
    """RCPT TO: a mailbox, or the bare postmaster whose domain is empty."""

    forward_path: Mailbox
    params: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def notify(self) -> tuple[str, ...]:
        """When the sender wants to be told (RFC 3461 §4.1), in capitals; empty: it was not said."""
        return tuple(self.params["NOTIFY"].upper().split(",")) if "NOTIFY" in self.params else ()

    @property
    def orcpt(self) -> str:
        """The address that the sender wrote to (RFC 3461 §4.2), as type;address, decoded; "" if it was not said."""
        return decode_orcpt(self.params.get("ORCPT", ""))


@dataclasses.dataclass(frozen=True, slots=True)
class Bdat:
    """BDAT: `size` octets follow the line; used between `server` and the framer only."""

    size: int
    last: bool


@dataclasses.dataclass(frozen=True, slots=True)
class DataStart:
    """DATA, or the first BDAT (`chunking`): a message is coming. To answer: `replies.START_INPUT`, or a refusal."""

    chunking: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class DataChunk:
    """Octets of the message, dot transparency undone. Not answered."""

    data: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class DataEnd:
    """The message is at its end, `size` octets long. A `refusal` must be the answer: drop the message."""

    size: int
    refusal: Reply | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Reset:
    """RSET: forget the transaction, if there is one."""


@dataclasses.dataclass(frozen=True, slots=True)
class Quit:
    """QUIT."""


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """The protocol knows the reply itself (NOOP, HELP, VRFY, a chunk in between, every error). Send `reply`."""

    reply: Reply


def split_line(line: bytes) -> tuple[str, bytes]:
    """The verb in capitals and the octets behind it, without blanks at their ends (RFC 5321 §4.1.1 tolerates them)."""
    line = line.rstrip(b" \t")
    if _CONTROL.search(line):
        raise CommandError(replies.CONTROL_CHARACTER)
    verb, _, argument = line.partition(b" ")
    return verb.decode("ascii", "replace").upper(), argument.strip(b" ")


def parse_hello(argument: bytes, *, extended: bool) -> Hello:
    """`ehlo = "EHLO" SP ( Domain / address-literal )`; real names are often neither, so any one word goes.

    Octets beyond ASCII become `?`: some machines are named in Latin-1, and the name is used only to be shown.
    """
    if not argument or b" " in argument or len(argument) > limits.SMTP_MAX_DOMAIN:
        raise CommandError(replies.BAD_HELLO)
    return Hello(argument.decode("ascii", "replace").replace("\N{REPLACEMENT CHARACTER}", "?"), extended)


def parse_mail(argument: bytes, known: Parameters) -> Mail:
    """`mail = "MAIL FROM:" Reverse-path [SP Mail-parameters]` (§4.1.1.2); blanks before the path are tolerated."""
    mailbox, is_ascii, rest = _parse_path(argument, "FROM:", replies.BAD_MAIL, replies.BAD_SENDER)
    if mailbox is not None and not mailbox.domain:
        raise CommandError(replies.BAD_SENDER)
    mail = Mail(mailbox, parse_parameters(rest, known))
    if "HOLDFOR" in mail.params and "HOLDUNTIL" in mail.params:
        raise CommandError(replies.bad_parameter("HOLDUNTIL"))
    if not is_ascii and not mail.smtputf8:
        raise CommandError(replies.SENDER_NEEDS_SMTPUTF8)
    return mail


def parse_rcpt(argument: bytes, known: Parameters, *, smtputf8: bool) -> Rcpt:
    """`rcpt = "RCPT TO:" ( "<Postmaster>" / Forward-path ) [SP Rcpt-parameters]` (RFC 5321 §4.1.1.3)."""
    mailbox, is_ascii, rest = _parse_path(argument, "TO:", replies.BAD_RCPT, replies.BAD_RECIPIENT)
    if mailbox is None:
        raise CommandError(replies.BAD_RECIPIENT)
    if not is_ascii and not smtputf8:
        raise CommandError(replies.RECIPIENT_NEEDS_SMTPUTF8)
    return Rcpt(mailbox, parse_parameters(rest, known))


def parse_auth(argument: bytes) -> Auth:
    """`"AUTH" SP sasl-mech [SP initial-response]` (RFC 4954 §8)."""
    words = argument.split(b" ")
    if not re.fullmatch(rb"[A-Za-z0-9_-]{1,20}", words[0]) or len(words) > 2:
        raise CommandError(replies.BAD_AUTH)
    return Auth(words[0].decode("ascii").upper(), words[1] if len(words) > 1 else None)


def parse_bdat(argument: bytes) -> Bdat:
    """`bdat-cmd = "BDAT" SP chunk-size [ SP end-marker ] CR LF` (RFC 3030 §2).

    Whoever errs here is out of step for good, for the octets of the chunk cannot be told from commands: the reply
    closes.
    """
    match = re.fullmatch(rb"([0-9]{1,20})(?: +(LAST))?", argument, re.IGNORECASE)
    if not match:
        raise CommandError(replies.BAD_CHUNK_SIZE)
    return Bdat(int(match[1]), match[2] is not None)


def no_argument(argument: bytes) -> None:
    """DATA, RSET, QUIT and STARTTLS have no parameters: 501 (RFC 5321 §4.1.1)."""
    if argument:
        raise CommandError(replies.NO_PARAMETERS)


def needs_argument(argument: bytes) -> None:
    """VRFY and EXPN have one."""
    if not argument:
        raise CommandError(replies.NEEDS_PARAMETER)


def _parse_path(argument: bytes, label: str, usage: Reply, malformed: Reply) -> tuple[Mailbox | None, bool, str]:
    """The mailbox behind `label`, whether its path was all ASCII, and the parameters behind that."""
    try:
        text = argument.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CommandError(replies.NOT_UTF8) from error
    if text[: len(label)].upper() != label:
        raise CommandError(usage)
    text = text[len(label) :].lstrip(" ")
    try:
        mailbox, rest = parse_path(text)
    except PathTooLong as error:
        raise CommandError(dataclasses.replace(replies.PATH_TOO_LONG, enhanced=malformed.enhanced)) from error
    except AddressError as error:
        raise CommandError(malformed) from error
    if rest and not rest.startswith(" "):
        raise CommandError(usage)
    return mailbox, text[: len(text) - len(rest)].isascii(), rest

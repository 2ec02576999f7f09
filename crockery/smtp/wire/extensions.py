"""The service extensions of the server, in one table: what EHLO says, and which parameters MAIL and RCPT take for it.

RFC 5321 §2.2 (extension model), §4.1.1.11 (parameters). A new extension is a row of `EXTENSIONS`, perhaps a field of
`Offer`, and a property of `commands.Mail` or `commands.Rcpt` where its value has a type of its own.
"""

import dataclasses
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from crockery import limits
from crockery.smtp.wire import replies
from crockery.smtp.wire.replies import CommandError
from crockery.smtp.wire.xtext import XTEXT, decode_xtext


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What this server offers on this connection, now; after TLS has begun there is a new one.

    `auth_mechs` are the SASL mechanisms allowed now (none without TLS, none on the MX port). On a submission port mail
    needs authentication first. A limit of None is not announced and not enforced.
    """

    hostname: str
    is_submission: bool = False
    tls_active: bool = False
    starttls: bool = False
    auth_mechs: tuple[str, ...] = ()
    max_size: int = limits.SMTP_MAX_MESSAGE
    max_recipients: int = limits.SMTP_MAX_RECIPIENTS
    max_transactions: int | None = limits.SMTP_MAX_TRANSACTIONS
    max_rcpt_domains: int | None = None
    now: int = 0
    """Unix seconds, for what is announced as a time."""

    @property
    def can_start_tls(self) -> bool:
        """STARTTLS is offered only while there is no TLS (RFC 3207 §4.2)."""
        return self.starttls and not self.tls_active


ValueCheck = Callable[[str | None], bool]
Parameters = Mapping[str, ValueCheck]


@dataclasses.dataclass(frozen=True, slots=True)
class Extension:
    """One row: `keyword` and `argument` for EHLO; `mail` and `rcpt` map parameter names to a check of their values."""

    keyword: str
    argument: Callable[[Offer], str] = lambda offer: ""
    is_offered: Callable[[Offer], bool] = lambda offer: True
    mail: Parameters = dataclasses.field(default_factory=dict)
    rcpt: Parameters = dataclasses.field(default_factory=dict)

    def render(self, offer: Offer) -> str:
        """`ehlo-line = ehlo-keyword *( SP ehlo-param )`."""
        return f"{self.keyword} {self.argument(offer)}".rstrip()


def _no_value(value: str | None) -> bool:
    return value is None


def _matches(pattern: str) -> ValueCheck:
    """A check that the value is there and matches all of `pattern`, in any letter case."""
    regex = re.compile(pattern, re.ASCII | re.IGNORECASE)
    return lambda value: value is not None and regex.fullmatch(value) is not None


def _render_limits(offer: Offer) -> str:
    """`limits-param = limit-name-value *( SP ... )` (RFC 9422 §3)."""
    known = {
        "RCPTMAX": offer.max_recipients,
        "MAILMAX": offer.max_transactions,
        "RCPTDOMAINMAX": offer.max_rcpt_domains,
    }
    return " ".join(f"{name}={value}" for name, value in known.items() if value is not None)


def _render_hold(offer: Offer) -> str:
    """`max-future-release-interval SP max-future-release-date-time` (RFC 4865 §3)."""
    latest = datetime.fromtimestamp(offer.now + limits.SMTP_MAX_HOLD, UTC)
    return f"{limits.SMTP_MAX_HOLD} {latest:%Y-%m-%dT%H:%M:%SZ}"


def _is_envid(value: str | None) -> bool:
    """`envid-parameter = "ENVID=" xtext`, 100 characters at most when decoded (RFC 3461 §4.4)."""
    return _is_xtext(value) and value is not None and len(decode_xtext(value)) <= limits.SMTP_MAX_ENVID


def _is_orcpt(value: str | None) -> bool:
    """`original-recipient-address = addr-type ";" xtext` (RFC 3461 §4.2), UTF-8 for the type utf-8 (RFC 6533 §3)."""
    kind, semicolon, address = (value or "").partition(";")
    if not semicolon or len(value or "") > limits.SMTP_MAX_ORCPT or not _ADDRESS_TYPE.fullmatch(kind):
        return False
    return bool(address) if kind.lower() == "utf-8" else _is_xtext(address)


def _is_notify(value: str | None) -> bool:
    """`"NEVER" / 1#( "SUCCESS" / "FAILURE" / "DELAY" )` (RFC 3461 §4.1)."""
    words = (value or "").upper().split(",")
    return words == ["NEVER"] or (len(set(words)) == len(words) and {"SUCCESS", "FAILURE", "DELAY"}.issuperset(words))


def read_date_time(value: str) -> int | None:
    """Unix seconds of `date-time` (RFC 3339 §5.6), fractions dropped; None for what is none."""
    if not _DATE_TIME.fullmatch(value):
        return None
    try:
        return int(datetime.fromisoformat(value.upper()).timestamp())
    except (ValueError, OverflowError):  # there is no such day, or its zone leads out of the calendar
        return None


_ADDRESS_TYPE: Final = re.compile(r"[A-Za-z0-9-]{1,32}", re.ASCII)
_DATE_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII | re.IGNORECASE,
)
_is_xtext: Final = _matches(XTEXT)

EXTENSIONS: Final = (
    Extension("PIPELINING"),  # RFC 2920
    Extension("SIZE", lambda offer: str(offer.max_size), mail={"SIZE": _matches("[0-9]{1,20}")}),  # RFC 1870
    Extension("8BITMIME", mail={"BODY": _matches("7BIT|8BITMIME")}),  # RFC 6152
    Extension("SMTPUTF8", mail={"SMTPUTF8": _no_value}),  # RFC 6531
    Extension("ENHANCEDSTATUSCODES"),  # RFC 2034
    Extension("CHUNKING"),  # RFC 3030
    Extension("STARTTLS", is_offered=lambda offer: offer.can_start_tls),  # RFC 3207
    Extension(  # RFC 4954
        "AUTH",
        lambda offer: " ".join(offer.auth_mechs),
        lambda offer: bool(offer.auth_mechs),
        mail={"AUTH": _matches(f"<>|{XTEXT}")},
    ),
    Extension(  # RFC 3461
        "DSN",
        mail={"RET": _matches("FULL|HDRS"), "ENVID": _is_envid},
        rcpt={"NOTIFY": _is_notify, "ORCPT": _is_orcpt},
    ),
    Extension("REQUIRETLS", is_offered=lambda offer: offer.tls_active, mail={"REQUIRETLS": _no_value}),  # RFC 8689
    Extension(  # RFC 4865
        "FUTURERELEASE",
        _render_hold,
        lambda offer: offer.is_submission,
        mail={
            "HOLDFOR": _matches("[1-9][0-9]{0,8}"),
            "HOLDUNTIL": lambda value: value is not None and read_date_time(value) is not None,
        },
    ),
    Extension(  # RFC 2852 §4: a return after no time at all makes no sense
        "DELIVERBY",
        is_offered=lambda offer: offer.is_submission,
        mail={"BY": _matches(r"(?:[+-]?[0-9]{1,9};N|\+?(?!0+;)[0-9]{1,9};R)T?")},
    ),
    Extension("LIMITS", _render_limits),  # RFC 9422
    Extension("HELP"),
)


def render_keywords(offer: Offer) -> tuple[str, ...]:
    """The lines of the EHLO reply below the first."""
    return tuple(extension.render(offer) for extension in EXTENSIONS if extension.is_offered(offer))


def mail_parameters(offer: Offer) -> Parameters:
    """The parameters that MAIL takes under this offer."""
    return {name: check for row in EXTENSIONS if row.is_offered(offer) for name, check in row.mail.items()}


def rcpt_parameters(offer: Offer) -> Parameters:
    """The parameters that RCPT takes under this offer."""
    return {name: check for row in EXTENSIONS if row.is_offered(offer) for name, check in row.rcpt.items()}


# esmtp-param = esmtp-keyword ["=" esmtp-value] (RFC 5321 §4.1.2; RFC 6531 §3.3 adds UTF-8 to the value)
_PARAMETER: Final = re.compile(r"(?P<keyword>[A-Za-z0-9][A-Za-z0-9-]*)(?:=(?P<value>[^\x00-\x20=\x7f]+))?")


def parse_parameters(text: str, known: Parameters) -> dict[str, str]:
    """`Mail-parameters = esmtp-param *(SP esmtp-param)`: keyword in capitals to value as sent, "" where there is none.

    Raises CommandError: 555 for what is not `known`, 501 for malformed and repeated ones.
    """
    found: dict[str, str] = {}
    for token in text.split():
        match = _PARAMETER.fullmatch(token)
        keyword = (match["keyword"] if match else token.partition("=")[0]).upper()
        if match and keyword not in known:
            raise CommandError(replies.unknown_parameter(keyword))
        if not match or keyword in found or not known[keyword](match["value"]):
            raise CommandError(replies.bad_parameter(keyword))
        found[keyword] = match["value"] or ""
    return found

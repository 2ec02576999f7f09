"""Every reply of the SMTP server, once: code, enhanced code, text; and how it is written on the wire.

RFC 5321 §4.2 (replies, multi-line form), RFC 2034 and RFC 3463 (enhanced codes), RFC 5248 (their registry). Invariant:
an enhanced code begins with the digit of its reply code (RFC 2034 §4); a rendered line is printable ASCII and not
longer than `limits.SMTP_MAX_REPLY_LINE`, whatever stands in the text, so that nothing a peer sent can forge a reply.
"""

import dataclasses
import functools
from typing import Final

from crockery import limits

_UNPRINTABLE: Final = {**dict.fromkeys([*range(0x20), 0x7F], "?"), 0x0A: "\n"}


@dataclasses.dataclass(frozen=True, slots=True)
class Reply:
    """A reply: `code` 220..599, `enhanced` "5.1.1" or "" where RFC 2034 has none, `text` with LF between lines."""

    code: int
    enhanced: str
    text: str

    @property
    def is_positive(self) -> bool:
        """2yz or 3yz: what was asked for has happened, or goes on."""
        return self.code < 400

    @property
    def closes(self) -> bool:
        """221 and 421 end the connection (RFC 5321 §3.8)."""
        return self.code in (221, 421)

    def render(self) -> bytes:
        """The reply on the wire: `250-2.1.0 first` ... `250 2.1.0 last`, each line with CRLF and its enhanced code."""
        return _render(self.code, self.enhanced, self.text)


@functools.lru_cache(maxsize=256)  # nearly all are constants of the table
def _render(code: int, enhanced: str, text: str) -> bytes:
    prefix = f"{enhanced} " if enhanced else ""
    room = limits.SMTP_MAX_REPLY_LINE - len("250 \r\n") - len(prefix)
    lines = [prefix + line[:room] for line in text.translate(_UNPRINTABLE).split("\n")]
    marks = ["-"] * (len(lines) - 1) + [" "]
    rendered = "".join(f"{code}{mark}{line}\r\n" for mark, line in zip(marks, lines, strict=True))
    return rendered.encode("ascii", "replace")


class CommandError(Exception):
    """A command that cannot be carried out, with the reply that says so: the one error of this room's parsers."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply


# --- sessions -------------------------------------------------------------------------------------------------------
BYE: Final = Reply(221, "2.0.0", "Goodbye")
OK: Final = Reply(250, "2.0.0", "OK")
HELP: Final = Reply(214, "2.0.0", "EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP AUTH STARTTLS QUIT: see RFC 5321")
CANNOT_VERIFY: Final = Reply(252, "2.1.5", "Send the mail and see: addresses are not verified by VRFY")
SHUTTING_DOWN: Final = Reply(421, "4.3.2", "This server is shutting down, try again soon")
IDLE_TOO_LONG: Final = Reply(421, "4.4.2", "No command for too long, closing")
TOO_MANY_ERRORS: Final = Reply(421, "4.7.0", "Too many errors, closing")
TOO_MANY_COMMANDS: Final = Reply(421, "4.7.0", "Too many commands and no mail, closing")
TOO_MANY_FAILED_LOGINS: Final = Reply(421, "4.7.0", "Too many failed logins, try again later")
TOO_MANY_TRANSACTIONS: Final = Reply(421, "4.7.0", "Too many messages in this connection, connect again")
NOT_SMTP: Final = Reply(421, "4.7.0", "This is a mail server and you do not speak SMTP")
TLS_NOT_HERE: Final = Reply(421, "4.7.0", "TLS begins with STARTTLS on this port")
INTERNAL_ERROR: Final = Reply(451, "4.3.0", "Something is wrong at our side, try again later")

# --- syntax and sequence --------------------------------------------------------------------------------------------
UNKNOWN_COMMAND: Final = Reply(500, "5.5.2", "Command not recognised")
LINE_TOO_LONG: Final = Reply(500, "5.5.2", "Line too long")
BARE_NEWLINE_IN_COMMAND: Final = Reply(500, "5.5.2", "Lines end in CRLF; a bare CR or LF is not accepted")
CONTROL_CHARACTER: Final = Reply(500, "5.5.2", "Control characters are not accepted in commands")
NOT_UTF8: Final = Reply(500, "5.5.2", "Commands are ASCII or UTF-8")
NO_PARAMETERS: Final = Reply(501, "5.5.4", "This command takes no parameters")
NEEDS_PARAMETER: Final = Reply(501, "5.5.4", "This command needs a parameter")
BAD_HELLO: Final = Reply(501, "5.5.4", "Say EHLO with one domain name or address literal")
BAD_MAIL: Final = Reply(501, "5.5.4", "Syntax: MAIL FROM:<address> [parameters]")
BAD_RCPT: Final = Reply(501, "5.5.4", "Syntax: RCPT TO:<address> [parameters]")
BAD_AUTH: Final = Reply(501, "5.5.4", "Syntax: AUTH mechanism [initial-response]")
BAD_CHUNK_SIZE: Final = Reply(421, "4.5.4", "Syntax: BDAT size [LAST]; where the chunk ends is unknown, closing")
NOT_IMPLEMENTED: Final = Reply(502, "5.5.1", "Command not implemented")
NO_STARTTLS: Final = Reply(502, "5.5.1", "STARTTLS is not offered")
NO_AUTH: Final = Reply(502, "5.5.1", "AUTH is not offered")
HELLO_FIRST: Final = Reply(503, "5.5.1", "Say EHLO first")
MAIL_FIRST: Final = Reply(503, "5.5.1", "Say MAIL first")
IN_TRANSACTION: Final = Reply(503, "5.5.1", "Not within a mail transaction")
BDAT_BEGUN: Final = Reply(503, "5.5.1", "The message has begun with BDAT and must end with BDAT")
ALREADY_AUTHENTICATED: Final = Reply(503, "5.5.1", "You are authenticated already")
NO_RECIPIENTS: Final = Reply(554, "5.5.1", "No valid recipients")


def unknown_parameter(keyword: str) -> Reply:
    """555: a MAIL or RCPT parameter that no extension offered here has (RFC 5321 §4.1.1.11)."""
    return Reply(555, "5.5.4", f"Parameter {keyword} is not known here")


def bad_parameter(keyword: str) -> Reply:
    """501: a parameter that is known, with a value that it does not have, or twice."""
    return Reply(501, "5.5.4", f"Parameter {keyword} is malformed")


# --- TLS and authentication -----------------------------------------------------------------------------------------
READY_FOR_TLS: Final = Reply(220, "2.0.0", "Go ahead with TLS")
TLS_UNAVAILABLE: Final = Reply(454, "4.7.0", "TLS is not to be had at the moment")
TLS_REQUIRED: Final = Reply(530, "5.7.0", "Say STARTTLS first")
AUTH_REQUIRED: Final = Reply(530, "5.7.0", "Authentication required")
AUTHENTICATED: Final = Reply(235, "2.7.0", "Authenticated")
AUTH_FAILED: Final = Reply(535, "5.7.8", "User name or password is wrong")
AUTH_CANCELLED: Final = Reply(501, "5.7.0", "Authentication cancelled")
AUTH_MALFORMED: Final = Reply(501, "5.5.2", "Authentication data are malformed")
AUTH_TOO_LONG: Final = Reply(500, "5.5.6", "Authentication exchange line is too long")
ACCOUNT_DISABLED: Final = Reply(525, "5.7.13", "This account is disabled")
UNKNOWN_MECHANISM: Final = Reply(504, "5.5.4", "This mechanism is not offered")


def challenge(encoded: bytes) -> Reply:
    """334: the server's turn in a SASL exchange; `encoded` is base64 (RFC 4954 §4)."""
    return Reply(334, "", encoded.decode("ascii"))


# --- envelope -------------------------------------------------------------------------------------------------------
SENDER_OK: Final = Reply(250, "2.1.0", "Sender OK")
RECIPIENT_OK: Final = Reply(250, "2.1.5", "Recipient OK")
BAD_SENDER: Final = Reply(501, "5.1.7", "The sender's address is malformed")
BAD_RECIPIENT: Final = Reply(501, "5.1.3", "The recipient's address is malformed")
PATH_TOO_LONG: Final = Reply(501, "5.1.3", "The address is too long")
SENDER_NEEDS_SMTPUTF8: Final = Reply(553, "5.6.7", "A sender's address beyond ASCII needs SMTPUTF8")
RECIPIENT_NEEDS_SMTPUTF8: Final = Reply(553, "5.6.7", "A recipient's address beyond ASCII needs SMTPUTF8")
SENDER_NOT_YOURS: Final = Reply(553, "5.7.1", "This sender's address does not belong to your account")
NO_SUCH_USER: Final = Reply(550, "5.1.1", "No such user here")
CROCKERY_LISTENS_INSIDE: Final = Reply(550, "5.7.1", "Crockery reads answers from this domain's own accounts only")
NO_SUCH_QUESTION: Final = Reply(550, "5.1.1", "This address answers no question that Crockery has asked you")
NOT_CROCKERY: Final = Reply(550, "5.7.1", "Crockery does not send mail to itself: this is a forgery")
ANSWER_AT_ONCE: Final = Reply(550, "5.7.1", "Crockery reads answers at once: send yours without a delay")
BOUNCES_ONLY: Final = Reply(550, "5.7.1", "This address takes bounces of forwarded mail, and nothing else")
NOT_OUR_BOUNCE: Final = Reply(550, "5.1.1", "This address was not made here, or too long ago")
NO_RELAY: Final = Reply(550, "5.7.1", "Mail for other domains is not relayed")
TOO_MANY_RECIPIENTS: Final = Reply(452, "4.5.3", "Too many recipients, send the rest in another transaction")
RECIPIENT_GONE: Final = Reply(451, "4.2.1", "A recipient's mailbox is gone since you asked, try again")
ONE_RECIPIENT: Final = Reply(452, "4.5.3", "A receipt has one recipient, send another for the next")
TOO_MANY_DOMAINS: Final = Reply(452, "4.5.3", "Too many recipient domains, send the rest in another transaction")
MAILBOX_FULL: Final = Reply(452, "4.2.2", "The mailbox is full, try again later")
TOO_BIG_FOR_MAILBOX: Final = Reply(552, "5.2.3", "The message is larger than all that the mailbox may hold")
DISK_FULL: Final = Reply(452, "4.3.1", "Not enough room at the moment, try again later")
BUSY: Final = Reply(452, "4.3.2", "Too much mail in flight, try again soon")


def hold_too_long(days: int) -> Reply:
    """501: HOLDFOR or HOLDUNTIL beyond what is announced (RFC 4865 §4)."""
    return Reply(501, "5.5.4", f"A message can be held for {days} days at most")


HOLD_PAST: Final = Reply(501, "5.5.4", "The time until which the message should be held is over")
DEADLINE_FIRST: Final = Reply(501, "5.5.4", "The message would have to be delivered before the time it is held until")


def too_many_mails(count: int) -> Reply:
    """450: the account's limit of a day."""
    return Reply(450, "4.7.1", f"You have sent {count:,} mails in 24 hours, all that this server allows: wait a while")


def too_many_strangers(count: int) -> Reply:
    """450: the account's limit of recipients it never wrote to before."""
    words = f"You have written to {count:,} new recipients in 24 hours, all that this server allows: wait a while"
    return Reply(450, "4.7.1", words)


# --- content --------------------------------------------------------------------------------------------------------
START_INPUT: Final = Reply(354, "", "Send the message; end it with <CRLF>.<CRLF>")
ACCEPTED: Final = Reply(250, "2.6.0", "Message accepted")
TOO_BIG: Final = Reply(552, "5.3.4", "The message is too big")
BARE_NEWLINE: Final = Reply(550, "5.6.0", "The message has a bare CR or LF, which mail may not have")
NUL: Final = Reply(550, "5.6.0", "The message has NUL octets, which text may not have: send such a file base64-encoded")
TEXT_LINE_TOO_LONG: Final = Reply(554, "5.6.0", "A line of the message is too long")
MAIL_LOOP: Final = Reply(554, "5.4.6", "The message is in a loop: too many Received fields")
HEADER_TOO_BIG: Final = Reply(552, "5.3.4", "The header of the message is too big")
BAD_FROM: Final = Reply(550, "5.6.0", "The message needs one clean From field, and at most one Sender field")
FROM_NOT_YOURS: Final = Reply(550, "5.7.1", "The From or Sender address does not belong to your account")
REFUSED_CONTENT: Final = Reply(550, "5.7.1", "The message was refused by policy")


def accepted(number: int) -> Reply:
    """250: the message is ours now, as event `number` (RFC 5321 §4.1.1.4)."""
    return Reply(250, "2.6.0", f"Message accepted as {number}")


def internal_error(reference: str) -> Reply:
    """451: a defect of ours; `reference` is in the log beside its description."""
    return Reply(451, "4.3.0", f"{INTERNAL_ERROR.text} (reference {reference})")


def chunk_received(size: int) -> Reply:
    """250 for one BDAT chunk of `size` octets (RFC 3030 §2)."""
    return Reply(250, "2.0.0", f"{size} octets received")


def greeting(hostname: str) -> Reply:
    """220: the server speaks first (RFC 5321 §4.2); no enhanced code, for none is agreed upon yet."""
    return Reply(220, "", f"{hostname} ESMTP Crockery")


def hello(hostname: str, keywords: tuple[str, ...] = ()) -> Reply:
    """250 to EHLO with an extension a line, or to HELO (RFC 5321 §4.1.1.1); no enhanced codes (RFC 2034 §4)."""
    return Reply(250, "", "\n".join((f"{hostname} at your service", *keywords)))

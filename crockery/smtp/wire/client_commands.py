"""What the client says: a transaction's envelope as command lines, with the parameters that the server offers.

RFC 5321 §4.1.1.2 and §4.1.1.3 (MAIL, RCPT), RFC 1870 (SIZE), RFC 6152 (8BITMIME), RFC 6531 (SMTPUTF8), RFC 8689
(REQUIRETLS), RFC 3461 §4 (DSN), RFC 2852 §3 and §4 (DELIVERBY). Invariant: a rendered line has no control character but
its CRLF, whatever the envelope holds, so that no address can smuggle a command.

8-bit content goes to servers without 8BITMIME as it is, without BODY: all that are left pass it through, and
re-encoding would break signatures.
"""

import dataclasses
import re
from typing import Final

from crockery.smtp.wire.capabilities import Capabilities
from crockery.smtp.wire.errors import LocalProtocolError
from crockery.smtp.wire.replies import Reply

_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")

NO_SMTPUTF8: Final = Reply(553, "5.6.7", "The receiving server does not take addresses or headers beyond ASCII")
NO_REQUIRETLS: Final = Reply(550, "5.7.30", "The receiving server does not promise to keep this message encrypted")


NO_DELIVERBY: Final = Reply(550, "5.3.3", "The receiving server does not promise to deliver a message in time")
TOO_LATE: Final = Reply(550, "5.4.7", "The time by which the message was to be delivered is over")
_MOST_SECONDS: Final = 999_999_999


@dataclasses.dataclass(frozen=True, slots=True)
class DeliverBy:
    """A deadline: `seconds` from now (past where negative), and what comes then; see `commands.DeliverBy`."""

    seconds: int
    returns: bool
    traces: bool = False

    def render(self) -> str:
        """`by-value = by-time ";" by-mode [by-trace]`."""
        seconds = max(-_MOST_SECONDS, min(self.seconds, _MOST_SECONDS))
        return f"{seconds};{'R' if self.returns else 'N'}{'T' * self.traces}"


@dataclasses.dataclass(frozen=True, slots=True)
class Recipient:
    """A forward-path without brackets; `notify` and `orcpt` (with its xtext) as in RFC 3461, "" where not given."""

    address: str
    notify: str = ""
    orcpt: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One mail transaction: the envelope, and what is known of the content.

    `reverse_path` is "" for the null path; `size` counts octets; `envid` is xtext; `ret` is "FULL", "HDRS" or "".
    `smtputf8` says that the mail cannot go without SMTPUTF8, `require_tls` that it must not go without REQUIRETLS,
    unless its reverse-path is null (RFC 8689 §5); nor may it without DELIVERBY if `deliver_by` is a deadline after
    which it is to come back.
    """

    reverse_path: str
    recipients: tuple[Recipient, ...]
    size: int | None = None
    eight_bit: bool = False
    smtputf8: bool = False
    require_tls: bool = False
    ret: str = ""
    envid: str = ""
    deliver_by: DeliverBy | None = None


def obstacle(transaction: Transaction, offered: Capabilities) -> Reply | None:
    """Why the mail cannot go to a server that offers this, in the words of a reply of our own; None: it can."""
    if transaction.smtputf8 and "SMTPUTF8" not in offered:
        return NO_SMTPUTF8
    if transaction.require_tls and transaction.reverse_path and "REQUIRETLS" not in offered:
        return NO_REQUIRETLS
    deadline = transaction.deliver_by
    if deadline is not None and deadline.returns:
        if deadline.seconds <= 0:
            return TOO_LATE
        if "DELIVERBY" not in offered:
            return NO_DELIVERBY
        if deadline.seconds < offered.min_by_time:
            words = f"The receiving server cannot deliver a message in less than {offered.min_by_time} seconds"
            return Reply(550, "5.4.7", words)
    maximum = offered.max_size
    if maximum is not None and transaction.size is not None and transaction.size > maximum:
        return Reply(552, "5.3.4", f"The receiving server takes messages of at most {maximum} octets")
    return None


def mail_line(transaction: Transaction, offered: Capabilities) -> bytes:
    """`MAIL FROM:<reverse-path> [parameters]`. Raises LocalProtocolError for what cannot be written."""
    words = [f"MAIL FROM:<{transaction.reverse_path}>"]
    if transaction.size is not None and "SIZE" in offered:
        words.append(f"SIZE={transaction.size}")
    if transaction.eight_bit and "8BITMIME" in offered:
        words.append("BODY=8BITMIME")
    if transaction.smtputf8:
        words.append("SMTPUTF8")
    if transaction.require_tls and "REQUIRETLS" in offered:
        words.append("REQUIRETLS")
    if transaction.deliver_by is not None and "DELIVERBY" in offered:
        words.append(f"BY={transaction.deliver_by.render()}")
    if "DSN" in offered:
        words += [f"RET={transaction.ret}"] * bool(transaction.ret)
        words += [f"ENVID={transaction.envid}"] * bool(transaction.envid)
    return command_line(" ".join(words), utf8=transaction.smtputf8)


def rcpt_line(recipient: Recipient, transaction: Transaction, offered: Capabilities) -> bytes:
    """`RCPT TO:<forward-path> [parameters]`. Raises LocalProtocolError for what cannot be written."""
    words = [f"RCPT TO:<{recipient.address}>"]
    if "DSN" in offered:
        notify = _notify(recipient.notify, transaction.deliver_by, offered)
        words += [f"NOTIFY={notify}"] * bool(notify)
        words += [f"ORCPT={recipient.orcpt}"] * bool(recipient.orcpt)
    return command_line(" ".join(words), utf8=transaction.smtputf8)


def _notify(wanted: str, deadline: DeliverBy | None, offered: Capabilities) -> str:
    """NOTIFY; whom we do not tell any more that a deadline is over hears of delays there (RFC 2852 §4.1.4.2)."""
    if deadline is None or deadline.returns or deadline.seconds <= 0 or "DELIVERBY" in offered or wanted == "NEVER":
        return wanted
    return ",".join(dict.fromkeys([*(wanted or "FAILURE").split(","), "DELAY"]))


def command_line(text: str, *, utf8: bool = False) -> bytes:
    """`text` as a line with its CRLF. Raises LocalProtocolError for control characters, and beyond ASCII unasked."""
    if _CONTROL.search(text):
        raise LocalProtocolError(f"a control character in {text!r}")
    try:
        return text.encode("utf-8" if utf8 else "ascii") + b"\r\n"
    except UnicodeError as error:
        raise LocalProtocolError(f"{text!r} needs SMTPUTF8") from error

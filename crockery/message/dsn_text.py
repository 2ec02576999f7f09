"""The first part of a delivery status notification: what a person reads (RFC 3464 §2, RFC 6522 §3)."""

from collections.abc import Sequence
from textwrap import fill
from typing import Final

from crockery.limits import DSN_REPLY_LINE, DSN_REPLY_LINES
from crockery.message.dates import spell_date
from crockery.message.dsn_reasons import explain_status
from crockery.message.dsn_status import Action, RecipientStatus

_WIDTH: Final = 72


def render_subject(subject: str, recipients: Sequence[RecipientStatus]) -> str:
    """The subject of the notice: the worst that happened, and the subject of the message it is about."""
    actions = {recipient.action for recipient in recipients}
    worst = next((action for action in _SUBJECTS if action in actions), Action.FAILED)
    return f"{_SUBJECTS[worst]}: {subject}" if subject else _SUBJECTS[worst]


def render_text(
    subject: str, sent: int | None, zone: int, recipients: Sequence[RecipientStatus], *, is_whole: bool
) -> str:
    """The text, in lines of 72 characters.

    Args:
        subject: of the message it is about, decoded; `sent` its date in Unix seconds, if it is known.
        zone: minutes east of UTC, for the times in the text.
        is_whole: whether the whole message comes with the notice, or its header alone.
    """
    title = f'"{subject}"' if subject else "without a subject"
    when = "" if sent is None else f", sent on {spell_date(sent, zone)}"
    paragraphs = [_wrap(f"This is about your message {title}{when}.")]
    for kind, opening in _OPENINGS.items():
        concerned = [recipient for recipient in recipients if (recipient.action, recipient.confirms) == kind]
        if concerned:
            paragraphs.append(_wrap(opening[len(concerned) > 1]))
            paragraphs += [_describe(recipient, zone) for recipient in concerned]
    attached = "Your message is" if is_whole else "The header of your message is"
    paragraphs.append(_wrap(f"{attached} attached. About recipients who are not named here, this notice says nothing."))
    return "\n\n".join(paragraphs) + "\n"


_SUBJECTS: Final = {
    Action.FAILED: "Not delivered",
    Action.DELAYED: "Not delivered yet",
    Action.EXPANDED: "Delivered to a list",
    Action.RELAYED: "Handed on",
    Action.DELIVERED: "Delivered",
}
_OPENINGS: Final = {  # and whether the next server confirms delivery: to one recipient, to several
    (Action.FAILED, False): (
        "It could not be delivered to this recipient, and nothing more will be tried:",
        "It could not be delivered to these recipients, and nothing more will be tried:",
    ),
    (Action.DELAYED, False): (
        "It has not reached this recipient yet. Nothing is lost, and you need not send it again:",
        "It has not reached these recipients yet. Nothing is lost, and you need not send it again:",
    ),
    (Action.DELIVERED, False): ("It was delivered to:", "It was delivered to:"),
    (Action.RELAYED, False): (
        "It was handed on to a mail server that does not confirm delivery, so this is the last you will hear of it "
        "unless that fails:",
        "It was handed on to mail servers that do not confirm delivery, so this is the last you will hear of it "
        "unless that fails:",
    ),
    (Action.RELAYED, True): (
        "It was handed on to a mail server that was asked to tell you when it is delivered, or why it is not:",
        "It was handed on to mail servers that were asked to tell you when it is delivered, or why it is not:",
    ),
    (Action.EXPANDED, False): (
        "It was delivered to a list, which passes it on to its members:",
        "It was delivered to lists, which pass it on to their members:",
    ),
}


def _describe(recipient: RecipientStatus, zone: int) -> str:
    """One recipient: its address, and indented below it all there is to say."""
    lines = [f"  {recipient.final}"]
    if recipient.action in (Action.FAILED, Action.DELAYED):
        reason = explain_status(recipient.status, recipient.final)
        lines.append(_wrap(recipient.why or reason.why, "    "))
        if recipient.remote_reply:
            lines.append(_wrap(f"The mail server {recipient.remote_host or 'there'} said:", "    "))
            lines += [_wrap(line[:DSN_REPLY_LINE], "      ") for line in _printable_lines(recipient.remote_reply)]
        if recipient.action == Action.FAILED:
            lines.append(_wrap("What you can try: " + _lower_first(recipient.advice or reason.advice), "    "))
        elif recipient.retry_until is not None:
            lines.append(_wrap(f"It is tried again until {spell_date(recipient.retry_until, zone)}.", "    "))
    elif recipient.remote_host:
        lines.append(_wrap(f"taken by the mail server {recipient.remote_host}", "    "))
    return "\n".join(lines)


def _printable_lines(text: str) -> list[str]:
    lines = ["".join(c if c.isprintable() else " " for c in line).strip() for line in text.split("\n")]
    return [line for line in lines if line][:DSN_REPLY_LINES]


def _wrap(text: str, indent: str = "") -> str:
    return fill(text, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]

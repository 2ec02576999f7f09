"""What enhanced status codes (RFC 3463, RFC 5248's registry) mean to a person: why, and what to try.

Keyed by subject and detail; the class (4 or 5) only tells whether trying again helps. A sentence may name {address} and
{domain}, those of the recipient.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a recipient did not get a message, and what its sender can do: one or two sentences each."""

    why: str
    advice: str


_CHECK_ADDRESS: Final = "Check the address for typing mistakes, or ask the recipient another way for the right one."
_CHECK_DOMAIN: Final = "Check what stands behind the @ for typing mistakes."
_SMALLER: Final = "Send it without large attachments, or share them by a link."
_ASK_THEM: Final = "Reach the recipient another way, and ask them to have their mail people look at the words above."
_ASK_OURS: Final = "Show this notice to whoever runs your mail server: it is theirs to put right."
_LATER: Final = "Try again later. If it lasts, reach the recipient another way."

REASONS: Final = {
    "1.0": Reason("The mail server there did not accept the address {address}.", _CHECK_ADDRESS),
    "1.1": Reason("There is no mailbox {address}.", _CHECK_ADDRESS),
    "1.2": Reason("There is no {domain} that takes mail.", _CHECK_DOMAIN),
    "1.3": Reason("The mail server there says that {address} is not written as an address can be.", _CHECK_ADDRESS),
    "1.4": Reason("The address {address} could mean more than one mailbox.", _CHECK_ADDRESS),
    "1.6": Reason("The mailbox {address} has moved, and the new address is not known.", _CHECK_ADDRESS),
    "1.7": Reason("The mail server there did not accept your own address as the sender.", _ASK_OURS),
    "1.8": Reason("The mail server there could not find the domain of your own address.", _ASK_OURS),
    "1.10": Reason("{domain} has declared that it takes no mail at all.", _CHECK_DOMAIN),
    "2.0": Reason("The mailbox {address} cannot take mail.", _ASK_THEM),
    "2.1": Reason("The mailbox {address} is switched off.", _ASK_THEM),
    "2.2": Reason(
        "The mailbox {address} is full.", "Reach the recipient another way, and send it again when there is room."
    ),
    "2.3": Reason("The message is larger than {address} may get.", _SMALLER),
    "2.4": Reason("The mailing list {address} could not be worked out.", _ASK_THEM),
    "3.0": Reason("Something is wrong with the mail system of {domain}.", _LATER),
    "3.1": Reason("The mail system of {domain} has no room left.", _LATER),
    "3.2": Reason("The mail system of {domain} takes no mail at the moment.", _LATER),
    "3.4": Reason("The message is larger than the mail system of {domain} takes.", _SMALLER),
    "3.5": Reason("The mail system of {domain} is not set up rightly.", _ASK_THEM),
    "4.0": Reason("The way to the mail system of {domain} is broken.", _LATER),
    "4.1": Reason("No mail server of {domain} answered.", _LATER),
    "4.2": Reason("The connection to the mail server of {domain} broke off.", _LATER),
    "4.3": Reason("It could not be found out (from DNS) where mail for {domain} goes.", _LATER),
    "4.4": Reason("There is no mail server for {domain}.", _CHECK_DOMAIN),
    "4.5": Reason("The mail server of {domain} is overloaded.", _LATER),
    "4.6": Reason(
        "The message went around in circles: somewhere it is forwarded back to where it came from.", _ASK_THEM
    ),
    "4.7": Reason("It was tried for as long as it was allowed to be, without success.", _LATER),
    "5.0": Reason("The mail server of {domain} did not understand ours.", _ASK_OURS),
    "5.3": Reason("The message had more recipients than {domain} takes at once.", "Send it to fewer at a time."),
    "6.0": Reason("The mail server of {domain} did not like the form of the message.", _ASK_OURS),
    "6.1": Reason("The mail server of {domain} does not take this kind of content.", _SMALLER),
    "6.3": Reason("The mail server of {domain} cannot take the message without changing it.", _ASK_OURS),
    "6.7": Reason(
        "The address or the subject has letters beyond plain English, and the mail server of {domain} cannot "
        "handle such addresses.",
        "Ask the recipient for an address in plain letters.",
    ),
    "7.0": Reason("The mail server of {domain} refused the message by its rules.", _ASK_THEM),
    "7.1": Reason(
        "The mail server of {domain} does not let you write to {address}, or took the message for spam.", _ASK_THEM
    ),
    "7.2": Reason("You may not write to the mailing list {address}.", "Ask its owner to let you in."),
    "7.5": Reason("The secure connection that {domain} itself asks for could not be had.", _ASK_THEM),
    "7.10": Reason("The mail server of {domain} wants an encrypted connection, which could not be had.", _ASK_OURS),
    "7.20": Reason("{domain} found no valid signature (DKIM) of your domain on the message.", _ASK_OURS),
    "7.21": Reason("{domain} found no signature (DKIM) on the message that it accepts.", _ASK_OURS),
    "7.22": Reason("The signature (DKIM) on the message is not that of the sender's domain.", _ASK_OURS),
    "7.23": Reason("The rules that your domain has published (SPF) do not name the server that sent this.", _ASK_OURS),
    "7.24": Reason("{domain} could not read the rules that your domain has published (SPF).", _ASK_OURS),
    "7.25": Reason("The address of your mail server has no name (reverse DNS), and {domain} asks for one.", _ASK_OURS),
    "7.26": Reason("The message passed none of the checks (SPF, DKIM, DMARC) that {domain} makes.", _ASK_OURS),
    "7.27": Reason("{domain} takes no mail from domains that take none themselves, as yours seems to be.", _ASK_OURS),
    "7.30": Reason(
        "You asked that this message travel over proven secure connections only, and there is no such way to {domain}.",
        "Send it without that demand, or reach the recipient another way.",
    ),
}  # fmt: skip

_REFUSED: Final = Reason("The mail server of {domain} refused the message.", _ASK_THEM)
_NOT_NOW: Final = Reason("The mail server of {domain} could not take the message.", _LATER)


def explain_status(status: str, address: str) -> Reason:
    """What an enhanced code such as "5.1.1" means for the recipient `address`. Unknown ones get a general answer."""
    kind, _, rest = status.partition(".")
    subject = rest.partition(".")[0]
    found = REASONS.get(rest) or REASONS.get(f"{subject}.0") or (_NOT_NOW if kind == "4" else _REFUSED)
    domain = address.rpartition("@")[2] or address

    def fill(text: str) -> str:
        return text.replace("{domain}", domain).replace("{address}", address)

    return Reason(fill(found.why), fill(found.advice))

"""The policy of the MX port: anybody may hand in mail for addresses that are ours, and for nobody else.

RFC 5321 §3.3 (recipients are refused at RCPT), §4.4 (Return-Path is ours to write), §6.3 (loops); RFC 8601 §5 (so are
our Authentication-Results); RFC 9228 (Delivered-To, and the loops it shows).
"""

from crockery import limits
from crockery.delivery.answers import is_crockerys
from crockery.delivery.envelope import Envelope
from crockery.delivery.header import Header
from crockery.delivery.policy import Policy
from crockery.delivery.recipients import account_address, is_local_domain, local_accounts
from crockery.message.edit import header_separator, remove_forged
from crockery.projections.state import State
from crockery.smtp.wire import Mailbox, Reply, replies


def is_ours(state: State, envelope: Envelope, recipient: Mailbox) -> Reply | None:
    """No relaying."""
    return None if is_local_domain(state.settings, recipient.domain) else replies.NO_RELAY


def is_not_crockery(state: State, envelope: Envelope) -> Reply | None:
    """Mail that claims to be from Crockery itself comes from somebody else."""
    path = envelope.reverse_path
    return replies.NOT_CROCKERY if path is not None and is_crockerys(state, path) else None


def is_for_people(state: State, envelope: Envelope, recipient: Mailbox) -> Reply | None:
    """Crockery's own address is not for strangers, whatever the wildcard says."""
    return replies.CROCKERY_LISTENS_INSIDE if is_crockerys(state, recipient) else None


def is_from_somebody_else(state: State, envelope: Envelope, header: Header) -> Reply | None:
    """No From of Crockery's: people trust what it writes."""
    for value in header.values(b"from"):
        for word in value.decode("utf-8", "replace").casefold().replace("<", " ").replace(">", " ").split():
            local, at, domain = word.rpartition("@")
            if at and is_crockerys(state, Mailbox(local.strip('"'), domain.strip(",;"))):
                return replies.NOT_CROCKERY
    return None


def is_known(state: State, envelope: Envelope, recipient: Mailbox) -> Reply | None:
    """Somebody gets mail under a local name; names of other domains are not ours to know."""
    return replies.NO_SUCH_USER if local_accounts(state, recipient) == [] else None


def has_few_hops(state: State, envelope: Envelope, header: Header) -> Reply | None:
    """A message that came through a hundred servers is going round."""
    return replies.MAIL_LOOP if header.count(b"received") > limits.SMTP_MAX_HOPS else None


def is_not_back(state: State, envelope: Envelope, header: Header) -> Reply | None:
    """A message that was delivered to one of its recipients before came back through a forward."""
    seen = {value.strip(b"<> \t").decode("utf-8", "replace").casefold() for value in header.values(b"delivered-to")}
    if not seen:
        return None
    for recipient in envelope.recipients:
        for account in local_accounts(state, recipient) or ():
            if str(account_address(state.settings, account)).casefold() in seen:
                return replies.MAIL_LOOP
    return None


def edit_header(state: State, header: Header, now: int) -> bytes:
    """Without fields that only we may write; an empty line where the message begins with its body."""
    return header_separator(header.data) + remove_forged(header.data, state.settings.hostname)


INBOUND = Policy(
    via="smtp",
    sender=(is_not_crockery,),
    recipient=(is_ours, is_for_people, is_known),
    content=(has_few_hops, is_not_back, is_from_somebody_else),
    edit=edit_header,
)

"""The policy of the MX port: anybody may hand in mail for addresses that are ours, and for nobody else.

RFC 5321 §3.3 (recipients are refused at RCPT), §4.4 (Return-Path is ours to write), §6.3 (loops); RFC 8601 §5 (so are
our Authentication-Results); RFC 9228 (Delivered-To, and the loops it shows).
"""

import re
from typing import Final

from crockery import limits
from crockery.actions.store import Store
from crockery.delivery.answers import is_crockerys
from crockery.delivery.envelope import Envelope
from crockery.delivery.forwarding import restore_path
from crockery.delivery.header import Header
from crockery.delivery.policy import Policy
from crockery.delivery.recipients import is_local_domain, local_accounts, own_address, reach
from crockery.delivery.srs import SRSError, is_rewritten
from crockery.message.edit import header_separator, remove_forged
from crockery.message.headers import unfold
from crockery.message.parameters import remove_comments
from crockery.message.words import decode_words
from crockery.projections.accounts import CROCKERYS_NAME
from crockery.projections.quota import Quota, quota_of
from crockery.projections.quota import has_room as holds
from crockery.projections.state import State
from crockery.smtp.wire import AddressError, Mailbox, Reply, normalise_domain, replies


def is_ours(store: Store, envelope: Envelope, recipient: Mailbox) -> Reply | None:
    """No relaying."""
    return None if is_local_domain(store.state.settings, recipient.domain) else replies.NO_RELAY


def is_not_crockery(store: Store, envelope: Envelope) -> Reply | None:
    """Mail that claims to be from Crockery itself comes from somebody else."""
    path = envelope.reverse_path
    return replies.NOT_CROCKERY if path is not None and is_crockerys(store.state, path) else None


def is_for_people(store: Store, envelope: Envelope, recipient: Mailbox) -> Reply | None:
    """Crockery's own address is not for strangers, whatever the wildcard says."""
    return replies.CROCKERY_LISTENS_INSIDE if is_crockerys(store.state, recipient) else None


def is_from_somebody_else(store: Store, envelope: Envelope, header: Header) -> Reply | None:
    """No From of Crockery's, however it is written, nor a name that reads like it: people trust what it writes."""
    for value in header.values(b"from"):
        text = unfold(remove_comments(value))
        shown = f"{text.decode('utf-8', 'replace')} , {decode_words(text)}"
        words = re.sub(r"[\"\\]", " ", shown).split()
        written = re.sub(r" ?([@.+]) ?", r"\1", " ".join(words))
        for found in _CROCKERYS.finditer(written):
            if is_crockerys(store.state, Mailbox(CROCKERYS_NAME, _domain(found[1]))):
                return replies.NOT_CROCKERY
    return None


def _domain(text: str) -> str:
    try:
        return normalise_domain(text.rstrip("."))
    except AddressError:
        return text


_CROCKERYS: Final = re.compile(
    rf"(?<![\w!#$%&'*/=?^`{{|}}~.+-]){CROCKERYS_NAME}(?:\+[^@<>,;: ]{{0,64}})?@([^@<>,;: ]{{1,255}})", re.IGNORECASE
)


def is_known(store: Store, envelope: Envelope, recipient: Mailbox) -> Reply | None:
    """Mail to a local name leads somewhere; names of other domains are not ours to know.

    A reverse-path that we made takes bounces, and these alone.
    """
    found = reach(store.state, recipient)
    if found is None:
        return None
    if not is_rewritten(recipient.local):
        return None if found.accounts or found.forwards else replies.NO_SUCH_USER
    if envelope.reverse_path is not None:
        return replies.BOUNCES_ONLY
    try:
        restore_path(store, recipient)
    except SRSError:
        return replies.NOT_OUR_BOUNCE
    return None


def has_room(store: Store, envelope: Envelope, recipient: Mailbox) -> Reply | None:
    """Every account that it goes to has room for as much as was declared (RFC 1870 §6.1); else it comes again later.

    What is longer than all that an account may hold never fits. A message whose size was not declared may overshoot.
    """
    found = reach(store.state, recipient)
    more = Quota(max(envelope.size, 1), 1)
    for account in found.accounts if found is not None else ():
        if not holds(store.state, account.id, more):
            most = quota_of(store.state, account.id).storage
            if 0 < most < more.storage:
                return replies.TOO_BIG_FOR_MAILBOX
            for listener in store.refused:
                listener(account.id, more.storage)
            return replies.MAILBOX_FULL
    return None


def has_few_hops(store: Store, envelope: Envelope, header: Header) -> Reply | None:
    """A message that came through a hundred servers is going round."""
    return replies.MAIL_LOOP if header.count(b"received") > limits.SMTP_MAX_HOPS else None


def is_not_back(store: Store, envelope: Envelope, header: Header) -> Reply | None:
    """A message that was delivered to one of its recipients, or went on from there, came back through a forward."""
    seen = {value.strip(b"<> \t").decode("utf-8", "replace").casefold() for value in header.values(b"delivered-to")}
    if not seen:
        return None
    state = store.state
    for recipient in envelope.recipients:
        found = reach(state, recipient)
        names = [account.name for account in local_accounts(state, recipient) or ()]
        names += [forward.name for forward in found.forwards] if found is not None else []
        if any(str(own_address(state.settings, name)).casefold() in seen for name in names):
            return replies.MAIL_LOOP
    return None


def edit_header(state: State, header: Header, now: int) -> bytes:
    """Without fields that only we may write; an empty line where the message begins with its body."""
    data = header.data
    if header.has(b"return-path", b"authentication-results"):
        data = remove_forged(data, state.settings.hostname)
    return header_separator(header.data) + data


INBOUND = Policy(
    via="smtp",
    sender=(is_not_crockery,),
    recipient=(is_ours, is_for_people, is_known, has_room),
    content=(has_few_hops, is_not_back, is_from_somebody_else),
    edit=edit_header,
)

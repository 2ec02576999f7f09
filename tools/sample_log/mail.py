"""Of the sample log: mailboxes of anna, their annotations, and the messages in them."""

from typing import Final

import numpy as np

from crockery.actions import erase, mailboxes, metadata
from crockery.actions.accounts import existing_account
from crockery.actions.actor import Actor, the_server
from crockery.actions.incoming import IncomingBody, ReceivedBody, received
from crockery.actions.mail import Delivery, copy_messages, deliver, expunge, move_messages, store_flags
from crockery.actions.queue import Outgoing
from crockery.actions.store import Store
from crockery.projections.mailboxes import Mailbox

SMALL: Final = b"From: ben@example.org\r\nTo: anna@example.test\r\nSubject: Tea?\r\n\r\nAt five.\r\n"
TWO_FRAMES: Final = SMALL + b"One line of a longer letter.\r\n" * 12_000
LARGE: Final = SMALL + b"".join(b"%06d bottles of beer on the wall\r\n" % n for n in range(60_000))


def session_of_anna(store: Store) -> Actor:
    """A mail program of hers."""
    return Actor(existing_account(store, "anna").id, "imap", "192.0.2.1", "a mail program", "TLSv1.3")


def fill(store: Store) -> None:
    """Make mailboxes, bring messages into them, move them about, and erase one."""
    anna = session_of_anna(store)
    inbox = mailboxes.existing(store, anna.account, "INBOX")
    archive = mailboxes.existing(store, anna.account, "Archive")
    work = mailboxes.create_mailbox(store, anna, anna.account, "Work/Räume")
    _mailboxes(store, anna, work)
    _arrivals(store, anna, inbox, archive, work)
    _changes(store, anna, inbox, archive, work)
    orphans = sorted(store.state.retention.orphaned)[:1]
    erase.note_erased(store, orphans, "sample")
    store.log.commit()
    store.log.erase_bodies(orphans)


def _mailboxes(store: Store, anna: Actor, work: Mailbox) -> None:
    mailboxes.rename_mailbox(store, anna, anna.account, "Work", "Labour")
    mailboxes.create_mailbox(store, anna, anna.account, "Old")
    mailboxes.delete_mailbox(store, anna, anna.account, "Old")
    mailboxes.change_subscriptions(store, anna, anna.account, add="Labour", remove="Junk")
    for comment, colour in ((b"Rooms", b"red"), ("Räume".encode(), None)):
        values = {"/private/comment": comment, "/private/colour": colour}
        metadata.set_metadata(store, anna, anna.account, work, values)
    metadata.set_metadata(store, anna, 0, None, {"/shared/admin": b"mailto:postmaster@example.test"})
    metadata.change_special_use(store, anna, work, "\\Archive")  # it goes from the mailbox Archive


def _arrivals(store: Store, anna: Actor, inbox: Mailbox, archive: Mailbox, work: Mailbox) -> None:
    prefix = b"Return-Path: <ben@example.org>\r\nDelivered-To: anna@example.test\r\n"
    envelope = {"peer": "198.51.100.1", "helo": "example.org", "from": "ben@example.org", "to": "anna@example.test"}
    stranger = the_server()
    large = _large_body(store)
    deliver(
        store, stranger, received(SMALL), [Delivery(inbox, prefix, ("\\Seen",), envelope)], via="smtp",
        message_id="a@b", keys=[11, 12],
    )  # fmt: skip
    deliver(store, stranger, large, [Delivery(inbox, prefix), Delivery(work, prefix)], via="smtp", keys=[13, 11])
    outgoing = Outgoing(anna.account, "anna@example.test", ["carol@example.net"], b"Received: from here\r\n")
    deliver(store, anna, received(TWO_FRAMES), [Delivery(archive, b"")], outgoing, via="submission", cmd="DATA")
    store.log.commit()
    for _ in range(4):
        deliver(store, anna, received(SMALL), [Delivery(inbox, b"", ("\\Flagged", "$Label"))], via="append", date=1)


def _large_body(store: Store) -> ReceivedBody:
    incoming = IncomingBody(store)
    for at in range(0, len(LARGE), 100_000):
        incoming.write(LARGE[at : at + 100_000])
    return incoming.finish()


def _changes(store: Store, anna: Actor, inbox: Mailbox, archive: Mailbox, work: Mailbox) -> None:
    store_flags(store, anna, inbox, np.array([1, 3, 4]), "+", ("\\Answered", "$Work"), cmd="STORE")
    store_flags(store, anna, inbox, np.array([1, 4, 5]), "=", ("\\Deleted",))
    copy_messages(store, anna, inbox, np.array([1, 2]), work)
    move_messages(store, anna, inbox, np.array([3]), archive)
    expunge(store, anna, inbox, np.array([4, 5]))
    store.log.commit()

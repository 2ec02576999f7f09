"""Makes a Crockery log of very many messages, for the rows about start, replay and memory.

It is written through the same actions as the server's own, ten thousand messages to a batch: short real mails, as if
over SMTP, to each account's INBOX in turn, and for every third of them an event that it was read.
"""

import time
from pathlib import Path

import numpy as np

from crockery.actions.actor import Actor, the_server
from crockery.actions.incoming import received
from crockery.actions.mail import Delivery, deliver, store_flags
from crockery.actions.store import Store
from crockery.events.log import Log
from crockery.projections.mailboxes import Mailbox
from crockery.projections.restore import restore
from tools.bench.servers import DOMAIN, ServerError

BATCH = 10_000  # messages written and synced at once
SEEN_EVERY = 3  # one message in so many is marked as read


def now() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000


def event_count(messages: int) -> int:
    """Events that `fill_log` writes for so many messages, batch frames and sessions aside."""
    return messages + messages // SEEN_EVERY


def fill_log(path: Path, messages: int, mails: list[bytes]) -> None:
    """Adds `messages` to the log at `path`, which no server uses and which has accounts. `mails` are used in turn.

    Raises ServerError if nobody has an INBOX.
    """
    opened = restore(path, now)
    log = opened.opened.log
    try:
        fill_store(Store(log, opened.state, now), messages, mails)
        _write(log)
    finally:
        log.file.close()


def fill_store(store: Store, messages: int, mails: list[bytes]) -> None:
    """As `fill_log`, on an open log; the last batch is left to be written."""
    inboxes = [box for box in store.state.mailboxes.by_id.values() if box.name == "INBOX"]
    if not inboxes:
        raise ServerError("The log has no account to fill.")
    bodies = [received(mail) for mail in mails]
    readers = {box.id: Actor(box.account, "imap", "127.0.0.1") for box in inboxes}
    for n in range(messages):
        mailbox = inboxes[n % len(inboxes)]
        delivery = _delivery(mailbox, n)
        deliver(store, the_server(), bodies[n % len(bodies)], [delivery], via="smtp", message_id=f"{n}@{DOMAIN}")
        if n % SEEN_EVERY == SEEN_EVERY - 1:
            newest = np.array([mailbox.uidnext - 1], dtype=np.uint32)
            store_flags(store, readers[mailbox.id], mailbox, newest, "+", ["\\Seen"])
        if n % BATCH == BATCH - 1:
            _write(store.log)


def _delivery(mailbox: Mailbox, n: int) -> Delivery:
    sender = f"sender{n % 1000}@sender.test"
    prefix = (
        f"Return-Path: <{sender}>\r\nDelivered-To: user@{DOMAIN}\r\n"
        f"Received: from mail.sender.test ([127.0.0.1])\r\n\tby mail.{DOMAIN} with ESMTP id {n:016x};\r\n"
        f"\tSun, 1 Nov 2026 12:00:00 +0000\r\n"
    )
    envelope = {"peer": "127.0.0.1", "helo": "mail.sender.test", "from": sender, "to": f"user@{DOMAIN}"}
    return Delivery(mailbox, prefix.encode(), (), envelope)


def _write(log: Log) -> None:
    """What the server's writer task does, without a server."""
    batch = log.take_batch()
    if batch is not None:
        log.write_batch(batch)
        log.batch_done(batch)

"""Makes the frozen sample log of this format: `python -m tools.make_sample_log tests/data/log`.

Run once a format version, when it is released: afterwards the files never change, and every later program must read
them. Clock and key are fixed, so that a second run makes the same events (zstd may compress otherwise some day).
"""

import argparse
import hashlib
import itertools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgpack
import numpy as np

from crockery.actions import accounts, erase, mailboxes, server, settings
from crockery.actions.actor import Actor, the_server
from crockery.actions.incoming import IncomingBody, received
from crockery.actions.mail import Delivery, copy_messages, deliver, expunge, move_messages, store_flags
from crockery.actions.queue import Outgoing
from crockery.actions.store import Store
from crockery.events.file import OSFile
from crockery.events.format import Hasher, encode_header
from crockery.events.opening import open_log
from crockery.events.recover import beginning, read_header
from crockery.events.repair import repair, repair_plan
from crockery.events.scan import Record
from crockery.events.walk import Atom, Walk
from crockery.projections.state import State
from crockery.sasl import ScramSecret

LOG_ID: Final = bytes(range(16))
KEY: Final = bytes(range(32))
BEGUN: Final = 1_767_225_600_000_000  # 2026-01-01

SMALL: Final = b"From: ben@example.org\r\nTo: anna@example.test\r\nSubject: Tea?\r\n\r\nAt five.\r\n"
TWO_FRAMES: Final = SMALL + b"One line of a longer letter.\r\n" * 12_000
LARGE: Final = SMALL + b"".join(b"%06d bottles of beer on the wall\r\n" % n for n in range(60_000))


def ticking() -> Callable[[], int]:
    """A clock: one second a call."""
    return itertools.count(BEGUN, 1_000_000).__next__


def make(path: Path) -> None:
    """Write a log with an event of every kind that this program writes."""
    file = OSFile(path, create=True)
    file.write([encode_header(LOG_ID, BEGUN, KEY)], 0)
    file.close()
    clock = ticking()
    state = State()
    log = open_log(path, state.apply, clock).log
    store = Store(log, state, clock)
    _people(store)
    _mail(store)
    _end(store)
    log.close()
    _damage(path, store)


def _people(store: Store) -> None:
    me = the_server()
    settings.change_setting(store, me, "domain", "example.test")
    accounts.add_account(store, me, "postmaster", "$argon2id$one", postmaster=True)
    accounts.add_account(store, me, "anna", "$argon2id$two")
    accounts.add_account(store, me, "ben", "$argon2id$three")
    server.start(store, "0.1", server.Place("machine", 1, 2))
    store.log.commit()
    accounts.set_password(store, me, "anna", "$argon2id$four")
    accounts.add_alias(store, me, "team", ["anna", "ben"])
    accounts.add_alias(store, me, "gone", ["anna"])
    accounts.remove_alias(store, me, "gone")
    accounts.set_wildcard(store, me, "ben")
    secret = ScramSecret(b"salt" * 4, 4096, b"s" * 32, b"k" * 32)
    phone = accounts.add_app_password(store, me, "anna", "phone", secret)
    accounts.note_app_password_used(store, me, phone.id, "192.0.2.7")
    accounts.add_app_password(store, me, "anna", "lost", secret)
    accounts.remove_app_password(store, me, "anna", "lost")
    accounts.disable_account(store, me, "ben")
    certificate = server.NewCertificate("self-signed", ["mail.example.test"], BEGUN // 1_000_000, "ab:cd", b"PEM")
    server.install_certificate(store, certificate)
    server.tally(store, BEGUN // 1_000_000, {"refused": 3})
    server.note_cut_tail(store, 1234, 56, "tail-1234-5")
    store.log.commit()


def _mail(store: Store) -> None:
    account = store.state.accounts.find("anna")
    assert account is not None
    anna = Actor(account.id, "imap", "192.0.2.1", "a mail program", "TLSv1.3")
    inbox = mailboxes.existing(store, account.id, "INBOX")
    archive = mailboxes.existing(store, account.id, "Archive")
    work = mailboxes.create_mailbox(store, anna, account.id, "Work/Räume")
    mailboxes.rename_mailbox(store, anna, account.id, "Work", "Labour")
    mailboxes.create_mailbox(store, anna, account.id, "Old")
    mailboxes.delete_mailbox(store, anna, account.id, "Old")
    mailboxes.change_subscriptions(store, anna, account.id, add="Labour", remove="Junk")
    prefix = b"Return-Path: <ben@example.org>\r\nDelivered-To: anna@example.test\r\n"
    envelope = {"peer": "198.51.100.1", "helo": "example.org", "from": "ben@example.org", "to": "anna@example.test"}
    stranger = the_server()
    incoming = IncomingBody(store)
    for at in range(0, len(LARGE), 100_000):
        incoming.write(LARGE[at : at + 100_000])
    large = incoming.finish()
    deliver(
        store, stranger, received(SMALL), [Delivery(inbox, prefix, ("\\Seen",), envelope)], via="smtp", message_id="a@b"
    )
    deliver(store, stranger, large, [Delivery(inbox, prefix), Delivery(work, prefix)], via="smtp")
    outgoing = Outgoing(account.id, "anna@example.test", ["carol@example.net"], b"Received: from here\r\n")
    deliver(store, anna, received(TWO_FRAMES), [Delivery(archive, b"")], outgoing, via="submission", cmd="DATA")
    store.log.commit()
    for _ in range(4):
        deliver(store, anna, received(SMALL), [Delivery(inbox, b"", ("\\Flagged", "$Label"))], via="append", date=1)
    store_flags(store, anna, inbox, np.array([1, 3, 4]), "+", ("\\Answered", "$Work"), cmd="STORE")
    store_flags(store, anna, inbox, np.array([1, 4, 5]), "=", ("\\Deleted",))
    copy_messages(store, anna, inbox, np.array([1, 2]), work)
    move_messages(store, anna, inbox, np.array([3]), archive)
    expunge(store, anna, inbox, np.array([4, 5]))
    store.log.commit()


def _end(store: Store) -> None:
    orphans = sorted(store.state.retention.orphaned)[:1] + erase.replaced_secrets(store)
    erase.note_erased(store, orphans, "sample")
    store.log.commit()
    store.log.erase_bodies(orphans)
    accounts.remove_account(store, the_server(), "ben")
    server.start(store, "0.1", server.Place("another machine", 1, 2))
    server.stop(store)
    store.log.commit()


def _damage(path: Path, store: Store) -> None:
    """Damage one event, and accept it."""
    damaged = bytearray(path.read_bytes())
    damaged[damaged.index(b"tail-1234-5")] ^= 1
    path.write_bytes(damaged)
    repair(path, repair_plan(path), store.clock)


def describe(path: Path) -> dict[str, Any]:
    """What a reader must find: every event as stored, every message whole, every mailbox."""
    file = OSFile(path, writable=False)
    header = read_header(file)
    records: list[Record] = []
    for item in Walk(file, Hasher(header.key), beginning(header), file.size()):
        if isinstance(item, Atom):
            records += item.records
    file.close()
    state = State()
    log = open_log(path, state.apply, lambda: 0).log
    described = {
        "log id": header.log_id.hex(),
        "events": [_event(record) for record in records],
        "messages": [_message(log.read_message, record.head.sequence) for record in records if record.head.type == 50],
        "mailboxes": [_mailbox(box) for box in state.mailboxes.by_id.values()],
        "accounts": sorted(state.accounts.by_name),
    }
    log.file.close()
    return described


def _event(record: Record) -> dict[str, Any]:
    head = record.head
    facts: Mapping[str, Any] = msgpack.unpackb(record.facts, strict_map_key=False)
    values = {"number": head.sequence, "type": head.type, "version": head.version, "time": head.time}
    return {**values, "flags": head.flags, "body": head.body_length, "facts": _plain(facts)}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"hex:{value.hex()}"
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _message(read: Callable[[int], tuple[bytes, bytes]], number: int) -> list[Any]:
    try:
        whole = b"".join(read(number))
    except Exception as error:
        return [number, getattr(error, "reason", repr(error))]
    return [number, len(whole), hashlib.sha256(whole).hexdigest()]


def _mailbox(box: Any) -> dict[str, Any]:
    columns = box.columns
    rows = zip(
        columns.uid.tolist(), columns.number.tolist(), columns.flags.tolist(), columns.size.tolist(), strict=True
    )
    messages = [[uid, number, sorted(box.flags_of(word)), size] for uid, number, word, size in rows]
    return {"name": box.name, "uidvalidity": box.uidvalidity, "uidnext": box.uidnext, "messages": messages}


def main() -> None:
    """Make the log and its description, unless they are there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    make(folder / "format-1.crk")
    described = json.dumps(describe(folder / "format-1.crk"), indent=1, ensure_ascii=False)
    (folder / "format-1.json").write_text(described + "\n")


if __name__ == "__main__":
    main()

"""Tells what a reader must find in a sample log, in words that stay whatever the program is made of inside."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import msgpack

from crockery.events.file import OSFile
from crockery.events.format import Hasher
from crockery.events.opening import open_log
from crockery.events.recover import beginning, read_header
from crockery.events.scan import Record
from crockery.events.types import TYPES
from crockery.events.types.mail import MESSAGE_RECEIVED
from crockery.events.types.queue import MESSAGE_QUEUED
from crockery.events.walk import Atom, Walk
from crockery.projections.accounts import Account
from crockery.projections.mailboxes import Mailbox
from crockery.projections.queue import Queue, QueuedMessage, Recipient
from crockery.projections.state import State

_MESSAGES: Final = (MESSAGE_RECEIVED.code, MESSAGE_QUEUED.code)
_SECRETS: Final = tuple(code for code, kind in TYPES.items() if kind.secret)


def describe(path: Path) -> dict[str, Any]:
    """Every event as stored, every message whole, every secret, and what they add up to."""
    log_id, records = _read(path)
    state = State()
    log = open_log(path, state.apply, lambda: 0).log
    messages = [record.head.sequence for record in records if record.head.type in _MESSAGES]
    secrets = [record.head.sequence for record in records if record.head.type in _SECRETS and record.head.body_length]
    described = {
        "log id": log_id.hex(),
        "events": [_event(record) for record in records],
        "messages": [_whole(log.read_message, number) for number in messages],
        "secrets": [_whole(lambda number: (log.read_body(number),), number) for number in secrets],
        **describe_state(state),
    }
    log.file.close()
    return described


def describe_state(state: State) -> dict[str, Any]:
    """What the events add up to."""
    accounts = state.accounts
    return {
        "mailboxes": [_mailbox(state, box) for box in state.mailboxes.by_id.values()],
        "accounts": [_account(account) for _, account in sorted(accounts.by_name.items())],
        "aliases": accounts.aliases,
        "wildcard": accounts.wildcard,
        "settings": state.settings.values,
        "server annotations": _plain(dict(state.metadata.of(0, 0))),
        "queue": _queue(state.queue),
        "questions": [_plain(asdict(question)) for question in state.questions.by_id.values()],
        "grants": [_plain(asdict(grant)) for grant in state.trust.grants.values()],
        "policies": [_plain(asdict(policy)) for policy in state.trust.policies.values()],
        "TLS tallies": _tallies(state),
        "smart host": None if state.smart_host.current is None else asdict(state.smart_host.current),
        "DKIM keys": [asdict(key) for key in state.signing.keys.values()],
        "SRS key": state.signing.srs_key,
        "forwards told": [[*key, time] for key, time in state.forwards.told.items()],
        "certificate": state.server.certificate,
    }


def _read(path: Path) -> tuple[bytes, list[Record]]:
    file = OSFile(path, writable=False)
    header = read_header(file)
    records: list[Record] = []
    for item in Walk(file, Hasher(header.key), beginning(header), file.size()):
        if isinstance(item, Atom):
            records += item.records
    file.close()
    return header.log_id, records


def _event(record: Record) -> dict[str, Any]:
    head = record.head
    facts: Mapping[str, Any] = msgpack.unpackb(record.facts, strict_map_key=False)
    values = {"number": head.sequence, "type": head.type, "version": head.version, "time": head.time}
    return {**values, "flags": head.flags, "body": head.body_length, "facts": _plain(facts)}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"hex:{value.hex()}"
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _whole(read: Callable[[int], tuple[bytes, ...]], number: int) -> list[Any]:
    """Length and hash of a body, or why it is not there."""
    try:
        whole = b"".join(read(number))
    except Exception as error:
        return [number, getattr(error, "reason", repr(error))]
    return [number, len(whole), hashlib.sha256(whole).hexdigest()]


def _mailbox(state: State, box: Mailbox) -> dict[str, Any]:
    columns = box.columns
    rows = zip(
        columns.uid.tolist(), columns.number.tolist(), columns.flags.tolist(), columns.size.tolist(), strict=True
    )
    return {
        "name": box.name,
        "uidvalidity": box.uidvalidity,
        "uidnext": box.uidnext,
        "special use": box.special_use,
        "annotations": _plain(dict(state.metadata.of(box.account, box.id))),
        "messages": [[uid, number, sorted(box.flags_of(word)), size] for uid, number, word, size in rows],
    }


def _account(account: Account) -> dict[str, Any]:
    return {
        "name": account.name,
        "id": account.id,
        "postmaster": account.postmaster,
        "disabled": account.disabled,
        "app passwords": sorted(account.app_passwords),
        "forward": [account.forward, account.keeps],
        "quota": _plain(account.quota),
        "quota told": account.quota_told,
    }


def _queue(queue: Queue) -> dict[str, Any]:
    return {
        "waiting": [_queued(message) for message in queue.by_id.values()],
        "finished": [_queued(message) for message in queue.finished.values()],
        "in flight": [[n, f.message, list(f.recipients), f.place.host] for n, f in queue.in_flight.items()],
        "reports": _plain({str(number): told for number, told in queue.reports.items()}),
        "possible duplicates": queue.possible_duplicates,
        "stands still before": queue.standing_still,
    }


def _queued(message: QueuedMessage) -> dict[str, Any]:
    names = ("id", "time", "account", "origin", "reverse_path", "size", "expires", "hold_until", "deliver_by")
    values = {name: getattr(message, name) for name in names}
    return {**values, "recipients": [_recipient(recipient) for recipient in message.recipients]}


def _recipient(recipient: Recipient) -> dict[str, Any]:
    return {
        "address": recipient.address,
        "state": recipient.state.name,
        "next": recipient.next,
        "attempts": recipient.attempts,
        "owed": recipient.owed,
        "told": recipient.told,
        "insecure": recipient.insecure.name,
        "problem": _plain(recipient.problem),
        "story": [_plain(attempt) for attempt in recipient.story],
    }


def _tallies(state: State) -> list[Any]:
    return [
        [number, _plain(key), tally.successes, [[*failure, count] for failure, count in tally.failures.items()]]
        for number, day in state.tls_tallies.days.items()
        for key, tally in day.tallies.items()
    ]

"""Sentences for events of mailboxes and messages."""

from collections.abc import Mapping
from typing import Any, Final

from crockery.events.types import mail as events
from crockery.events.types.base import EventType
from crockery.web.narration.names import Names, Sentence
from crockery.web.words import listed, octets, plural, uids


def _mailbox_created(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    account = facts["account"]
    owner = "" if names.actor_account(facts) == account else f" for {names.account(account)}"
    return f"{names.actor(facts)} created mailbox {facts['name']}{owner}"


def _mailboxes_renamed(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    (_, old, new), *others = facts["names"]
    more = f" and {plural(len(others), 'name')} below it" if others else ""
    return f"{names.actor(facts)} renamed mailbox {old} to {new}{more}"


def _mailbox_deleted(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    return f"{names.actor(facts)} deleted mailbox {facts['name']}"


def _subscriptions_changed(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    said = []
    if facts["added"]:
        said.append(f"subscribed to {listed(facts['added'])}")
    if facts["removed"]:
        said.append(f"unsubscribed from {listed(facts['removed'])}")
    return f"{names.actor(facts)} {' and '.join(said)}"


def _message_received(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    size = octets(facts["size"] + len(facts["prefix"]))
    place = f"as UID {facts['uid']} ({size})"
    envelope = facts.get("envelope")
    if envelope is None:
        flags = f", {listed(facts['flags'])}" if facts["flags"] else ""
        mailbox = names.mailbox(facts["mailbox"], names.actor_account(facts))
        return f"{names.actor(facts)} put a message into {mailbox} {place}{flags}"
    mailbox = names.mailbox(facts["mailbox"])
    sender = envelope.get("from") or "<>"
    if names.actor_account(facts):
        return f"{names.actor(facts)} sent mail as {sender} to {envelope.get('to', '?')}: into {mailbox} {place}"
    helo = f" ({envelope['helo']})" if envelope.get("helo") else ""
    source = f" by {envelope['peer']}{helo}" if envelope.get("peer") else ""
    return f"mail came from {sender} to {envelope.get('to', '?')}{source}: into {mailbox} {place}"


def _flags_changed(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    mailbox = names.mailbox(facts["mailbox"], names.actor_account(facts))
    said = [f"marked {what} in {mailbox} {flags}" for what, flags in _by_messages(facts["added"])]
    said += [f"took {flags} off {what} in {mailbox}" for what, flags in _by_messages(facts["removed"])]
    return f"{names.actor(facts)} {' and '.join(said)}"


def _by_messages(changes: Mapping[str, list[int]]) -> list[tuple[str, str]]:
    """Messages and flags, flags that changed on the same messages together."""
    together: dict[tuple[int, ...], list[str]] = {}
    for flag, ranges in changes.items():
        together.setdefault(tuple(ranges), []).append(flag)
    return [(uids(ranges), listed(flags)) for ranges, flags in together.items()]


def _messages_copied(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    seen_from = names.actor_account(facts)
    source, destination = names.mailbox(facts["source"], seen_from), names.mailbox(facts["mailbox"], seen_from)
    verb = "moved" if facts.get("cmd") in ("MOVE", "RENAME") else "copied"
    return f"{names.actor(facts)} {verb} {uids(facts['uids'])} from {source} to {destination}"


def _messages_expunged(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    mailbox = names.mailbox(facts["mailbox"], names.actor_account(facts))
    if facts.get("cmd") in ("MOVE", "RENAME"):
        return f"{names.actor(facts)} thereby took {uids(facts['uids'])} out of {mailbox}"
    return f"{names.actor(facts)} expunged {uids(facts['uids'])} from {mailbox}"


SENTENCES: Final[tuple[tuple[EventType, Sentence], ...]] = (
    (events.MAILBOX_CREATED, _mailbox_created),
    (events.MAILBOXES_RENAMED, _mailboxes_renamed),
    (events.MAILBOX_DELETED, _mailbox_deleted),
    (events.SUBSCRIPTIONS_CHANGED, _subscriptions_changed),
    (events.MESSAGE_RECEIVED, _message_received),
    (events.FLAGS_CHANGED, _flags_changed),
    (events.MESSAGES_COPIED, _messages_copied),
    (events.MESSAGES_EXPUNGED, _messages_expunged),
)

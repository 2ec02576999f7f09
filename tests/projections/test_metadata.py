"""Annotations: limits, what is written, and that a dump is the same again."""

from pathlib import Path

import pytest

from crockery import limits
from crockery.actions.mailboxes import delete_mailbox, existing
from crockery.actions.metadata import TooManyEntries, ValueTooLong, set_metadata
from crockery.events.types.annotations import METADATA_CHANGED
from crockery.projections.metadata import Metadata
from crockery.projections.state import State
from tests.support.acting import Acting


@pytest.fixture
def acting(tmp_path: Path) -> Acting:
    return Acting(tmp_path)


def test_only_real_changes_are_written_with_what_was_before(acting: Acting) -> None:
    store, anna = acting.store, acting.actors[0]
    inbox = existing(store, anna.account, "INBOX")
    assert set_metadata(store, anna, anna.account, inbox, {"/private/a": b"1", "/private/b": b"2"})
    assert set_metadata(store, anna, anna.account, inbox, {"/private/a": b"1", "/private/b": b"3", "/private/c": None})
    assert not set_metadata(store, anna, anna.account, inbox, {"/private/a": b"1"})
    events = [facts["entries"] for _, _, kind, facts in acting.events if kind is METADATA_CHANGED]
    assert [[tuple(entry) for entry in entries] for entries in events] == [
        [("/private/a", b"1", None), ("/private/b", b"2", None)],
        [("/private/b", b"3", b"2")],
    ]
    assert store.state.metadata.octets[anna.account] == 22


def test_limits_leave_everything_as_it_was(acting: Acting, monkeypatch: pytest.MonkeyPatch) -> None:
    store, anna = acting.store, acting.actors[0]
    inbox = existing(store, anna.account, "INBOX")
    monkeypatch.setattr("crockery.actions.metadata.METADATA_OCTETS_MAX", 300_000)
    most = {f"/private/{number}": b"x" for number in range(limits.METADATA_ENTRIES_MAX)}
    set_metadata(store, anna, anna.account, inbox, most)
    before = dict(store.state.metadata.of(anna.account, inbox.id))
    with pytest.raises(TooManyEntries):
        set_metadata(store, anna, anna.account, inbox, {"/private/1": b"other", "/private/more": b"x"})
    with pytest.raises(ValueTooLong):
        set_metadata(store, anna, anna.account, inbox, {"/private/1": bytes(limits.METADATA_VALUE_MAX + 1)})
    with pytest.raises(TooManyEntries):
        wide = {f"/private/{number}": bytes(16_000) for number in range(20)}
        set_metadata(store, anna, anna.account, inbox, wide)
    assert store.state.metadata.of(anna.account, inbox.id) == before
    assert set_metadata(store, anna, anna.account, inbox, {"/private/1": None, "/private/more": b"x"})


def test_a_dump_is_the_same_again_and_goes_with_the_mailbox(acting: Acting) -> None:
    store, anna = acting.store, acting.actors[0]
    drafts = existing(store, anna.account, "Drafts")
    set_metadata(store, anna, anna.account, drafts, {"/shared/comment": b"\0\xff"})
    set_metadata(store, anna, 0, None, {"/shared/comment": b"hello"})
    loaded = Metadata()
    loaded.load(store.state.metadata.dump())
    assert loaded.dump() == store.state.metadata.dump()
    assert loaded.octets == store.state.metadata.octets
    delete_mailbox(store, anna, anna.account, "Drafts")
    assert store.state.metadata.of(anna.account, drafts.id) == {}
    assert store.state.metadata.octets[anna.account] == 0
    replayed = State()
    for event in acting.events:
        replayed.apply(*event)
    assert replayed.metadata.dump() == store.state.metadata.dump()

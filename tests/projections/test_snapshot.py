"""Snapshot and facts: a start from them gives the state that the log alone gives, and damage to them costs nothing."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from crockery.actions.actor import Actor
from crockery.actions.mail import copy_messages, expunge, store_flags
from crockery.actions.mailboxes import create_mailbox, rename_mailbox
from crockery.events.facts import FactsReader, FactsWriter
from crockery.events.recover import beginning
from crockery.projections import snapshot
from crockery.projections.fold import fold
from tests.support.store import TestStore


@pytest.fixture
def store(tmp_path: Path) -> TestStore:
    return TestStore(tmp_path / "log.crk")


def digest(store: TestStore) -> bytes:
    return snapshot.digest(snapshot.dump_state(store.store.state))


def live(store: TestStore, anna: Actor, rounds: int = 3) -> None:
    """Some life in a mailbox, in several batches."""
    inbox = store.inbox(anna)
    for n in range(rounds):
        for k in range(5):
            store.append(anna, b"Subject: %d.%d\r\n\r\nhello\r\n" % (n, k))
        store.commit()
        uids = inbox.columns.uid
        store_flags(store.store, anna, inbox, uids[-3:], "+", ["\\Seen", f"$Word{n}"])
        store_flags(store.store, anna, inbox, uids[-1:], "+", ["\\Deleted"])
        made = create_mailbox(store.store, anna, anna.account, f"Box/{store.log.head}")
        copy_messages(store.store, anna, inbox, uids[:4], made)
        expunge(store.store, anna, inbox)
        store.commit()
        rename_mailbox(store.store, anna, anna.account, made.name, f"Renamed {store.log.head}")
        store.commit()


def follow(store: TestStore) -> tuple[int, int]:
    """Bring the facts file up to date; returns where it stands: offset in the log, octets of the file."""
    restored = store.restored
    writer = FactsWriter(restored.folder / "facts", store.log.file, store.log.header, restored.facts)
    writer.catch_up(store.log.durable_position.offset)
    writer.seal()
    writer.close()
    return writer.position.offset, writer.length


def fold_in_a_child(store: TestStore) -> bytes:
    end, facts_at = follow(store)
    return fold(store.path, end, facts_at)


def test_every_start_gives_the_same_state(store: TestStore) -> None:
    anna = store.account()
    live(store, anna)
    expected = digest(store)
    store.reopen()  # from the log alone
    assert digest(store) == expected
    follow(store)
    store.reopen()  # from the facts file
    assert store.restored.facts.length > 0
    assert digest(store) == expected
    assert fold_in_a_child(store) == expected
    store.reopen()  # from the snapshot
    assert store.restored.opened.recovered.events == 0
    assert digest(store) == expected
    live(store, Actor(anna.account, "imap", "192.0.2.1"))
    expected = digest(store)
    store.reopen()  # snapshot, then log
    assert digest(store) == expected
    follow(store)
    store.reopen()  # snapshot, then facts from its place on
    assert store.restored.opened.recovered.events > 0
    assert digest(store) == expected


def test_bodies_are_found_after_every_start(store: TestStore) -> None:
    anna = store.account()
    number = store.append(anna, b"Subject: here\r\n\r\n")
    store.commit()
    fold_in_a_child(store)
    later = store.append(anna, b"Subject: later\r\n\r\n")
    store.reopen()
    assert store.log.read_message(number) == (b"", b"Subject: here\r\n\r\n")
    assert store.log.read_message(later) == (b"", b"Subject: later\r\n\r\n")


@pytest.mark.parametrize("name", ["snapshot", "facts"])
@pytest.mark.parametrize("damage", ["gone", "cut", "flip", "junk", "empty"])
def test_damaged_derived_files_cost_nothing(store: TestStore, name: str, damage: str) -> None:
    anna = store.account()
    live(store, anna)
    fold_in_a_child(store)
    live(store, anna)
    follow(store)
    expected = digest(store)
    file = store.folder / name
    data = bytearray(file.read_bytes())
    if damage == "gone":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(data[: len(data) * 2 // 3])
    elif damage == "flip":
        data[len(data) // 2] ^= 4
        file.write_bytes(data)
    elif damage == "junk":
        file.write_bytes(b"\x00\xff" * 3000)
    else:
        file.write_bytes(b"")
    store.reopen()
    assert digest(store) == expected
    assert not store.restored.older_copy
    assert fold_in_a_child(store) == expected


@pytest.mark.parametrize("derived", ["facts", "snapshot"])
def test_an_older_copy_of_the_log_is_noticed(store: TestStore, derived: str, tmp_path: Path) -> None:
    anna = store.account()
    live(store, anna, 1)
    copy = tmp_path / "copy.crk"
    shutil.copy(store.path, copy)
    older = digest(store)
    live(store, anna, 1)
    if derived == "facts":
        follow(store)
    else:
        fold_in_a_child(store)
        (store.folder / "facts").unlink()
    store.close()
    store.path.write_bytes(copy.read_bytes())  # as `cp copy log` does: the inode stays
    store.open()
    assert store.restored.older_copy
    assert digest(store) == older
    store.close()


def test_the_child_is_a_program(store: TestStore) -> None:
    anna = store.account()
    live(store, anna, 1)
    end, facts_at = follow(store)
    command = [sys.executable, "-m", "crockery.projections.fold", str(store.path), str(end), str(facts_at)]
    said = subprocess.run(command, capture_output=True, check=True, timeout=60, text=True)
    assert bytes.fromhex(said.stdout) == digest(store)


def test_a_snapshot_of_an_earlier_place_leaves_later_events_alone(store: TestStore) -> None:
    anna = store.account()
    live(store, anna, 1)
    end, facts_at = follow(store)
    live(store, anna, 1)
    expected = digest(store)
    assert fold(store.path, end, facts_at) != expected
    store.reopen()
    assert digest(store) == expected


def test_columns_of_a_snapshot_can_be_written_to(store: TestStore) -> None:
    anna = store.account()
    store.append(anna, b"x")
    store.commit()
    fold_in_a_child(store)
    store.reopen()
    again = Actor(anna.account, "imap", "192.0.2.1")
    assert store_flags(store.store, again, store.inbox(again), np.array([1]), "+", ["\\Seen"]).tolist() == [0]


def test_the_facts_file_is_the_same_whenever_it_was_written(store: TestStore) -> None:
    anna = store.account()
    restored = store.restored
    writer = FactsWriter(restored.folder / "facts", store.log.file, store.log.header, restored.facts)
    for _ in range(40):
        live(store, anna, 1)
        writer.catch_up(store.log.durable_position.offset)
        reader = FactsReader(restored.folder / "facts", store.log.file, store.log.header, beginning(store.log.header))
        assert sum(len(run) for run in reader.runs()) > 0
        assert (reader.offset, reader.previous) == (writer.position.offset, writer.position.hash)
        assert reader.length == writer.length
    assert writer.length > 2 * 4096, "several chunks"
    writer.close()


def test_a_fold_reads_no_facts_beyond_its_end(store: TestStore) -> None:
    anna = store.account()
    live(store, anna, 1)
    end, facts_at = follow(store)
    expected = digest(store)
    live(store, anna, 2)
    store.reopen()
    follow(store)
    assert fold(store.path, end, facts_at) == expected

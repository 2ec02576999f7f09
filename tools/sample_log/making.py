"""Makes the sample log, by the actions of the program."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Final

from crockery.actions import accounts, erase, server
from crockery.actions.actor import Actor, the_server
from crockery.actions.queue import begin_attempt, release_queue
from crockery.actions.store import Store
from crockery.events.file import OSFile
from crockery.events.format import encode_header
from crockery.events.opening import open_log
from crockery.events.repair import repair, repair_plan
from crockery.projections.state import State
from tools.sample_log import mail, people, questions, sending
from tools.sample_log.people import BEGUN

LOG_ID: Final = bytes(range(16))
KEY: Final = bytes(range(32))


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
    people.fill(store)
    mail.fill(store)
    _copied(store, "dropped", "drop")
    sending.fill(store)
    questions.fill(store)
    _copied(store, "sent", "send")
    _end(store)
    log.close()
    _damage(path, store)


def _copied(store: Store, machine: str, choice: str) -> None:
    """History goes on from a copy, and the postmaster decides about the mail that stands still."""
    server.start(store, "0.1", server.Place(machine, 1, 2))
    store.log.commit()
    postmaster = store.state.accounts.postmaster
    assert postmaster is not None
    release_queue(store, Actor(postmaster.id, "control"), choice, cmd="queue release")
    store.log.commit()


def _end(store: Store) -> None:
    secrets = erase.replaced_secrets(store)
    erase.note_erased(store, secrets, "sample")
    store.log.commit()
    store.log.erase_bodies(secrets)
    accounts.remove_account(store, the_server(), "ben")
    accounts.set_wildcard(store, the_server(), "anna")
    server.stop(store)
    server.start(store, "0.1", server.Place("sent", 1, 2))
    waiting = next(message for message in store.state.queue.by_id.values() if message.waiting)
    begin_attempt(store, waiting, [waiting.waiting[0].address], sending.PLACE)
    server.stop(store)
    store.log.commit()


def _damage(path: Path, store: Store) -> None:
    """Damage one event (the TailCut of `people`), and accept it."""
    damaged = bytearray(path.read_bytes())
    damaged[damaged.index(people.KEPT_TAIL.encode())] ^= 1
    path.write_bytes(damaged)
    repair(path, repair_plan(path), store.clock)

"""The queue: every sequence of actions leaves each recipient in one state, live as after a replay."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crockery.actions.actor import Actor, the_server
from crockery.actions.errors import Refused
from crockery.actions.queue import (
    Outcome,
    Terms,
    add_restore,
    begin_attempt,
    cancel_recipients,
    record_outcomes,
    release_queue,
    released_by_notice,
    reschedule_recipients,
)
from crockery.actions.server import Place as Machine
from crockery.actions.server import start
from crockery.events.types import Event
from crockery.events.types.queue import NOTICE_MADE
from crockery.limits import QUEUE_FINISHED_KEPT, QUEUE_LIFETIME
from crockery.projections import snapshot
from crockery.projections.queue import Leave, Notify, Place, RecipientState, read_notify
from crockery.projections.state import State
from tests.support.queue import enqueue, queued, states
from tests.support.store import TestStore

TLS = {"version": "TLSv1.3", "cipher": "x", "fingerprint": "00", "spki": "11", "names": ["a"], "verified": "pkix"}
PLACE = Place("mx.there.test", "192.0.2.9", TLS)
ADDRESSES = ("a@x.test", "b@x.test", "c@y.test")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TestStore]:
    store = TestStore(tmp_path / "log.crk")
    yield store
    store.log.file.close()


def orphaned(store: TestStore) -> set[int]:
    return set(store.store.state.retention.orphaned)


def test_a_delivery_releases_the_body(store: TestStore) -> None:
    number = enqueue(store.store, "a@x.test", "c@y.test")
    message = queued(store.store, number)
    attempt = begin_attempt(store.store, message, ["a@x.test"], PLACE)
    assert states(store.store, number) == {"a@x.test": "IN_FLIGHT", "c@y.test": "DUE"}
    record_outcomes(store.store, message, [Outcome(["a@x.test"], "relayed", 250, "2.0.0", "ok")], attempt=attempt)
    assert not orphaned(store)
    told = message.recipients[0].story[0]
    assert (told.place, told.result, told.code, told.text) == (PLACE, "relayed", 250, "ok")
    record_outcomes(store.store, message, [Outcome(["c@y.test"], "failed", why="null-mx")])
    assert number in store.store.state.queue.by_id  # the sender is to be told
    assert not orphaned(store)
    facts = {"message": number, "kind": "final", "recipients": ["c@y.test"], "notice": 0, "orphaned": b""}
    store.log.append([Event(NOTICE_MADE, facts)])
    assert not store.store.state.queue.by_id
    assert states(store.store, number) == {"a@x.test": "RELAYED", "c@y.test": "FAILED"}


@pytest.mark.parametrize(
    ("result", "notify", "reverse_path", "owed"),
    [
        ("failed", None, "anna@example.test", True),
        ("failed", ["NEVER"], "anna@example.test", False),
        ("failed", ["SUCCESS"], "anna@example.test", False),
        ("failed", ["FAILURE"], "", False),
        ("relayed", None, "anna@example.test", False),
        ("relayed", ["SUCCESS"], "anna@example.test", True),
        ("delivered", ["SUCCESS", "FAILURE"], "anna@example.test", False),
        ("deferred", ["SUCCESS", "FAILURE", "DELAY"], "anna@example.test", False),
    ],
)
def test_what_the_sender_is_owed(
    store: TestStore, result: str, notify: list[str] | None, reverse_path: str, owed: bool
) -> None:
    options = {"a@x.test": {"notify": notify}} if notify else None
    number = enqueue(store.store, "a@x.test", options=options, reverse_path=reverse_path)
    message = queued(store.store, number)
    record_outcomes(store.store, message, [Outcome(["a@x.test"], result, 250, "2.0.0", "x")])
    assert message.recipients[0].owed is owed
    assert (number in orphaned(store)) is (result != "deferred" and not owed)


def test_notify_words() -> None:
    assert read_notify(["success", "DELAY", "x"]) == Notify.SUCCESS | Notify.DELAY
    assert read_notify(["NEVER"]) == Notify.NEVER


def test_in_flight_at_a_start_is_due_again_and_counted(store: TestStore) -> None:
    number = enqueue(store.store, "a@x.test", "b@x.test", "c@y.test")
    begin_attempt(store.store, queued(store.store, number), ["a@x.test", "b@x.test"], PLACE)
    store.reopen()
    assert states(store.store, number)["a@x.test"] == "IN_FLIGHT"
    start(store.store, "1", Machine("m", 1, 1))
    assert set(states(store.store, number).values()) == {"DUE"}
    queue = store.store.state.queue
    assert queue.possible_duplicates == 2
    assert not queue.in_flight
    assert store.store.state.queue.by_id[number].recipients[0].next == store.store.state.time // 1_000_000


def test_an_uncertain_end_is_counted(store: TestStore) -> None:
    number = enqueue(store.store, "a@x.test")
    message = queued(store.store, number)
    attempt = begin_attempt(store.store, message, ["a@x.test"], PLACE)
    record_outcomes(store.store, message, [Outcome(["a@x.test"], "deferred", why="uncertain", next=5)], attempt=attempt)
    assert store.store.state.queue.possible_duplicates == 1
    assert message.recipients[0].next == 5


def test_a_cancellation_can_be_undone(store: TestStore) -> None:
    number = enqueue(store.store, "a@x.test")
    assert cancel_recipients(store.store, the_server(), number, ["A@X.test"]) == ["a@x.test"]
    assert number in orphaned(store)
    assert not store.store.state.queue.by_id
    atom = store.store.atom(the_server())
    assert add_restore(store.store, atom, number, ["a@x.test"]) == ["a@x.test"]
    atom.commit()
    assert states(store.store, number) == {"a@x.test": "DUE"}
    assert not orphaned(store)
    with pytest.raises(Refused):
        add_restore(store.store, atom, number, ["a@x.test"])


def test_what_cannot_be_cancelled(store: TestStore) -> None:
    number = enqueue(store.store, "a@x.test")
    for message, recipients in ((number, ["z@x.test"]), (number + 1, [])):
        with pytest.raises(Refused):
            cancel_recipients(store.store, the_server(), message, recipients)
    begin_attempt(store.store, queued(store.store, number), ["a@x.test"], PLACE)
    with pytest.raises(Refused, match="being sent"):
        cancel_recipients(store.store, the_server(), number)


def test_held_and_let_go(store: TestStore) -> None:
    number = enqueue(store.store, "a@x.test")
    message = queued(store.store, number)
    problem = {"kind": "no-tls", "host": "mx.x.test", "reason": "It offers no encryption."}
    record_outcomes(store.store, message, [Outcome(["a@x.test"], "held", next=2_000_000_000, problem=problem)])
    assert message.recipients[0].state is RecipientState.HELD_INSECURE
    assert message.recipients[0].problem == problem
    reschedule_recipients(store.store, the_server(), number, insecure=True)
    assert (message.recipients[0].state, message.recipients[0].insecure) == (RecipientState.DUE, Leave.UNVERIFIED)
    assert message.recipients[0].next == store.store.now


def test_leave_to_go_against_a_policy(store: TestStore) -> None:
    number = enqueue(store.store, "a@x.test", "b@y.test")
    message = queued(store.store, number)
    for address, kind in (("a@x.test", "policy"), ("b@y.test", "no-tls")):
        problem = {"kind": kind, "host": "mx.test", "reason": "It is broken."}
        record_outcomes(store.store, message, [Outcome([address], "held", next=2_000_000_000, problem=problem)])
    reschedule_recipients(store.store, the_server(), number, insecure=True)
    assert [r.insecure for r in message.recipients] == [Leave.ANY, Leave.UNVERIFIED]
    reschedule_recipients(store.store, the_server(), number)
    assert [r.insecure for r in message.recipients] == [Leave.ANY, Leave.UNVERIFIED]
    store.reopen()
    assert [r.insecure for r in queued(store.store, number).recipients] == [Leave.ANY, Leave.UNVERIFIED]
    reschedule_recipients(store.store, the_server(), number, insecure=False)
    assert [r.insecure for r in queued(store.store, number).recipients] == [Leave.NONE, Leave.NONE]


def test_times(store: TestStore) -> None:
    now = store.store.now
    plain = queued(store.store, enqueue(store.store, "a@x.test"))
    assert (plain.recipients[0].next, plain.expires) == (now, now + QUEUE_LIFETIME)
    held = queued(store.store, enqueue(store.store, "a@x.test", terms=Terms(hold_until=now + 1000)))
    assert (held.recipients[0].next, held.expires) == (now + 1000, now + 1000 + QUEUE_LIFETIME)
    short = queued(store.store, enqueue(store.store, "a@x.test", terms=Terms(return_by=now + 60)))
    assert short.expires == now + 60


@pytest.mark.parametrize("choice", ["send", "drop"])
def test_a_restored_copy_stands_still(store: TestStore, choice: str) -> None:
    number = enqueue(store.store, "a@x.test")
    start(store.store, "1", Machine("m", 1, 1))
    queue = store.store.state.queue
    assert not queue.stands_still(queue.by_id[number])
    start(store.store, "1", Machine("other", 1, 1))
    assert queue.stands_still(queue.by_id[number])
    later = enqueue(store.store, "a@x.test")
    assert not queue.stands_still(queue.by_id[later])
    assert release_queue(store.store, the_server(), choice) == 1
    assert (number in orphaned(store)) is (choice == "drop")
    assert states(store.store, number) == {"a@x.test": "DUE" if choice == "send" else "CANCELLED"}
    assert states(store.store, later) == {"a@x.test": "DUE"}
    with pytest.raises(Refused):
        release_queue(store.store, the_server(), choice)


def test_finished_ones_are_forgotten_in_time(store: TestStore) -> None:
    numbers = [enqueue(store.store, "a@x.test") for _ in range(QUEUE_FINISHED_KEPT + 2)]
    for number in numbers:
        cancel_recipients(store.store, the_server(), number)
    assert list(store.store.state.queue.finished) == numbers[2:]


RESULTS = st.sampled_from(["relayed", "delivered", "deferred", "failed", "held"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("queue"), st.integers(1, 3), st.sampled_from([["SUCCESS"], ["NEVER"], None])),
        st.tuples(st.just("begin"), st.integers(0, 5), st.integers(0, 7)),
        st.tuples(st.just("outcome"), st.integers(0, 5), RESULTS),
        st.tuples(st.just("direct"), st.integers(0, 5), RESULTS),
        st.tuples(st.just("cancel"), st.integers(0, 5), st.integers(0, 2)),
        st.tuples(st.just("retry"), st.integers(0, 5), st.booleans()),
        st.tuples(st.just("notice"), st.integers(0, 5), st.sampled_from(["final", "delayed"])),
        st.tuples(st.just("start"), st.booleans(), st.none()),
    ),
    max_size=25,
)


class Life:
    """Carries out steps where they make sense."""

    def __init__(self, store: TestStore) -> None:
        self.store = store
        self.machine = 0
        self.actor = Actor(0, "control", "test")

    def step(self, step: tuple[str, int, object]) -> None:
        kind, which, how = step
        store, queue = self.store.store, self.store.store.state.queue
        if kind == "queue":
            options = {ADDRESSES[0]: {"notify": how}} if how else None
            enqueue(store, *ADDRESSES[:which], options=options)
            return
        if kind == "start":
            self.machine += bool(which)
            start(store, "1", Machine(f"m{self.machine}", 1, 1))
            return
        messages = list(queue.by_id.values())
        if kind == "outcome" and queue.in_flight:
            attempt, begun = list(queue.in_flight.items())[which % len(queue.in_flight)]
            outcome = Outcome(begun.recipients, str(how), 250, next=7)
            record_outcomes(store, queue.by_id[begun.message], [outcome], attempt=attempt)
        if not messages:
            return
        message = messages[which % len(messages)]
        waiting = [recipient.address for recipient in message.waiting]
        if kind == "begin" and waiting:
            begin_attempt(store, message, waiting[: 1 + int(str(how)) % 3], PLACE)
        elif kind == "direct" and waiting:
            record_outcomes(store, message, [Outcome(waiting, str(how), text="x", next=9)], place=PLACE)
        elif kind == "cancel" and waiting:
            cancel_recipients(store, self.actor, message.id, waiting[: int(str(how))])
        elif kind == "retry" and waiting and not store.state.queue.stands_still(message):
            reschedule_recipients(store, self.actor, message.id, insecure=bool(how))
        elif kind == "notice":
            told = [recipient.address for recipient in message.recipients]
            gone = released_by_notice(message, told) if how == "final" else b""
            facts = {"message": message.id, "kind": how, "recipients": told, "notice": 0, "orphaned": gone}
            store.log.append([Event(NOTICE_MADE, facts)])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_live_is_replay_is_snapshot(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, object]]
) -> None:
    store = TestStore(tmp_path_factory.mktemp("log") / "log.crk")
    life = Life(store)
    middle = State()
    for index, step in enumerate(steps):
        life.step(step)
        if index == len(steps) // 2:
            middle.load(store.store.state.dump())
    state = store.store.state
    queue = state.queue
    flying = {(f.message, address) for f in queue.in_flight.values() for address in f.recipients}
    for message in (*queue.by_id.values(), *queue.finished.values()):
        assert message.is_finished is (message.id in queue.finished)
        assert (message.id in state.retention.orphaned) is message.is_finished
        for recipient in message.recipients:
            assert (recipient.state is RecipientState.IN_FLIGHT) is ((message.id, recipient.address) in flying)
    expected = snapshot.dump_state(state)
    copy = State()
    copy.load(state.dump())
    assert snapshot.dump_state(copy) == expected
    store.reopen()
    assert snapshot.dump_state(store.store.state) == expected
    store.close()

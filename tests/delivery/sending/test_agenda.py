"""The agenda gives everything that is due once, in order of time, and never more connections than are allowed."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crockery.delivery.sending.agenda import Agenda, Work
from crockery.delivery.sending.backoff import DELAYS, next_attempt
from crockery.delivery.sending.timetable import NEVER, Timetable
from crockery.projections.queue import Queue

NOW = 1_000_000


def make_queue(*messages: tuple[list[str], int]) -> Queue:
    """A queue of messages: recipients, and the time they are due."""
    queue = Queue()
    for number, (recipients, due) in enumerate(messages, 1):
        add(queue, number, recipients, due)
    return queue


def add(queue: Queue, number: int, recipients: list[str], due: int) -> None:
    facts = {
        "account": 0, "origin": "submitted", "reverse_path": "a@b.test", "recipients": recipients, "size": 1,
        "prefix": b"", "expires": due + 1000, "hold_until": due,
    }  # fmt: skip
    queue.message_queued(number, due * 1_000_000, facts)


def taken(work: Work | None) -> tuple[str, int, list[str]] | None:
    return (work.destination.domain, work.message.id, [r.address for r in work.recipients]) if work else None


def test_in_order_of_time() -> None:
    agenda = Agenda(make_queue((["a@x"], NOW + 5), (["a@y", "b@y", "c@x"], NOW), (["a@z"], NOW + 9)))
    assert agenda.take(NOW - 1) is None
    assert agenda.next_time() == NOW
    assert taken(agenda.take(NOW)) == ("x", 2, ["c@x"])
    assert taken(agenda.take(NOW)) == ("y", 2, ["a@y", "b@y"])
    assert agenda.take(NOW) is None
    assert agenda.next_time() == NOW + 5
    assert taken(agenda.take(NOW + 20)) == ("x", 1, ["a@x"])


def test_what_was_claimed_is_given_again_after_its_release() -> None:
    queue = make_queue((["a@x"], NOW))
    agenda = Agenda(queue)
    work = agenda.take(NOW)
    assert work is not None
    agenda.note(work.message)
    assert agenda.take(NOW) is None
    agenda.release(work)
    agenda.ended(work.destination, was_suspect=False)
    assert taken(agenda.take(NOW)) == ("x", 1, ["a@x"])


def test_a_destination_gets_few_connections() -> None:
    agenda = Agenda(make_queue(*((["a@x"], NOW) for _ in range(8)), (["a@y"], NOW + 1)))
    works = [agenda.take(NOW) for _ in range(7)]
    assert [work is not None for work in works] == [True] * 5 + [False] * 2
    assert agenda.next_time() == NOW + 1
    assert taken(agenda.take(NOW + 1)) == ("y", 9, ["a@y"])
    first = works[0]
    assert first is not None
    assert taken(agenda.take_for(first.destination, NOW)) == ("x", 6, ["a@x"])
    agenda.succeeded(first.destination)
    agenda.ended(first.destination, was_suspect=False)
    assert [agenda.take(NOW) is not None for _ in range(3)] == [True, True, False]


def test_the_dead_take_no_place_from_the_living() -> None:
    domains = [f"dead{n}" for n in range(10)]
    agenda = Agenda(make_queue(*(([f"a@{domain}"], NOW) for domain in domains)), most=6, most_suspect=2)
    for _ in domains:
        work = agenda.take(NOW)
        assert work is not None
        agenda.failed(work.destination, NOW)
        agenda.release(work)
        agenda.ended(work.destination, was_suspect=False)
    assert agenda.take(NOW) is None
    assert agenda.next_time() == NOW + 60
    later = NOW + 60
    suspects = [agenda.take(later) for _ in range(3)]
    assert [work is not None for work in suspects] == [True, True, False]
    add(agenda._queue, 99, ["a@alive"], later)
    agenda.note(agenda._queue.by_id[99])
    assert taken(agenda.take(later)) == ("alive", 99, ["a@alive"])
    assert suspects[0] is not None
    agenda.ended(suspects[0].destination, was_suspect=True)
    found = agenda.take(later)
    assert found is not None and found.destination.is_suspect


def test_all_connections_in_use() -> None:
    agenda = Agenda(make_queue(*(([f"a@d{n}"], NOW) for n in range(3))), most=2)
    works = [agenda.take(NOW), agenda.take(NOW)]
    assert agenda.is_full and agenda.take(NOW) is None and agenda.next_time() == NEVER
    assert works[0] is not None
    agenda.ended(works[0].destination, was_suspect=False)
    assert agenda.take(NOW) is not None


def test_asking_ends_a_pause() -> None:
    agenda = Agenda(make_queue((["a@x"], NOW)))
    work = agenda.take(NOW)
    assert work is not None
    agenda.failed(work.destination, NOW)
    agenda.release(work)
    agenda.ended(work.destination, was_suspect=False)
    agenda.try_now(["x", "unknown"])
    assert taken(agenda.take(NOW)) == ("x", 1, ["a@x"])


MAILS = st.lists(st.tuples(st.lists(st.sampled_from(["a@x", "b@x", "a@y", "a@z"]), min_size=1, unique=True),
                           st.integers(0, 20)), max_size=20)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(mails=MAILS, steps=st.lists(st.integers(0, 3), max_size=60))
def test_everything_due_is_given_once(mails: list[tuple[list[str], int]], steps: list[int]) -> None:
    queue = make_queue(*((recipients, NOW + due) for recipients, due in mails))
    agenda = Agenda(queue, most=3)
    given_out: list[tuple[int, str]] = []
    open_now: list[Work] = []
    now = NOW
    for step in [*steps, *[1] * 200]:
        if step == 0:
            now += 1
        elif step == 1 and (work := agenda.take(now)) is not None:
            assert all(recipient.next <= now for recipient in work.recipients)
            open_now.append(work)
            given_out += [(work.message.id, r.address) for r in work.recipients]
        elif open_now and (step == 2 or len(open_now) == 3):
            work = open_now.pop(0)
            outcome = {"recipients": [r.address for r in work.recipients], "result": "relayed"}
            queue.recipients_attempted(0, 0, {"message": work.message.id, "outcomes": [outcome]})
            agenda.release(work)
            agenda.ended(work.destination, was_suspect=False)
        elif step == 1:
            now += 1
        assert sum(d.busy for d in agenda._destinations.values()) == len(open_now) <= 3
    assert sorted(given_out) == sorted((n, r) for n, (recipients, _) in enumerate(mails, 1) for r in recipients)


def test_a_hundred_thousand() -> None:
    queue = make_queue(*(([f"user{n}@domain{n % 10_000}"], NOW) for n in range(100_000)))
    agenda = Agenda(queue)
    steps = []
    for _ in range(2000):
        begin = time.process_time()
        work = agenda.take(NOW)
        steps.append(time.process_time() - begin)
        assert work is not None
        agenda.ended(work.destination, was_suspect=False)
    assert sorted(steps)[len(steps) // 2] < 0.001  # in the middle: one step may have to wait for the machine


@pytest.mark.parametrize(("attempts", "delay"), [(1, DELAYS[0]), (3, DELAYS[2]), (7, DELAYS[6]), (50, DELAYS[6])])
def test_backoff(attempts: int, delay: int) -> None:
    assert next_attempt(NOW, attempts, 0.5) == NOW + delay
    assert next_attempt(NOW, attempts, 0.0) == NOW + round(delay * 0.8)
    assert next_attempt(NOW, attempts, 1.0) == NOW + round(delay * 1.2)


@given(entries=st.lists(st.tuples(st.integers(0, 50), st.integers(1, 1 << 50))), now=st.integers(0, 60))
def test_the_timetable_gives_what_has_come_in_order(entries: list[tuple[int, int]], now: int) -> None:
    timetable = Timetable()
    for time_, number in entries:
        timetable.add(time_, number)
    assert timetable.first == min((time_ for time_, _ in entries), default=NEVER)
    given_out = list(iter(lambda: timetable.take(now), None))
    assert given_out == [number for time_, number in sorted(entries) if time_ <= now]
    assert len(timetable) == len(entries) - len(given_out)


def test_the_timetable_forgets_what_is_superfluous() -> None:
    timetable = Timetable()
    for number in range(100):
        timetable.add(7 + number % 3, number % 10)
    timetable.keep({3, 4})
    assert len(timetable) == 2
    assert [timetable.take(9), timetable.take(9), timetable.take(9)] == [3, 4, None]

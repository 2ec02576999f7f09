"""From the queue to scripted servers: what goes when, over how many connections, and what the log says of it."""

import itertools

import pytest
import trio
from trio.testing import MockClock

from crockery.actions.actor import the_server
from crockery.actions.queue import Terms, cancel_recipients, reschedule_recipients
from crockery.delivery.sending.scheduler import wanted_way
from crockery.delivery.sending.ways import Obstacle, Wanted
from crockery.projections.queue import Leave, QueuedMessage
from tests.delivery.sending.conftest import Sending
from tests.support.far_side import DROP, HANG
from tests.support.queue import MESSAGE, enqueue, queued

DOWN = Obstacle("deferred", text="no server answers", why="unreachable", is_down=True)


async def test_a_mail_arrives_as_it_is(autojump_clock: MockClock, sending: Sending) -> None:
    number = enqueue(sending.store, "a@x.test", "b@x.test", "c@y.test", prefix=b"Received: x\r\n")
    await sending.until_empty()
    (mail,) = sending.world["x.test"].mails
    assert (mail.sender, mail.recipients) == ("anna@example.test", ["a@x.test", "b@x.test"])
    assert mail.content == b"Received: x\r\n" + MESSAGE
    assert sending.world["y.test"].mails[0].recipients == ["c@y.test"]
    assert set(sending.states(number).values()) == {"RELAYED"}
    assert sending.store.state.queue.possible_duplicates == 0
    assert number in sending.store.state.retention.orphaned


async def test_the_attempt_is_durable_before_the_final_dot(autojump_clock: MockClock, sending: Sending) -> None:
    seen: list[bool] = []
    side = sending.world["x.test"]

    def look() -> None:
        (attempt,) = sending.store.state.queue.in_flight
        seen.append(attempt <= sending.store.log.durable)

    side.seen_end = look
    enqueue(sending.store, "a@x.test")
    await sending.until_empty()
    assert seen == [True]


async def test_a_connection_is_used_again(autojump_clock: MockClock, sending: Sending) -> None:
    side = sending.world["x.test"]
    enqueue(sending.store, "a@x.test")
    await sending.until_empty()
    enqueue(sending.store, "b@x.test")
    await sending.until_empty()
    assert (len(side.mails), side.connections) == (2, 1)
    await trio.sleep(5)
    assert side.open == 0
    enqueue(sending.store, "c@x.test")
    await sending.until_empty()
    assert (len(side.mails), side.connections) == (3, 2)


async def test_many_mails_share_few_connections(autojump_clock: MockClock, sending: Sending) -> None:
    side = sending.world["x.test"]
    side.end_time = 0.1
    for n in range(200):
        enqueue(sending.store, f"u{n}@x.test")
    await sending.until_empty()
    assert len(side.mails) == 200
    assert side.most_open <= 20
    assert side.connections <= 30


@pytest.mark.parametrize(
    ("step", "reply", "state"),
    [
        ("sender", b"450 4.7.1 later", "DUE"),
        ("sender", b"550 5.7.1 never", "FAILED"),
        ("rcpt", b"451 4.7.1 greylisted", "DUE"),
        ("rcpt", b"550 5.1.1 no such user", "FAILED"),
        ("data", b"452 4.3.1 full", "DUE"),
        ("data", b"554 5.6.0 no", "FAILED"),
        ("end", b"451 4.3.0 oops", "DUE"),
        ("end", b"554 5.7.1 spam", "FAILED"),
        ("end", b"421 4.3.2 going down", "DUE"),
        ("rcpt", DROP, "DUE"),
        ("data", DROP, "DUE"),
        ("rcpt", HANG, "DUE"),
        ("end", DROP, "DUE"),
        ("end", b"ate" + DROP, "DUE"),
    ],
)
async def test_refusals(autojump_clock: MockClock, sending: Sending, step: str, reply: bytes, state: str) -> None:
    side = sending.world["x.test"]
    setattr(side, step, (lambda what: reply) if step in ("rcpt", "end") else reply)
    number = enqueue(sending.store, "a@x.test")
    await sending.until(lambda: queued(sending.store, number).recipients[0].attempts == 1)
    recipient = queued(sending.store, number).recipients[0]
    assert recipient.state.name == state
    (attempt,) = recipient.story
    if reply[:1] in b"45":
        assert (attempt.code, attempt.enhanced) == (int(reply[:3]), reply[4:9].decode())
        assert attempt.text == reply[10:].decode()
        assert attempt.place.host == "mx.x.test"
    uncertain = step == "end" and reply.endswith(DROP)
    assert (attempt.why == "uncertain") is uncertain
    assert sending.store.state.queue.possible_duplicates == uncertain
    if state == "DUE":
        side.sender, side.data = b"250 ok", b"354 go on"
        side.rcpt = lambda address: b"250 ok"
        side.end = lambda mail: b"250 ok"
        assert 50 < await sending.until_empty() < 62
        assert len(side.mails) == (2 if reply.startswith(b"ate") else 1)


async def test_recipients_have_their_own_fate(autojump_clock: MockClock, sending: Sending) -> None:
    answers = {"a@x.test": b"250 ok", "b@x.test": b"550 5.1.1 unknown", "c@x.test": b"450 4.2.0 later"}
    sending.world["x.test"].rcpt = answers.__getitem__
    number = enqueue(sending.store, *answers)
    await sending.until(lambda: queued(sending.store, number).recipients[2].attempts == 1)
    assert sending.states(number) == {"a@x.test": "RELAYED", "b@x.test": "FAILED", "c@x.test": "DUE"}
    assert [r.owed for r in queued(sending.store, number).recipients] == [False, True, False]
    answers["c@x.test"] = b"250 ok"
    await sending.until(lambda: "DUE" not in sending.states(number).values())
    assert [mail.recipients for mail in sending.world["x.test"].mails] == [["a@x.test"], ["c@x.test"]]


async def test_a_hop_with_dsn_is_handed_the_wishes(autojump_clock: MockClock, sending: Sending) -> None:
    side = sending.world["x.test"]
    side.extensions = (*side.extensions, "DSN")
    number = enqueue(sending.store, "a@x.test", options={"a@x.test": {"notify": ["SUCCESS"]}})
    await sending.until(lambda: len(side.mails) == 1 and sending.states(number) == {"a@x.test": "DELIVERED"})


async def test_the_back_off(autojump_clock: MockClock, sending: Sending) -> None:
    side = sending.world["x.test"]
    side.obstacle = DOWN
    enqueue(sending.store, "a@x.test")
    await sending.until(lambda: len(side.dials) == 5, 100_000)
    times = [time for time, _ in side.dials]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    for gap, wanted in zip(gaps, (60, 300, 900, 1800), strict=True):
        assert wanted - 1 <= gap <= wanted + 61  # the loop looks once a minute at least


async def test_a_dead_destination_delays_no_other(autojump_clock: MockClock, sending: Sending) -> None:
    for n in range(300):
        side = sending.world[f"dead{n}.test"]
        side.obstacle, side.dial_time = DOWN, 30.0
        enqueue(sending.store, f"a@dead{n}.test")
    await trio.sleep(70)  # all were tried once, and are tried again
    enqueue(sending.store, "a@alive.test")
    assert await sending.until(lambda: len(sending.world["alive.test"].mails) == 1) < 1


@pytest.mark.parametrize("step", ["dial", "end"])
async def test_slow_destinations_delay_no_other(autojump_clock: MockClock, sending: Sending, step: str) -> None:
    for n in range(300):
        side = sending.world[f"slow{n}.test"]
        if step == "dial":
            side.obstacle, side.dial_time = DOWN, 300.0
        else:
            side.end_time = 300.0
        enqueue(sending.store, f"a@slow{n}.test")
    enqueue(sending.store, "a@alive.test")
    assert await sending.until(lambda: len(sending.world["alive.test"].mails) == 1) < 12
    assert sum(sending.world[f"slow{n}.test"].open for n in range(300)) <= 400
    if step == "end":
        await sending.until_empty()


async def test_mails_for_a_dead_destination_wait_for_one_probe(autojump_clock: MockClock, sending: Sending) -> None:
    side = sending.world["x.test"]
    side.obstacle = DOWN
    numbers = [enqueue(sending.store, f"u{n}@x.test") for n in range(50)]
    await trio.sleep(30)
    assert len(side.dials) <= 5
    await trio.sleep(100)
    assert len(side.dials) <= 6
    side.obstacle = None
    reschedule_recipients(sending.store, the_server(), numbers[-1])
    await sending.until_empty(1000)
    assert len(side.mails) == 50


async def test_held_insecure_and_sent_all_the_same(autojump_clock: MockClock, sending: Sending) -> None:
    side = sending.world["x.test"]
    problem = {"kind": "no-tls", "host": "mx.x.test", "reason": "It offers no encryption."}
    side.obstacle = Obstacle("held", text="It offers no encryption.", problem=problem)
    number = enqueue(sending.store, "a@x.test")
    await sending.until(lambda: sending.states(number) == {"a@x.test": "HELD_INSECURE"})
    assert queued(sending.store, number).recipients[0].problem == problem
    side.obstacle = None
    side.serves = frozenset((Wanted.UNVERIFIED,))
    reschedule_recipients(sending.store, the_server(), number, insecure=True)
    assert await sending.until_empty() < 1
    assert [wanted for _, wanted in side.dials] == [Wanted.SECURE, Wanted.UNVERIFIED]


async def test_a_connection_serves_only_what_it_may(autojump_clock: MockClock, sending: Sending) -> None:
    side = sending.world["x.test"]
    side.serves = frozenset((Wanted.ANY,))
    enqueue(sending.store, "a@x.test", terms=Terms(tls_optional=True))
    await sending.until_empty()
    side.serves = frozenset((Wanted.SECURE,))
    enqueue(sending.store, "a@x.test")
    await sending.until_empty()
    assert [wanted for _, wanted in side.dials] == [Wanted.ANY, Wanted.SECURE]


async def test_cancelled_while_it_is_dialled(autojump_clock: MockClock, sending: Sending) -> None:
    side = sending.world["x.test"]
    side.dial_time = 5.0
    number = enqueue(sending.store, "a@x.test", "b@x.test")
    await trio.sleep(2)
    cancel_recipients(sending.store, the_server(), number, ["a@x.test"])
    await sending.until_empty()
    assert [mail.recipients for mail in side.mails] == [["b@x.test"]]


async def test_cancelled_while_recipients_are_told(autojump_clock: MockClock, sending: Sending) -> None:
    side = sending.world["x.test"]

    def rcpt(address: str) -> bytes:
        cancel_recipients(sending.store, the_server(), number)
        return b"250 ok"

    side.rcpt = rcpt
    number = enqueue(sending.store, "a@x.test")
    await sending.until_empty()
    await trio.sleep(10)
    assert not side.mails
    assert sending.states(number) == {"a@x.test": "CANCELLED"}


async def test_a_held_submission_waits(autojump_clock: MockClock, sending: Sending) -> None:
    side = sending.world["x.test"]
    enqueue(sending.store, "a@x.test", terms=Terms(hold_until=sending.store.now + 1000))
    assert 995 < await sending.until_empty(2000) < 1062
    assert len(side.mails) == 1


async def test_a_held_submission_waits_for_a_proven_clock(autojump_clock: MockClock, sending: Sending) -> None:
    sending.clock_is_proven = False
    number = enqueue(sending.store, "a@x.test", terms=Terms(hold_until=sending.store.now + 100))
    await trio.sleep(1000)
    assert sending.states(number) == {"a@x.test": "DUE"}
    assert not sending.world["x.test"].dials
    sending.clock_is_proven = True
    assert await sending.until_empty() < 122


async def test_a_full_disk_stops_sending(
    autojump_clock: MockClock, sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = [True]
    monkeypatch.setattr(type(sending.store.log), "has_room", lambda log, octets: not (full and full.pop()))
    enqueue(sending.store, "a@x.test")
    assert 50 < await sending.until_empty() < 130
    assert len(sending.world["x.test"].mails) == 1
    assert sending.store.state.queue.possible_duplicates == 0


async def test_an_unreadable_message_fails(
    autojump_clock: MockClock, sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crockery.events.errors import BodyUnreadable

    def read(number: int) -> None:
        raise BodyUnreadable(number, "damaged")

    number = enqueue(sending.store, "a@x.test")
    monkeypatch.setattr(sending.store.log, "read_message", read)
    await sending.until(lambda: sending.states(number) == {"a@x.test": "FAILED"})
    assert queued(sending.store, number).recipients[0].story[0].why == "unreadable"


async def test_a_large_message(autojump_clock: MockClock, sending: Sending) -> None:
    autojump_clock.autojump_threshold = 0.5  # threads work on it, and time must not jump meanwhile
    data = b"Subject: large\r\n\r\n" + b"0123456789abcde\r\n.dot\r\n" * 100_000
    enqueue(sending.store, "a@x.test", data=data)
    await sending.until_empty()
    assert sending.world["x.test"].mails[0].content == data


async def test_a_defect_is_not_a_loop(
    autojump_clock: MockClock, sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dial(domain: str, wanted: Wanted) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(sending.world, "dial", dial)
    number = enqueue(sending.store, "a@x.test")
    await trio.sleep(30)
    recipient = queued(sending.store, number).recipients[0]
    assert (recipient.attempts, recipient.story[0].why) == (1, "internal")


async def test_a_stop_finishes_what_is_in_hand(autojump_clock: MockClock, sending: Sending) -> None:
    side = sending.world["x.test"]
    side.end_time = 2.0
    number = enqueue(sending.store, "a@x.test")
    enqueue(sending.store, "b@later.test", terms=Terms(hold_until=sending.store.now + 10))
    await sending.until(lambda: sending.states(number) == {"a@x.test": "IN_FLIGHT"})
    sending.stopping.set()
    await trio.sleep(20)
    assert sending.states(number) == {"a@x.test": "RELAYED"}
    assert not sending.world["later.test"].mails
    assert side.open == 0


@pytest.mark.parametrize(
    ("facts", "requiretls", "insecure", "wanted"),
    [
        ({}, False, Leave.NONE, Wanted.SECURE),
        ({"tls_optional": True}, False, Leave.NONE, Wanted.ANY),
        ({"tls_optional": True, "origin": "forward"}, False, Leave.NONE, Wanted.SECURE),
        ({}, False, Leave.UNVERIFIED, Wanted.UNVERIFIED),
        ({"tls_optional": True}, False, Leave.UNVERIFIED, Wanted.ANY),
        ({}, False, Leave.ANY, Wanted.ANY),
        ({}, True, Leave.ANY, Wanted.REQUIRETLS),
        ({"reverse_path": ""}, True, Leave.NONE, Wanted.REQUIRETLS),
        ({"origin": "notice", "reverse_path": ""}, True, Leave.NONE, Wanted.BEST),
        ({"origin": "forward", "reverse_path": ""}, True, Leave.NONE, Wanted.BEST),
        ({"origin": "notice", "reverse_path": ""}, False, Leave.NONE, Wanted.BEST),
        ({"reverse_path": ""}, False, Leave.NONE, Wanted.BEST),
        ({"origin": "forward"}, False, Leave.NONE, Wanted.SECURE),
    ],
)
def test_what_way_is_wanted(facts: dict[str, object], requiretls: bool, insecure: Leave, wanted: Wanted) -> None:
    common = {"account": 1, "origin": "submitted", "reverse_path": "a@b.test", "size": 1, "prefix": b"", "expires": 9}
    message = QueuedMessage(1, 1, {**common, "recipients": ["x@y"], **facts})
    assert wanted_way(message, requiretls=requiretls, insecure=insecure) is wanted

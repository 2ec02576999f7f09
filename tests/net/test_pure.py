"""Networks, connection limits, guessing, the clock: what needs neither socket nor Trio."""

import pytest

from crockery import limits
from crockery.net.clock import ClockWatch
from crockery.net.guessing import Guessing
from crockery.net.peers import ConnectionLimits, Remembered, network_of


class Now:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.mark.parametrize(
    ("peer", "network"),
    [
        pytest.param("192.0.2.77", "192.0.2.0/24", id="ipv4"),
        pytest.param("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", id="ipv6"),
        pytest.param("::ffff:192.0.2.77", "192.0.2.0/24", id="mapped"),
        pytest.param("127.0.0.9", "", id="loopback"),
        pytest.param("::1", "", id="loopback6"),
    ],
)
def test_network_of(peer: str, network: str) -> None:
    assert network_of(peer) == network


def test_remembered_forgets_the_oldest() -> None:
    known: Remembered[int] = Remembered(2)
    for key in ("a", "b", "a", "c"):
        known.put(key, 1)
    assert list(known) == ["a", "c"]


def test_connections_of_a_network_are_limited() -> None:
    admitting = ConnectionLimits(Now(), per_network=2)
    assert [admitting.admit(f"192.0.2.{n}") for n in range(3)] == ["", "", "connection-refused-network"]
    assert admitting.admit("198.51.100.1") == ""
    admitting.release("192.0.2.0")
    assert admitting.admit("192.0.2.9") == ""


def test_connections_of_all_are_limited_but_loopback_has_no_other_limit() -> None:
    admitting = ConnectionLimits(Now(), total=5, per_network=1, burst=1)
    assert [admitting.admit("127.0.0.1") for _ in range(6)] == [""] * 5 + ["connection-refused-total"]
    admitting.release("127.0.0.1")
    assert admitting.count == 4


def test_connections_come_at_a_rate() -> None:
    now = Now()
    admitting = ConnectionLimits(now, rate=60, burst=3)

    def come() -> str:
        refused = admitting.admit("192.0.2.1")
        if not refused:
            admitting.release("192.0.2.1")
        return refused

    assert [come() for _ in range(4)] == ["", "", "", "connection-refused-rate"]
    now.seconds += 1.01
    assert [come() for _ in range(2)] == ["", "connection-refused-rate"]


def test_delays_grow_and_end_at_a_ban() -> None:
    now = Now()
    guessing = Guessing(now)
    delays = []
    for n in range(limits.BAN_FAILURES):
        assert not guessing.is_banned("192.0.2.1")
        delays.append(guessing.begin(f"name{n}", "192.0.2.1"))
        banned = guessing.failed("192.0.2.1")
    assert delays[: limits.FREE_FAILURES] == [0.0] * limits.FREE_FAILURES
    assert delays[limits.FREE_FAILURES] == limits.DELAY_STEP
    assert delays == sorted(delays)
    assert max(delays) == limits.DELAY_MAX
    assert banned
    assert guessing.is_banned("192.0.2.200")
    assert not guessing.is_banned("198.51.100.1")
    now.seconds += limits.BAN_TIME + 1
    assert not guessing.is_banned("192.0.2.1")
    assert guessing.begin("name", "192.0.2.1") == 0.0


def test_an_account_is_delayed_but_never_banned() -> None:
    guessing = Guessing(Now())
    delays = [guessing.begin("anna", f"2001:db8:0:{n:x}::1") for n in range(100)]
    assert max(delays) == limits.ACCOUNT_DELAY_MAX
    assert not any(guessing.failed(f"2001:db8:0:{n:x}::1") for n in range(100))


def test_this_machine_is_never_banned() -> None:
    guessing = Guessing(Now())
    assert max(guessing.begin(f"name{n}", "127.0.0.1") for n in range(100)) == 0.0
    assert not any(guessing.failed("127.0.0.1") for _ in range(100))


def test_good_tries_do_not_count_and_failures_are_forgotten() -> None:
    now = Now()
    guessing = Guessing(now)
    for _ in range(50):
        assert guessing.begin("anna", "192.0.2.1") == 0.0
        guessing.succeeded("anna", "192.0.2.1")
    for _ in range(10):
        guessing.begin("anna", "192.0.2.1")
    now.seconds += limits.FAILURES_FORGOTTEN + 1
    assert guessing.begin("anna", "192.0.2.1") == 0.0


def test_tries_at_the_same_time_count_at_once() -> None:
    guessing = Guessing(Now())
    assert guessing.begin("anna", "192.0.2.1") == 0.0
    assert max(guessing.begin("anna", "192.0.2.1") for _ in range(20)) == limits.DELAY_MAX


class Clocks:
    """The two clocks of a machine."""

    def __init__(self) -> None:
        self.wall_seconds = 1_800_000_000.0
        self.monotonic_seconds = 50.0

    def wall(self) -> int:
        return int(self.wall_seconds * 1e6)

    def monotonic(self) -> float:
        return self.monotonic_seconds

    def watch(self, last_record_ago: float) -> ClockWatch:
        last = int((self.wall_seconds - last_record_ago) * 1e6) if last_record_ago != float("inf") else 0
        return ClockWatch(self.wall, last, self.monotonic)

    def pass_time(self, seconds: float) -> None:
        self.wall_seconds += seconds
        self.monotonic_seconds += seconds


@pytest.mark.parametrize(
    ("ago", "proven"),
    [
        pytest.param(60.0, True, id="just now"),
        pytest.param(86400.0, True, id="a day ago"),
        pytest.param(3 * 86400.0, False, id="days ago"),
        pytest.param(-60.0, True, id="a minute ahead"),
        pytest.param(-7200.0, False, id="in the future"),
        pytest.param(float("inf"), True, id="no record"),
    ],
)
def test_the_clock_at_the_start(ago: float, proven: bool) -> None:
    assert Clocks().watch(ago).is_proven is proven


@pytest.mark.parametrize("jump", [pytest.param(4000.0, id="forward"), pytest.param(-4000.0, id="back")])
def test_a_jump_of_the_clock_is_doubted_for_an_hour(jump: float) -> None:
    clocks = Clocks()
    watch = clocks.watch(0.0)
    clocks.pass_time(10_000)
    assert watch.is_proven
    clocks.wall_seconds += jump
    assert not watch.is_proven
    clocks.pass_time(limits.CLOCK_PROOF - 10)
    assert not watch.is_proven
    clocks.pass_time(20)
    assert watch.is_proven


def test_drift_is_no_jump() -> None:
    clocks = Clocks()
    watch = clocks.watch(0.0)
    for _ in range(100):
        clocks.pass_time(60)
        clocks.wall_seconds += 50
        watch.look()
    assert watch.is_proven

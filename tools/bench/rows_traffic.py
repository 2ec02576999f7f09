"""Rows about traffic: mail coming in, news to those who wait, round trips, logins."""

import statistics
import time
from collections.abc import Callable, Sequence

from tools.bench.client import Imap, client_tls, parse_responses
from tools.bench.material import check_received
from tools.bench.round import Round, Row, clear, message_count
from tools.bench.smtp_load import send_mails, smtp_load

READABLE_POLL = 0.005  # seconds between two looks whether all mail is readable
READABLE_TIMEOUT = 300.0
LOAD_SESSIONS = 10
LOAD_RATE = 100.0  # mails a second, which both servers bear
NOOP_PAUSE = 0.001  # seconds between two NOOPs under load, so that they are not the load
PERCENTILES = (50, 99)


def smtp(sessions: int, accounts: int = 1) -> Callable[[Round], float]:
    """Mails a second from the first MAIL command until STATUS counts the last of them in its INBOX."""

    def measure(r: Round) -> float:
        mails = r.material.small_mails(r.scale.smtp_mails_single if sessions == 1 else r.scale.smtp_mails)
        readers = [Imap(r.endpoints, account=n).login() for n in range(accounts)]
        for imap in readers:
            clear(imap, "INBOX")
            imap.command("CLOSE")
        recipients = [account.user for account in r.endpoints.accounts[:accounts]]
        start = time.perf_counter()
        send_mails(r.endpoints.smtp, recipients, mails, sessions)
        _wait_until_readable(readers, len(mails))
        taken = time.perf_counter() - start
        check_received((message for imap in readers for message in _messages(imap)), mails)
        for imap in readers:
            with imap:
                clear(imap, "INBOX")
        return len(mails) / taken

    return measure


def idle(r: Round) -> float:
    """Median time from the first octet of an APPEND elsewhere until a client in IDLE reads EXISTS."""
    waiting, other = r.connect(), r.connect()
    clear(waiting, "INBOX")
    seconds = []
    for mail in r.material.small_mails(r.scale.idle_samples):
        waiting.idle()
        start = time.perf_counter()
        other.append_all("INBOX", [mail])
        waiting.wait_for_exists()
        seconds.append(time.perf_counter() - start)
        waiting.done()
    clear(waiting, "INBOX")
    return statistics.median(seconds) * 1000


def noop(r: Round) -> float:
    return statistics.median(_round_trips(r)) * 1e6


def noop_loaded(percentile: int) -> Callable[[Round], float]:
    """Microseconds of NOOP while mail comes in at LOAD_RATE."""
    return lambda r: r.shared(_noops_beside_load)[f"p{percentile}"]


def noop_flooded(r: Round) -> float:
    """Microseconds of NOOP while mail comes in as fast as it is taken."""
    return r.shared(_noops_beside_flood)["p99"]


def login_plain(r: Round) -> float:
    return _login(r, tls=False)


def login_tls(r: Round) -> float:
    return _login(r, tls=True)


def _wait_until_readable(readers: Sequence[Imap], count: int) -> None:
    """Returns when the INBOXes together hold `count` messages."""
    deadline = time.monotonic() + READABLE_TIMEOUT
    while sum(message_count(imap, "INBOX") for imap in readers) < count:
        if time.monotonic() > deadline:
            raise TimeoutError("mail accepted, but not readable")
        time.sleep(READABLE_POLL)


def _messages(imap: Imap) -> list[bytes]:
    imap.command("SELECT INBOX")
    if not message_count(imap, "INBOX"):
        return []
    return [response.literals[0] for response in parse_responses(imap.command("FETCH 1:* (BODY.PEEK[])"))]


def _round_trips(r: Round) -> list[float]:
    """Seconds of each NOOP on one plain connection that has another account's INBOX selected."""
    with Imap(r.endpoints, account=1).login() as imap:
        imap.command("SELECT INBOX")
        return [r.timed(imap, "NOOP")[0] for _ in range(r.scale.round_trips)]


def _noops_beside_load(r: Round) -> dict[str, float]:
    return _percentiles(_loaded_round_trips(r, LOAD_RATE))


def _noops_beside_flood(r: Round) -> dict[str, float]:
    return _percentiles(_loaded_round_trips(r, None))


def _percentiles(seconds: list[float]) -> dict[str, float]:
    """The median and the 99th percentile, in microseconds."""
    return {f"p{p}": sorted(seconds)[len(seconds) * p // 100] * 1e6 for p in PERCENTILES}


def _loaded_round_trips(r: Round, rate: float | None) -> list[float]:
    """As `_round_trips`, one NOOP a millisecond or fewer for some seconds, with SMTP load beside."""
    reader, imap = r.connect(), r.connect(account=1)
    clear(reader, "INBOX")
    reader.command("CLOSE")
    imap.command("SELECT INBOX")
    mails = r.material.small_mails((1 if rate else 20) * LOAD_SESSIONS)
    seconds = []
    with smtp_load(r.endpoints.smtp, r.endpoints.user, mails, LOAD_SESSIONS, rate) as sent:
        end = time.perf_counter() + r.scale.load_seconds
        while time.perf_counter() < end:
            seconds.append(r.timed(imap, "NOOP")[0])
            time.sleep(NOOP_PAUSE)
    _wait_until_readable([reader], sent.value)  # what is under way still must not disturb the next row
    clear(reader, "INBOX")
    return seconds


def _login(r: Round, tls: bool) -> float:
    """Median time from connect until LOGIN is answered, one connection after the other."""
    context = client_tls() if tls else None
    seconds = []
    for _ in range(r.scale.logins):
        start = time.perf_counter()
        with Imap(r.endpoints, context) as imap:
            imap.login()
            seconds.append(time.perf_counter() - start)
    return statistics.median(seconds) * 1000


ROWS = (
    Row("smtp-1", "4 KiB mail over SMTP until readable, 1 session", "mails/s", smtp(1), 0, 0, True),
    Row(
        "smtp-10", "4 KiB mail over SMTP until readable, 10 sessions", "mails/s", smtp(10), goal=8, more_is_better=True
    ),
    Row("smtp-50", "4 KiB mail over SMTP until readable, 50 sessions", "mails/s", smtp(50), 0, 0, True),
    Row("smtp-10-accounts", "the same with 10 sessions, to 10 accounts in turn", "mails/s", smtp(10, 10), 0, 0, True),
    Row("idle", "IDLE: APPEND elsewhere until EXISTS", "ms", idle, limit=5),
    Row("noop", "NOOP round trip", "us", noop, goal=1),
    Row("noop-loaded", "NOOP beside 100 mails/s over SMTP, median", "us", noop_loaded(50)),
    Row("noop-loaded-p99", "NOOP beside 100 mails/s over SMTP, p99", "us", noop_loaded(99), goal=1),
    Row("noop-flooded-p99", "NOOP beside as much SMTP as is taken, p99", "us", noop_flooded),
    Row("login", "connect and LOGIN, plain", "ms", login_plain),
    Row("login-tls", "connect and LOGIN, TLS", "ms", login_tls),
)

"""Rows about traffic: mail coming in, news to those who wait, round trips, logins."""

import statistics
import time
from collections.abc import Callable

from tools.bench.client import Imap, client_tls, parse_responses
from tools.bench.material import check_received
from tools.bench.round import Round, Row, clear, message_count
from tools.bench.smtp_load import send_mails, smtp_load

READABLE_POLL = 0.005  # seconds between two looks whether all mail is readable
READABLE_TIMEOUT = 300.0
LOAD_SESSIONS = 10


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
        while sum(message_count(imap, "INBOX") for imap in readers) < len(mails):
            if time.perf_counter() - start > READABLE_TIMEOUT:
                raise TimeoutError("mail accepted, but not readable")
            time.sleep(READABLE_POLL)
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


def noop_loaded_median(r: Round) -> float:
    return _loaded_round_trips(r)["noop p50"]


def noop_loaded_worst(r: Round) -> float:
    return _loaded_round_trips(r)["noop p99"]


def login_plain(r: Round) -> float:
    return _login(r, tls=False)


def login_tls(r: Round) -> float:
    return _login(r, tls=True)


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


def _loaded_round_trips(r: Round) -> dict[str, float]:
    if "noop p50" not in r.shared:
        mails = r.material.small_mails(20 * LOAD_SESSIONS)
        with smtp_load(r.endpoints.smtp, [r.endpoints.user], mails, LOAD_SESSIONS):
            seconds = sorted(_round_trips(r))
        clear(r.connect(), "INBOX")
        r.shared["noop p50"] = seconds[len(seconds) // 2] * 1e6
        r.shared["noop p99"] = seconds[len(seconds) * 99 // 100] * 1e6
    return r.shared


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
    Row("smtp-10", "the same, 10 sessions", "mails/s", smtp(10), goal=8, more_is_better=True),
    Row("smtp-50", "the same, 50 sessions", "mails/s", smtp(50), 0, 0, True),
    Row("smtp-10-accounts", "the same, 10 sessions, to 10 accounts in turn", "mails/s", smtp(10, 10), 0, 0, True),
    Row("idle", "IDLE: APPEND elsewhere until EXISTS", "ms", idle, limit=5),
    Row("noop", "NOOP round trip", "us", noop, goal=1),
    Row("noop-loaded", "NOOP with SMTP load beside, median", "us", noop_loaded_median),
    Row("noop-loaded-p99", "the same, 99th percentile", "us", noop_loaded_worst, goal=1),
    Row("login", "login, plain: connect until LOGIN is answered", "ms", login_plain),
    Row("login-tls", "login, TLS", "ms", login_tls),
)

"""Rows about many clients at once: a thousand that wait over TLS, and fifty that work."""

import random
import selectors
import ssl
import time
from collections.abc import Callable
from contextlib import ExitStack

from tools.bench.client import Imap, client_tls
from tools.bench.round import Round, Row, clear
from tools.bench.servers import resident_memory
from tools.bench.smtp_load import send_mails

CLIENTS = 50
MAILBOX = "crowd"
MESSAGES = 300  # in the mailbox of each account
NEWS_TIMEOUT = 30.0  # seconds until the last of those who wait must have heard
SEED = 50


def waiting_memory(r: Round) -> float:
    return r.shared(_waiting)["memory"]


def waiting_latency(r: Round) -> float:
    return r.shared(_waiting)["p99"]


def working_rate(r: Round) -> float:
    return r.shared(_working)["rate"]


def working_latency(percentile: int) -> Callable[[Round], float]:
    return lambda r: r.shared(_working)[f"p{percentile}"]


def _waiting(r: Round) -> dict[str, float]:
    """Opens the connections, all accounts in turn, sends each account a mail, and sees when each connection hears."""
    context, accounts = client_tls(), len(r.endpoints.accounts)
    [mail] = r.material.small_mails(1)
    latencies: list[float] = []
    with ExitStack() as held:
        for n in range(accounts):
            clear(held.enter_context(Imap(r.endpoints, account=n).login()), "INBOX")
        before = resident_memory(r.endpoints.roots)
        idlers = []
        for n in range(r.scale.waiting):
            imap = held.enter_context(Imap(r.endpoints, context, account=n % accounts).login())
            imap.command("SELECT INBOX")
            imap.idle()
            idlers.append(imap)
        memory = (resident_memory(r.endpoints.roots) - before) / len(idlers) / 1024
        for n in range(accounts):
            start = time.perf_counter()
            send_mails(r.endpoints.smtp, [r.endpoints.accounts[n].user], [mail], 1)
            latencies += _heard(idlers[n::accounts], start)
    return {"memory": memory, "p99": _percentile(latencies, 99) * 1000}


def _heard(idlers: list[Imap], start: float) -> list[float]:
    """Seconds from `start` until each of the connections has read EXISTS."""
    seconds: list[float] = []
    with selectors.DefaultSelector() as selector:
        for imap in idlers:
            imap.socket.setblocking(False)
            selector.register(imap.socket, selectors.EVENT_READ, imap)
        deadline = start + NEWS_TIMEOUT
        while len(seconds) < len(idlers):
            ready = selector.select(max(0.0, deadline - time.perf_counter()))
            if not ready:
                raise TimeoutError(f"{len(idlers) - len(seconds)} of {len(idlers)} in IDLE heard nothing")
            for key, _ in ready:
                try:
                    heard = b" EXISTS\r\n" in key.data.socket.recv(65536)
                except ssl.SSLWantReadError:
                    continue
                if heard:
                    seconds.append(time.perf_counter() - start)
                    selector.unregister(key.fileobj)
    return seconds


def _working(r: Round) -> dict[str, float]:
    """Fifty connections of ten accounts, each sending its next command when the last is answered, for some seconds."""
    accounts = len(r.endpoints.accounts)
    mails = r.mails[:MESSAGES]
    with ExitStack() as held:
        for n in range(accounts):
            imap = held.enter_context(Imap(r.endpoints, account=n).login())
            imap.command(f"CREATE {MAILBOX}")
            imap.append_all(MAILBOX, mails)
        pool = [held.enter_context(Imap(r.endpoints, account=n % accounts).login()) for n in range(CLIENTS)]
        for imap in pool:
            imap.command(f"SELECT {MAILBOX}")
        seconds, taken = _drive(pool, r.scale.load_seconds)
    for n in range(accounts):
        with Imap(r.endpoints, account=n).login() as imap:
            imap.command(f"DELETE {MAILBOX}")
    return {
        "rate": len(seconds) / taken,
        "p50": _percentile(seconds, 50) * 1000,
        "p99": _percentile(seconds, 99) * 1000,
    }


def _drive(pool: list[Imap], duration: float) -> tuple[list[float], float]:
    """Seconds of each command, and of all."""
    choice = random.Random(SEED)
    seconds: list[float] = []
    with selectors.DefaultSelector() as selector:
        start = time.perf_counter()
        began = {}
        for imap in pool:
            selector.register(imap.socket, selectors.EVENT_READ, imap)
            began[imap] = time.perf_counter()
            imap.begin(_next_command(choice))
        busy = len(pool)
        while busy:
            for key, _ in selector.select(NEWS_TIMEOUT):
                imap = key.data
                if not imap.proceed():
                    continue
                now = time.perf_counter()
                seconds.append(now - began[imap])
                if now - start < duration:
                    began[imap] = now
                    imap.begin(_next_command(choice))
                else:
                    busy -= 1
        return seconds, time.perf_counter() - start


def _next_command(choice: random.Random) -> str:
    """What people's clients ask, roughly as often as they do."""
    uid = choice.randint(1, MESSAGES)
    commands = (
        ("NOOP", 30),
        ("UID FETCH 1:* (FLAGS)", 5),
        (f"UID FETCH {uid}:{uid + 20} (FLAGS ENVELOPE BODYSTRUCTURE)", 15),
        (f"UID FETCH {uid} (BODY.PEEK[])", 25),
        (f"UID STORE {uid} +FLAGS (\\Seen)", 5),
        (f"UID STORE {uid} -FLAGS (\\Seen)", 5),
        ("UID SEARCH UNSEEN", 5),
        (f"STATUS {MAILBOX} (MESSAGES UNSEEN UIDNEXT)", 5),
        ('LIST "" *', 5),
    )
    return choice.choices([c for c, _ in commands], [w for _, w in commands])[0]


def _percentile(seconds: list[float], percentile: int) -> float:
    return sorted(seconds)[len(seconds) * percentile // 100]


ROWS = (
    Row("waiting-memory", "memory of each of 1,000 TLS connections in IDLE", "KiB", waiting_memory, limit=60),
    Row("waiting-p99", "mail sent until each of 100 (of 1,000) in IDLE hears, p99", "ms", waiting_latency),
    Row("working", "50 clients working at once", "commands/s", working_rate, more_is_better=True),
    Row("working-p50", "50 clients working at once, median", "ms", working_latency(50)),
    Row("working-p99", "50 clients working at once, p99", "ms", working_latency(99)),
)

"""Rows about what it costs to hold mail and clients: memory, disk, and the time to start on a large log."""

import shutil
import time
from contextlib import ExitStack
from pathlib import Path

from tools.bench.big_log import event_count, fill_log
from tools.bench.client import Imap, client_tls
from tools.bench.crockery_server import CrockeryServer
from tools.bench.round import WORK, Round, Row, message_count
from tools.bench.servers import resident_memory

REPLAY_TIMEOUT = 600.0  # seconds
DISK_MAILBOX = "disk"


def connection_plain(r: Round) -> float:
    return _connection(r, tls=False)


def connection_tls(r: Round) -> float:
    return _connection(r, tls=True)


def disk(r: Round) -> float:
    return r.shared(_disk)["all"]


def disk_mail(r: Round) -> float:
    return r.shared(_disk)["mail"]


def _disk(r: Round) -> dict[str, float]:
    """Octets on disk for each octet of mail, the whole corpus appended to one mailbox: all files, the mail alone."""
    corpus = r.material.corpus
    imap = r.connect()
    r.settle()
    before, mail_before = r.server.disk_usage(), r.server.mail_usage()
    imap.command(f"CREATE {DISK_MAILBOX}")
    imap.append_all(DISK_MAILBOX, corpus)
    r.settle()
    taken, mail = r.server.disk_usage() - before, r.server.mail_usage() - mail_before
    imap.command(f"DELETE {DISK_MAILBOX}")
    octets = sum(map(len, corpus))
    return {"all": taken / octets, "mail": mail / octets}


def start_with_snapshot(r: Round) -> float:
    """Seconds until SMTP and IMAP answer, the snapshot being that of the last clean stop."""
    server = _big_server(r)
    server.run(REPLAY_TIMEOUT)
    server.stop()
    return _start(server)


def replay(r: Round) -> float:
    """Events a second of a start with nothing but the log."""
    server = _big_server(r)
    with server.without_derived():
        return _replay_rate(r, server)


def replay_from_facts(r: Round) -> float:
    """Events a second of a start without a snapshot."""
    server = _big_server(r)
    server.run(REPLAY_TIMEOUT)
    server.stop()
    server.drop_snapshot()
    return _replay_rate(r, server)


def memory_of_message(r: Round) -> float:
    """Octets of memory a message held, of a server that has started with its snapshot."""
    server = _big_server(r)
    server.run(REPLAY_TIMEOUT)  # the row before dropped the snapshot
    server.stop()
    empty = CrockeryServer(WORK / "crockery-empty")
    try:
        without = resident_memory(empty.start().roots)
        held = resident_memory(server.run(REPLAY_TIMEOUT).roots)
    finally:
        empty.stop()
        server.stop()
    return (held - without) / r.scale.big_log


def _connection(r: Round, tls: bool) -> float:
    """KiB of memory the server holds for one connection in IDLE on an INBOX."""
    context = client_tls() if tls else None
    with ExitStack() as held:
        warm = held.enter_context(Imap(r.endpoints, context).login())
        message_count(warm, "INBOX")
        before = resident_memory(r.endpoints.roots)
        for _ in range(r.scale.connections):
            imap = held.enter_context(Imap(r.endpoints, context).login())
            imap.command("SELECT INBOX")
            imap.idle()
        return (resident_memory(r.endpoints.roots) - before) / r.scale.connections / 1024


def _big_server(r: Round) -> CrockeryServer:
    """A server on the big log, which is made at the first call and kept for later runs."""
    directory = WORK / f"crockery-{r.scale.big_log}"
    if not directory.exists():
        unfinished = directory.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        server = CrockeryServer(unfinished)
        server.initialise()
        fill_log(server.log, r.scale.big_log, r.material.short_mails())
        server.command("reindex", str(server.log))  # else what is measured is the making of rows
        unfinished.rename(directory)
    return CrockeryServer(directory)


def _replay_rate(r: Round, server: CrockeryServer) -> float:
    """Events a second until SMTP and IMAP answer, every hash checked, page cache dropped where that is allowed."""
    _drop_page_cache()
    return event_count(r.scale.big_log) / _start(server)


def _start(server: CrockeryServer) -> float:
    start = time.perf_counter()
    try:
        server.run(REPLAY_TIMEOUT)
        return time.perf_counter() - start
    finally:
        server.stop()


def _drop_page_cache() -> None:
    control = Path("/proc/sys/vm/drop_caches")
    try:
        control.write_text("1\n")
    except OSError:
        print("note: the page cache could not be dropped (not root): replay reads from memory")


ROWS = (
    Row("memory-plain", "memory of an idle connection, plain", "KiB", connection_plain),
    Row("memory-tls", "memory of an idle connection, TLS", "KiB", connection_tls, limit=60),
    Row("disk", "disk for a mailbox, against the raw octets", "times", disk, limit=0.45),
    Row("disk-mail", "the same, without indexes and what else is derived", "times", disk_mail),
    Row("start", "start on the large log, with a snapshot", "s", start_with_snapshot, limit=2, crockery_only=True),
    Row("replay", "replay of the large log", "events/s", replay, 0, 100_000, True, crockery_only=True),
    Row("replay-facts", "replay from the copy of its facts", "events/s", replay_from_facts, 0, 0, True, True),
    Row("memory-message", "memory of a message held", "octets", memory_of_message, limit=64, crockery_only=True),
)

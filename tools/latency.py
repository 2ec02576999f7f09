"""`python -m tools.latency`: how long others wait while one client has the server do something long.

A mailbox of 100,000 messages is filled by APPEND and COPY. Then each command of the list runs on one connection while
another sends a NOOP every millisecond, and a slow reader takes what a FETCH of everything gives it, 64 KiB every 20 ms;
printed are the longest and the 99th percentile of the NOOPs' round trips. The goal is that no command holds the event
loop for more than 50 ms (design §5). Its short form is tests/imap/test_turns.py.

With `--idle N`, N TLS connections wait in IDLE instead, mail arrives, and it is measured how soon all are told.
"""

import argparse
import contextlib
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from tools.bench.client import Imap, client_tls
from tools.bench.crockery_server import CrockeryServer
from tools.bench.material import Material
from tools.bench.round import WORK, message_count
from tools.bench.servers import HOST, Endpoints, resident_memory

GOAL = 0.050
PAUSE = 0.001
MAILBOX = "large"
COMMANDS = (
    "UID FETCH 1:* (FLAGS)",
    "FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)",
    "FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)",
    "FETCH 1:* (BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE)])",
    "FETCH 1:20000 (BODY.PEEK[])",
    "SEARCH SUBJECT linux",
    "SEARCH TEXT quasiperiodic",
    "SEARCH NOT BODY the",
    "SEARCH HEADER Message-ID example",
    "SEARCH SENTSINCE 1-Jan-2003",
    "SEARCH UNSEEN",
    "SORT (DATE) UTF-8 ALL",
    "SORT (SUBJECT) UTF-8 ALL",
    "SORT (FROM REVERSE SIZE) UTF-8 ALL",
    "SORT (FROM REVERSE SIZE) UTF-8 ALL",
    "THREAD REFERENCES UTF-8 ALL",
    "THREAD REFERENCES UTF-8 SEEN",
    "THREAD REFS UTF-8 ALL",
    "THREAD ORDEREDSUBJECT UTF-8 ALL",
    "STORE 1:* +FLAGS (\\Flagged)",
    "STORE 1:* -FLAGS.SILENT (\\Flagged)",
    "COPY 1:* copies",
    "STATUS copies (MESSAGES UNSEEN SIZE HIGHESTMODSEQ)",
    'LIST "" * RETURN (STATUS (MESSAGES UNSEEN SIZE))',
    "ENABLE QRESYNC",
    "SELECT copies",
    "UID MOVE 1:50000 others",
    "STORE 1:* +FLAGS.SILENT (\\Deleted)",
    "EXPUNGE",
    f"SELECT {MAILBOX} (QRESYNC (1 1))",
    f"DELETE {MAILBOX}",
)


class Probe:
    """NOOPs on a connection of its own, from a thread."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._imap = Imap(endpoints, account=1).login()
        self._imap.command("SELECT INBOX")
        self._seconds: list[float] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ending.wait(PAUSE):
            start = time.perf_counter()
            self._imap.command("NOOP")
            self._seconds.append(time.perf_counter() - start)

    def end(self) -> None:
        """Before the server stops."""
        self._ending.set()
        self._thread.join()

    @contextlib.contextmanager
    def watching(self, what: str) -> Iterator[None]:
        """Print how long NOOPs took meanwhile."""
        first = len(self._seconds)
        start = time.perf_counter()
        yield
        taken = time.perf_counter() - start
        time.sleep(2 * PAUSE)
        seconds = sorted(self._seconds[first:]) or [0.0]
        worst, p99 = seconds[-1], seconds[len(seconds) * 99 // 100]
        mark = "" if worst <= GOAL else "   over the goal"
        print(
            f"{what[:72]:72} {taken:7.2f} s   p99 {p99 * 1000:6.1f} ms   worst {worst * 1000:6.1f} ms{mark}", flush=True
        )


def fill(imap: Imap, material: Material, messages: int) -> None:
    """A mailbox of `messages`, by APPEND of 5,000 and COPY of those."""
    imap.command(f"CREATE {MAILBOX}")
    imap.command("CREATE copies")
    imap.command("CREATE others")
    for number in range(1000):
        imap.command(f"CREATE box{number}")
    imap.append_all(MAILBOX, material.mailbox_mails(min(5000, messages)))
    imap.command(f"SELECT {MAILBOX}")
    while (count := message_count(imap, MAILBOX)) < messages:
        imap.command(f"COPY 1:{min(count, messages - count)} {MAILBOX}")
        imap.command("NOOP")


def slow_reader(endpoints: Endpoints) -> Callable[[], None]:
    """Asks for everything and takes it slowly; returns what ends it."""
    account = endpoints.accounts[0]
    sock = socket.create_connection((HOST, endpoints.imap))
    lines = f'a LOGIN "{account.user}" "{account.password}"\r\nb SELECT {MAILBOX}\r\nc FETCH 1:* (BODY.PEEK[])\r\n'
    sock.sendall(lines.encode())
    ending = threading.Event()

    def take() -> None:
        while not ending.wait(0.02) and sock.recv(64 * 1024):
            pass
        sock.close()

    threading.Thread(target=take, daemon=True).start()
    return ending.set


def measure_commands(endpoints: Endpoints, messages: int) -> None:
    imap = Imap(endpoints).login()
    fill(imap, Material(WORK / "corpus"), messages)
    probe = Probe(endpoints)
    with probe.watching("nothing"):
        time.sleep(1)
    end = slow_reader(endpoints)
    with probe.watching("a slow reader of everything"):
        time.sleep(2)
    for command in COMMANDS:
        with probe.watching(command):
            imap.command(command)
    end()
    probe.end()


def measure_idle(endpoints: Endpoints, connections: int) -> None:
    """All IDLE on the same INBOX; each mail must reach them all."""
    context = client_tls()
    mails = Material(WORK / "corpus").small_mails(10)
    with ExitStack() as held:
        other = held.enter_context(Imap(endpoints).login())
        before = resident_memory(endpoints.roots)
        waiting = [held.enter_context(Imap(endpoints, context).login()) for _ in range(connections)]
        for imap in waiting:
            imap.command("SELECT INBOX")
            imap.idle()
        memory = (resident_memory(endpoints.roots) - before) / connections / 1024
        seconds = []
        for mail in mails:
            start = time.perf_counter()
            other.append_all("INBOX", [mail])
            for imap in waiting:
                imap.wait_for_exists()
                seconds.append(time.perf_counter() - start)
        seconds.sort()
    times = f"median {seconds[len(seconds) // 2] * 1000:.1f} ms, p99 {seconds[len(seconds) * 99 // 100] * 1000:.1f} ms"
    print(f"{connections} TLS connections in IDLE, {memory:.1f} KiB each; from APPEND until EXISTS has come: {times}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.latency", description=__doc__.partition("\n")[0])
    parser.add_argument("--messages", type=int, default=100_000, help="of the mailbox")
    parser.add_argument("--idle", type=int, metavar="N", help="measure N connections in IDLE instead")
    arguments = parser.parse_args()
    directory = WORK / f"latency-{os.getpid()}"
    server = CrockeryServer(directory)
    try:
        endpoints = server.start()
        if arguments.idle:
            measure_idle(endpoints, arguments.idle)
        else:
            measure_commands(endpoints, arguments.messages)
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()

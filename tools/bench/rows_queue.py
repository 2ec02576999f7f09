"""Rows about a long queue: 100,000 due recipients over 10,000 domains, whose DNS servers do not answer.

Memory is what the server holds at most from its start on, above what one holds that waits for work. The step of the
scheduler is what it does for one message: take it, note that nothing came of it, and see to whose turn it is next.
"""

import contextlib
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from crockery.actions.actor import Actor
from crockery.actions.incoming import received
from crockery.actions.mail import deliver
from crockery.actions.queue import Outgoing
from crockery.actions.store import Store
from crockery.delivery.sending.agenda import Agenda
from crockery.projections.restore import restore
from tools.bench.big_log import now
from tools.bench.crockery_server import CrockeryServer
from tools.bench.round import WORK, Round, Row
from tools.bench.servers import DOMAIN, HOST

BATCH = 10_000  # messages written at once
SETTLED = 10.0  # seconds from the start until as many connections are tried as there may be
FOLDER = WORK / "queue"
MAIL = b"From: user0@example.test\r\nSubject: x\r\n\r\n" + b"Hello there.\r\n" * 100


def queue_memory(r: Round) -> float:
    """MB above an idle server, the worse of a start by replay and one with a snapshot."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    with _nameless() as resolver:
        held = []
        for name, messages in (("empty", 0), ("full", r.scale.queued)):
            server = CrockeryServer(FOLDER / name, ["--resolver", resolver])
            server.initialise()
            fill_queue(server.log, messages)
            shutil.rmtree(server.derived, ignore_errors=True)
            starts = []
            for _ in ("replay", "snapshot"):
                pid = server.run().roots[0]
                time.sleep(SETTLED)
                starts.append(_resident(pid, "VmHWM" if messages else "VmRSS"))
                server.stop()  # leaves the snapshot
            held.append(max(starts) if messages else min(starts))
    return (held[1] - held[0]) / 1e6


def queue_step(r: Round) -> float:
    """Milliseconds of CPU of the slowest of all steps but the worst thousandth, in which garbage is collected."""
    path = FOLDER / "step" / "bench.crk"
    shutil.rmtree(path.parent, ignore_errors=True)
    CrockeryServer(path.parent).initialise()
    fill_queue(path, r.scale.queued)
    restored = restore(path, now)
    try:
        steps = scheduler_steps(Agenda(restored.state.queue), now() // 1_000_000 + 1)
    finally:
        restored.opened.log.close()
    return sorted(steps)[-1 - len(steps) // 1000] * 1000


def scheduler_steps(agenda: Agenda, moment: int) -> list[float]:
    """Seconds of CPU of each step, until nothing more is due: each destination fails, and has its pause."""
    steps = []
    while agenda.next_time() <= moment:
        begin = time.thread_time()
        work = agenda.take(moment)
        if work is not None:
            for recipient in work.recipients:
                recipient.next = moment + 60
            agenda.failed(work.destination, moment)
            agenda.release(work)
            agenda.ended(work.destination, was_suspect=work.destination.failures > 1)
        steps.append(time.thread_time() - begin)
    return steps


def fill_queue(path: Path, messages: int) -> None:
    """Queue messages of one recipient each, ten for each domain; no server runs."""
    restored = restore(path, now)
    log = restored.opened.log
    store = Store(log, restored.state, now)
    account = next(iter(store.state.accounts.by_id.values()))
    actor = Actor(account.id, "submission", HOST)
    body = received(MAIL)
    envelope = {"peer": HOST, "helo": "client.test", "from": f"user0@{DOMAIN}", "esmtp": "ESMTPSA"}
    for number in range(messages):
        recipient = f"recipient{number}@domain{number % max(messages // 10, 1)}.test"
        prefix = b"Received: from client.test ([127.0.0.1]) by mail.example.test with ESMTPSA id %016x\r\n" % number
        mail = Outgoing(account.id, f"user0@{DOMAIN}", [recipient], prefix, envelope=envelope)
        deliver(store, actor, body, [], mail, via="submission", message_id=f"{number}@{DOMAIN}")
        if number % BATCH == BATCH - 1:
            log.commit()
    log.commit()
    log.close()


@contextlib.contextmanager
def _nameless() -> Iterator[str]:
    """A DNS server that does not answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((HOST, 0))
        yield f"{HOST}:{silent.getsockname()[1]}"


def _resident(pid: int, kind: str) -> int:
    """Octets of memory a process holds (VmRSS), or has held at most (VmHWM)."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(lines[kind].split()[0]) * 1024


ROWS = (
    Row("queue-memory", "memory of a queue of 100,000 recipients at 10,000 domains", "MB", queue_memory, limit=100,
        crockery_only=True),
    Row("queue-step", "the scheduler's step with that queue, all but one in 1,000", "ms", queue_step, limit=1,
        crockery_only=True),
)  # fmt: skip

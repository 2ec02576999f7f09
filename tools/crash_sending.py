"""Kills the server while mail is leaving, again and again: `python -m tools.crash_sending --rounds 300`.

Each round starts `crockery run`, submits mail that goes on to a sink over verified TLS, and sends SIGKILL at a random
moment; a batch of 1,000 mails goes on so until all are acknowledged and the queue is empty. Then each acknowledged
mail must have arrived, more than once only if the log tells of as many attempts whose answer nobody knows; mail that
was not acknowledged is either in the log and has arrived, or neither; nobody was told of a failure.
"""

import collections
import itertools
import json
import os
import random
import re
import smtplib
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from crockery.app.options import wall_clock
from crockery.events.opening import open_log
from crockery.events.types import EventType
from crockery.events.types.queue import ATTEMPT_BEGUN, MESSAGE_QUEUED, RECIPIENTS_ATTEMPTED
from crockery.projections.state import State
from tools.bench.sink import DOMAIN, Sink, running_sink
from tools.crash import LOST, PASSWORD, TIMEOUT, Wrong, crockery, free_offset, main, make_log, running

MAILS: Final = 1000  # of a batch
SESSIONS: Final = 4
PAUSE: Final = 0.02  # seconds at most between the final dot and the sink's answer
LIFE: Final = 0.6  # seconds at most from the start to the kill


@dataclass(slots=True)
class Submitted:
    """What the sessions know; shared by their threads."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    numbers: Iterator[int] = field(default_factory=itertools.count)
    tried: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Told:
    """What the log tells of mail on its way out, by recipient; each recipient has one mail."""

    queued: collections.Counter[str] = field(default_factory=collections.Counter)
    begun: collections.Counter[str] = field(default_factory=collections.Counter)
    """Attempts that came as far as the content."""
    unknown: collections.Counter[str] = field(default_factory=collections.Counter)
    """Those whose answer nobody knows."""
    state: State = field(default_factory=State)
    _open: dict[int, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, log: Path) -> "Told":
        """Of the log of a server that does not run."""
        told = cls()
        open_log(log, told.apply, wall_clock).log.close()
        told.end()
        return told

    def end(self) -> None:
        """All is applied: what has begun has no end."""
        for recipients in self._open.values():
            self.unknown.update(recipients)

    def apply(self, number: int, time: int, kind: EventType, facts: Mapping[str, Any]) -> None:
        """The next event."""
        self.state.apply(number, time, kind, facts)
        if kind is MESSAGE_QUEUED:
            self.queued.update(facts["recipients"])
        elif kind is ATTEMPT_BEGUN:
            self.begun.update(facts["recipients"])
            self._open[number] = facts["recipients"]
        elif kind is RECIPIENTS_ATTEMPTED:
            self._open.pop(facts.get("attempt", 0), None)
            for outcome in facts["outcomes"]:
                if outcome.get("why") == "uncertain":
                    self.unknown.update(outcome["recipients"])


def check(submitted: Submitted, arrived: collections.Counter[str], told: Told) -> int:
    """Raise Wrong unless all that was acknowledged has arrived, and twice only what may have; how many did."""
    if lost := submitted.acknowledged - told.queued.keys():
        raise Wrong(f"acknowledged and not in the log: {sorted(lost)}")
    if lost := told.queued.keys() - arrived.keys():
        raise Wrong(f"in the log and never sent: {sorted(lost)}")
    if unknown := arrived.keys() - told.queued.keys():
        raise Wrong(f"sent and not in the log: {sorted(unknown)}")
    for recipient, times in arrived.items():
        if times > 1 + told.unknown[recipient]:
            raise Wrong(f"{recipient} has it {times} times; {told.unknown[recipient]} answers are unknown")
    state = told.state
    if state.queue.by_id:
        raise Wrong(f"still in the queue: {sorted(state.queue.by_id)}")
    if state.queue.possible_duplicates != told.unknown.total():
        raise Wrong(f"{told.unknown.total()} answers are unknown, counted are {state.queue.possible_duplicates}")
    if mails := sum(len(box) for box in state.mailboxes.by_id.values()):
        raise Wrong(f"{mails} mails to the senders, though all went well")
    return sum(arrived.values()) - len(arrived)


def submit(offset: int, submitted: Submitted, wanted: int) -> None:
    """One session: mails until so many are acknowledged, each to a recipient of its own."""
    with smtplib.SMTP("127.0.0.1", 587 + offset, timeout=TIMEOUT) as client:
        client.login("anna", PASSWORD)
        while len(submitted.acknowledged) < wanted:
            with submitted.lock:
                recipient = f"m{next(submitted.numbers)}@{DOMAIN}"
                submitted.tried.add(recipient)
            text = f"From: anna@example.test\r\nTo: {recipient}\r\nSubject: crash\r\n\r\n{'Hello. ' * 300}\r\n"
            client.sendmail("anna@example.test", [recipient], text)
            with submitted.lock:
                submitted.acknowledged.add(recipient)


def live(log: Path, offset: int, sink: Sink, submitted: Submitted, wanted: int, seconds: float | None) -> None:
    """Run the server and submit; kill it after `seconds`, or, with None, stop it when its queue is empty."""
    options = ("--resolver", f"127.0.0.1:{sink.dns_port}", "--outbound-port", str(sink.port))
    wrong: list[Exception] = []
    is_killed = threading.Event()

    def session() -> None:
        try:
            submit(offset, submitted, wanted)
        except LOST as error:
            if not is_killed.is_set():
                wrong.append(error)

    with running(log, offset, *options) as (server, _):
        threads = [threading.Thread(target=session) for _ in range(SESSIONS)]
        for thread in threads:
            thread.start()
        if seconds is None:
            for thread in threads:
                thread.join()
            _await_empty_queue(log)
            server.terminate()
        else:
            time.sleep(seconds)
            is_killed.set()
            server.kill()
        server.wait()
        for thread in threads:
            thread.join()
    if wrong:
        raise Wrong(f"a session ended before the kill: {wrong[0]!r}")


def _await_empty_queue(log: Path) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        said = subprocess.run(crockery("queue", "list", "--json", "--log", log), capture_output=True, text=True)
        if said.returncode:
            raise Wrong(f"crockery queue list: {said.stderr}")
        if not json.loads(said.stdout)["items"]:
            return
    raise Wrong("the queue does not empty")


def run(
    rounds: int, seed: int, folder: Path, say: Callable[[str], None] = print, *, mails: int = MAILS
) -> tuple[int, int]:
    """Kill so often on a new log in `folder`; how many arrived twice, and may have. Raises Wrong."""
    rng = random.Random(seed)
    log, offset, submitted = folder / "crash.crk", free_offset(), Submitted()
    make_log(log)
    for name in ("max-mails-per-day", "max-new-recipients-per-day"):
        subprocess.run(crockery("change", name, "10000000", "--log", log), check=True, capture_output=True)
    kills = 0
    with running_sink(folder, PAUSE) as sink:
        os.environ["SSL_CERT_FILE"] = str(sink.ca)
        for batch in itertools.count(1):
            wanted = batch * mails
            while kills < rounds and (len(submitted.acknowledged) < wanted or sink.arrived.value < wanted):
                live(log, offset, sink, submitted, wanted, rng.uniform(0.02, LIFE))
                kills += 1
            live(log, offset, sink, submitted, wanted, None)
            if kills >= rounds:
                break
            say(f"{kills} kills: {len(submitted.acknowledged):,} mails acknowledged, {sink.arrived.value:,} arrived")
        arrived = collections.Counter(_recipient(mail) for mail in sink.mails())
    told = Told.of(log)
    twice = check(submitted, arrived, told)
    verified = subprocess.run(crockery("verify", log), capture_output=True, text=True)
    if verified.returncode:
        raise Wrong(f"crockery verify: {verified.stdout}{verified.stderr}")
    say(
        f"{kills} kills: {len(submitted.acknowledged):,} mails acknowledged, all arrived; {twice} came twice, of "
        f"{told.unknown.total()} attempts whose answer the log does not know; the queue is empty and nobody was told "
        "of a failure"
    )
    return twice, told.unknown.total()


def _recipient(mail: bytes) -> str:
    match = re.search(rb"^To: (\S+)\r$", mail, re.MULTILINE)
    if match is None:
        raise Wrong(f"a damaged mail arrived: {mail[:500]!r}")
    return match[1].decode()


if __name__ == "__main__":
    main(__doc__, run)

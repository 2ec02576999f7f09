"""Rounds of crashes: a log on a `SimFile` lives a few short lives, each ended by a kill, a power cut or a fault.

After each, the log is opened again and compared with what the round knows: all that was acknowledged is there, atoms
are whole, nothing is there twice or changed, every body reads as it was written unless it was erased. A round is told
by its seed alone.
"""

import itertools
import os
import random
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from crockery.events.body import FRAME_SIZE, StoredBody, compress_body
from crockery.events.catalog import Catalog
from crockery.events.errors import BodyUnreadable, LogFailed, LogFull
from crockery.events.facts import NAME, FactsReader, FactsWriter
from crockery.events.format import encode_header
from crockery.events.log import Log
from crockery.events.opening import open_file
from crockery.events.ranges import pack_numbers, unpack_numbers
from crockery.events.recover import beginning, read_header
from crockery.events.scan import Position
from crockery.events.types import Event, EventType
from crockery.events.types.mail import MESSAGE_RECEIVED
from crockery.events.types.server import BODIES_ERASED, BODY_PART, HISTORY_RESUMED, SETTING_CHANGED
from crockery.events.verify import verify_file
from tests.support.sim_file import Crashed, SimFile

PREFIX = b"Return-Path: <ben@example.test>\r\n"


class Raw(NamedTuple):
    """A body to store: what goes in, what is stored."""

    data: bytes
    stored: StoredBody


def _bodies() -> list[Raw]:
    rng = random.Random(1)
    sizes = (1, 300, 4000, 4096, 9000, 40_000, FRAME_SIZE + 5000)
    raws = [rng.randbytes(size) for size in sizes] + [b"all alike\r\n" * 3000, b""]
    return [Raw(raw, compress_body(raw)) for raw in raws]


BODIES = _bodies()


class Known(NamedTuple):
    """An event as the round knows it: number, type, decoded facts, body before compression."""

    number: int
    type: EventType
    facts: Mapping[str, Any]
    body: bytes | None


class Snapshot(NamedTuple):
    """What a snapshot would hold: a durable place, the catalog, and how many atoms were folded."""

    position: Position
    catalog: tuple[bytes, bytes]
    atoms: int


class Round:
    """One log, from its making to the last check."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.rng = random.Random(seed)
        self.folder = folder
        self.file = SimFile(self.rng)
        self.file.write([encode_header(self.rng.randbytes(16), 1, self.rng.randbytes(32))], 0)
        self.file.sync()
        self.history: list[list[Known]] = []
        """Atoms appended and not known to be lost."""
        self.acknowledged = 0
        """The greatest number that somebody was told of."""
        self.snapshot: Snapshot | None = None
        self.folded: list[tuple[int, EventType, Mapping[str, Any]]] = []
        self.to_erase: dict[int, list[int]] = {}
        """BodiesErased -> bodies it names, until both it is durable and they are overwritten."""
        self.clock = itertools.count(1_000_000).__next__
        self.crashes = 0
        self.facts: FactsWriter | None = None

    def run(self) -> int:
        """Live and check; returns how often the log was opened after a crash."""
        for _ in range(self.rng.randint(2, 5)):
            self.file.fuse = self.rng.randrange(40) if self.rng.random() < 0.8 else None
            try:
                self._live(self._open())
            except Crashed:
                self._cut()
            except LogFailed:
                self.file.kill()  # the process stops; the machine goes on, for now
            self.crashes += 1
        self.file.fuse = None
        log = self._open()
        log.commit()
        self._check_everything(log)
        if self.facts is not None:
            self.facts.close()
        return self.crashes

    def _cut(self) -> None:
        if self.rng.random() < 0.75:
            self.file.power_cut()
            self._damage_facts()
        else:
            self.file.kill()

    # Opening, and what must be there.

    def _open(self) -> Log:
        catalog = Catalog()
        start = None
        self.folded = []
        skipped = 0
        if self.snapshot is not None and self.rng.random() < 0.5:
            start, skipped = self.snapshot.position, self.snapshot.atoms
            catalog.load(*self.snapshot.catalog)
        facts = self._facts_reader()
        use = facts if start is None and self.rng.random() < 0.5 else None
        log = open_file(self.file, self._apply, self.clock, self.folder, start=start, catalog=catalog, facts=use).log
        self._follow(facts)
        self._check_history(log, skipped)
        self.acknowledged = log.head  # whoever looks now is told, since all is said to be durable
        assert log.durable == log.head
        self.to_erase = {}
        log.erase_bodies(sorted(self._erased()))  # a start repeats what may have been interrupted
        return log

    def _facts_reader(self) -> FactsReader:
        header = read_header(self.file)
        return FactsReader(self.folder / NAME, self.file, header, beginning(header))

    def _follow(self, reader: FactsReader) -> None:
        """The facts file goes on where what verifies of it ends."""
        for _ in reader.runs() if not reader.length else ():
            pass
        assert not reader.disagrees, "the facts file knows something that the log does not have"
        if self.facts is not None:
            self.facts.close()
        self.facts = FactsWriter(self.folder / NAME, self.file, read_header(self.file), reader)

    def _damage_facts(self) -> None:
        """It is never synced: a power cut leaves any part of it."""
        path = self.folder / NAME
        data = bytearray(path.read_bytes() if path.exists() else b"")
        if data and self.rng.random() < 0.7:
            del data[self.rng.randrange(len(data)) :]
            at = self.rng.randrange(len(data) + 1)
            data[at : at + 500] = bytes(len(data[at : at + 500]))
            path.write_bytes(data)

    def _apply(self, number: int, time: int, kind: EventType, facts: Mapping[str, Any]) -> None:
        self.folded.append((number, kind, facts))

    def _check_history(self, log: Log, skipped: int) -> None:
        """What was folded is a run of whole atoms, and has all that was acknowledged; forget the others."""
        kept = skipped
        at = 0
        for atom in self.history[skipped:]:
            if at == len(self.folded):
                break
            assert self.folded[at : at + len(atom)] == [(e.number, e.type, e.facts) for e in atom]
            at += len(atom)
            kept += 1
        assert at == len(self.folded), "something is there that was never appended"
        del self.history[kept:]
        assert log.head == self._last() >= self.acknowledged, "an acknowledged event is lost"

    def _last(self) -> int:
        return self.history[-1][-1].number if self.history else 0

    def _erased(self) -> set[int]:
        names: set[int] = set()
        for event in itertools.chain.from_iterable(self.history):
            if event.type is BODIES_ERASED:
                names.update(unpack_numbers(event.facts["numbers"]).tolist())
        return names

    def _check_everything(self, log: Log) -> None:
        for event in itertools.chain.from_iterable(self.history):
            if event.type in (MESSAGE_RECEIVED, BODY_PART):
                self._check_body(log, event)
        report = verify_file(self.file)
        assert report.sentences() and not report.findings and not report.tail, report.sentences()
        assert (report.events, report.last) == (sum(map(len, self.history)), self._last())

    def _check_body(self, log: Log, event: Known) -> None:
        erased = self._erased()
        bodies = {event.number, event.facts.get("body_of", 0), *event.facts.get("parts", ())}
        if bodies & erased:
            try:
                log.read_message(event.number)
            except BodyUnreadable as error:
                assert error.reason == "erased"
            else:
                raise AssertionError(f"the body of {event.number} was erased and can be read")
        else:
            assert b"".join(log.read_message(event.number)) == event.facts.get("prefix", b"") + (event.body or b"")

    # Living.

    def _live(self, log: Log) -> None:
        for _ in range(self.rng.randrange(30)):
            step = self.rng.random()
            if step < 0.6:
                self._append(log)
            elif step < 0.9:
                self._commit(log)
            elif step < 0.93:
                self.file.faults = self.rng.choice((["no room"], ["no room", "no room"], ["write"], ["sync"]))
            elif step < 0.96:
                position, catalog = log.durable_position, log.catalog
                if log.durable == log.head:
                    self.snapshot = Snapshot(position, catalog.dump(), len(self.history))
            else:
                self.file.room = not self.file.room
        self._cut()

    def _append(self, log: Log) -> None:
        events, bodies = self._atom(log.head + 1)
        jump = 0
        if self.rng.random() < 0.03:
            jump = 1 << 40
            events, bodies = [Event(HISTORY_RESUMED, {"reason": "", "jump": jump, "uid_jump": 1})], [None]
        folded, head = len(self.folded), log.head
        try:
            first = log.append(events, jump=jump)
        except LogFull:
            assert (len(self.folded), log.head) == (folded, head), "a refused append has left something"
            assert log.stalled or not self.file.room
            return
        assert first == head + 1 + jump
        decoded = [facts for _, _, facts in self.folded[folded:]]
        kinds = [event.type for event in events]
        self.history.append(
            [Known(first + i, *known) for i, known in enumerate(zip(kinds, decoded, bodies, strict=True))]
        )
        for event in self.history[-1]:
            if event.type is BODIES_ERASED:
                self.to_erase[event.number] = unpack_numbers(event.facts["numbers"]).tolist()

    def _atom(self, first: int) -> tuple[list[Event], list[bytes | None]]:
        rng = self.rng
        kind = rng.choice(("message", "message", "shared", "parts", "facts", "erase"))
        if kind == "facts":
            number = rng.randint(1, 4)
            return [self._setting() for _ in range(number)], [None] * number
        if kind == "erase":
            names = [
                e.number for atom in self.history for e in atom if e.type is MESSAGE_RECEIVED and "frames" in e.facts
            ]
            names += [e.number for atom in self.history for e in atom if e.type is BODY_PART or e.body]
            if names:
                chosen = np.array(sorted(rng.sample(names, rng.randint(1, min(3, len(names))))))
                return [Event(BODIES_ERASED, {"numbers": pack_numbers(chosen), "why": "test"})], [None]
        body = rng.choice(BODIES)
        if kind == "parts":
            rest = rng.choice(BODIES)
            message = {**self._message(len(body.data) + len(rest.data)), "parts": [first, first + 1]}
            parts = [
                Event(BODY_PART, {"size": b.stored.size, "frames": list(b.stored.frames)}, b.stored)
                for b in (body, rest)
            ]
            return [*parts, Event(MESSAGE_RECEIVED, message)], [body.data, rest.data, body.data + rest.data]
        events = [Event(MESSAGE_RECEIVED, {**self._message(0), **body.stored.facts()}, body.stored)]
        bodies: list[bytes | None] = [body.data]
        if kind == "shared":
            events.append(Event(MESSAGE_RECEIVED, {**self._message(len(body.data)), "body_of": first}))
            bodies.append(body.data)
        return events, bodies

    def _message(self, size: int) -> dict[str, Any]:
        return {"by": 0, "mailbox": 1, "uid": 1, "flags": [], "date": 1, "prefix": PREFIX, "size": size, "via": "smtp"}

    def _setting(self) -> Event:
        value = "x" * self.rng.choice((0, 10, 1000, 5000))
        return Event(SETTING_CHANGED, {"by": 0, "name": "domain", "value": value, "old": None})

    def _commit(self, log: Log) -> None:
        """What `Writer` does, with appends and a change of mind in between."""
        batch = log.take_batch()
        if batch is None:
            return
        if self.rng.random() < 0.5:
            self._append(log)
        try:
            while not log.write_batch(batch):
                log.cut_back(batch)
                self._append(log)
        except OSError as error:
            raise LogFailed(str(error)) from error
        log.batch_done(batch)
        if self.facts is not None and self.rng.random() < 0.5:
            self.facts.catch_up(log.durable_position.offset)
        self.acknowledged = max(self.acknowledged, log.durable)
        if all(number <= log.durable for number in self.to_erase):
            names = [name for names in self.to_erase.values() for name in names]
            self.to_erase = {}
            log.erase_bodies(names)


def run_rounds(first: int, rounds: int) -> int:
    """Run rounds of these seeds; returns how many crashes there were. A failure names its seed."""
    memory = Path("/dev/shm")
    crashes = 0
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        for seed in range(first, first + rounds):
            try:
                crashes += Round(seed, Path(folder) / str(seed)).run()
            except Exception as error:
                raise AssertionError(f"crash round {seed}: {error!r}") from error
    return crashes

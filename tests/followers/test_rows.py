"""Rows made by a worker: they are those that this process would make, whatever happens to it."""

import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import trio

from crockery.actions.incoming import IncomingBody
from crockery.actions.mail import Delivery, deliver
from crockery.actions.mailboxes import create_mailbox
from crockery.followers.rebuilding import message_numbers
from crockery.followers.rows import RowFollower
from crockery.projections.text import in_text
from tests.support.rows import Rows
from tests.support.store import TestStore
from tests.support.waiting import until

MAILS = [b"Subject: %d\r\n\r\nword %d\r\n" % (number, number) for number in range(200)]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crockery.followers.timing.ROWS_AGE", 0)


@pytest.fixture
def store(tmp_path: Path) -> TestStore:
    return TestStore(tmp_path / "log.crk")


def append(store: TestStore, mails: list[bytes]) -> list[int]:
    anna = store.account()
    numbers = [store.append(anna, mail) for mail in mails]
    store.commit()
    return numbers


@asynccontextmanager
async def following(store: TestStore) -> AsyncIterator[RowFollower]:
    rows = Rows(store)
    follower = RowFollower(store.path, store.log, rows.structures, rows.texts)
    follower.files.resume(message_numbers(store.store.state))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(follower.run)
        yield follower
        nursery.cancel_scope.cancel()


def child_of(follower: RowFollower) -> int:
    assert follower._worker is not None
    return follower._worker._child.process_id


def files_of(store: TestStore) -> dict[str, bytes]:
    names = ("structure", "text-fields", "text-headers", "text-bodies")
    return {path.name: path.read_bytes() for name in names for path in store.folder.glob(name + "*")}


async def test_a_worker_makes_what_this_process_makes(store: TestStore, tmp_path: Path) -> None:
    """Of mails that are one record, two recipients' and in parts; in several batches."""
    anna = store.account()
    create_mailbox(store.store, anna, anna.account, "other")
    other = store.store.state.mailboxes.find(anna.account, "other")
    assert other is not None
    large = IncomingBody(store.store)
    large.write(b"Subject: large\r\n\r\n" + b"line\r\n" * 600_000)
    bodies = large.finish()
    assert len(bodies.parts) > 1
    deliver(store.store, anna, bodies, [Delivery(store.inbox(anna), b"To: a\r\n"), Delivery(other, b"")], via="append")
    for mail in MAILS:
        store.append(anna, mail)
    store.commit()
    numbers = message_numbers(store.store.state).tolist()
    async with following(store) as follower:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("crockery.projections.rows.parse_structure", None)  # nothing is parsed here
            await until(lambda: not follower.files.backlog)
        made, files = follower.files.begun, files_of(store)
    rows = Rows(store)
    rows.files.clear()
    rows.make(numbers)
    assert rows.files.begun == made
    assert files_of(store) == files
    (question,) = in_text("line", headers=False)
    runs = list(rows.texts.runs(question, np.array(numbers, dtype=np.uint64)))
    assert [n for run in runs for n in rows.texts.scan(question, run).hits.tolist()] == numbers[:2]


async def test_a_worker_ends_with_who_started_it(store: TestStore) -> None:
    append(store, MAILS[:1])
    async with following(store) as follower:
        await until(lambda: not follower.files.backlog)
        worker = follower._worker
        assert worker is not None
        process = worker._child._process
        assert process.stdin is not None
        await process.stdin.aclose()  # as when this process is killed
        assert await process.wait() == 0


async def test_a_worker_goes_on_with_what_gathered(store: TestStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crockery.followers.rows.ROWS_IDLE", 0.01)
    anna = store.account()
    numbers = []
    async with following(store) as follower:
        for mail in MAILS[:3]:
            numbers.append(store.append(anna, mail))
            store.commit()
            follower.follow(numbers[-1:])
            await until(lambda: not follower.files.backlog)
            await until(lambda: follower._worker is None)
        assert list(follower.files.begun.structure.rows) == numbers
        assert all(list(area.rows) == numbers for area in follower.files.begun.texts)


async def test_a_worker_that_is_killed_is_replaced(store: TestStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crockery.followers.rows.ROWS_BATCH", 4)
    numbers = append(store, MAILS)
    async with following(store) as follower:
        for _ in range(3):
            await until(lambda: follower._worker is not None)
            os.kill(child_of(follower), signal.SIGKILL)
            before = follower.files.backlog
            await until(lambda: follower.files.backlog < before)  # noqa: B023
        await until(lambda: not follower.files.backlog)
        made = follower.files.begun
    rows = Rows(store)
    rows.files.clear()
    rows.make(numbers)
    assert rows.files.begun == made


BAD_WORKER = """#!{python}
import os, sys
from crockery.followers import child
from crockery.projections import rows
child.ROWS_TIME = 1
parse = rows.parse_structure
def parse_or_die(data):
    if b"die" in data:
        os.abort()
    while b"spin" in data:
        pass
    if b"eat" in data:
        bytearray(child.ROWS_MEMORY)
    if b"write" in data:
        open({path!r}, "wb", buffering=0).write(b"x" * 10)
    return parse(data)
rows.parse_structure = parse_or_die
sys.exit(child.main(sys.argv[3:]))
"""


@pytest.mark.parametrize("what", ["die", "spin", "eat", "write"])
async def test_a_message_that_defeats_it_has_no_row(
    store: TestStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    caplog.set_level(logging.WARNING)
    program, written = tmp_path / "python", tmp_path / "written"
    program.write_text(BAD_WORKER.format(python=sys.executable, path=str(written)))
    program.chmod(0o700)
    numbers = append(store, [*MAILS[:3], b"Subject: x\r\n\r\n" + what.encode(), *MAILS[3:6]])
    monkeypatch.setattr(sys, "executable", str(program))
    async with following(store) as follower:
        await until(lambda: not follower.files.backlog)
        rows = follower.files.begun
    good = [*numbers[:3], *numbers[4:]]
    assert list(rows.structure.rows) == good
    assert all(list(area.rows) == good for area in rows.texts)
    assert not written.exists() or written.stat().st_size == 0
    assert (f"message {numbers[3]} " in caplog.text) == (what in ("die", "spin"))


async def test_what_is_erased_meanwhile_is_not_kept(store: TestStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what the worker has in hand nor what it gathered."""
    monkeypatch.setattr("crockery.followers.rows.ROWS_BATCH", 10)
    numbers = append(store, MAILS[:60])
    async with following(store) as follower:
        await until(lambda: follower.files.begun.structure.rows)
        gone = {*follower.files.begun.structure.rows, numbers[-1]}
        store.log.catalog.erase(gone)
        follower.erase(sorted(gone))
        await until(lambda: not follower.files.backlog)
        rows = follower.files.begun
    left = [number for number in numbers if number not in gone]
    assert sorted(set(rows.structure.rows)) == left
    assert all(sorted(area.rows) == left for area in rows.texts)


async def test_without_a_worker_that_starts_it_says_so(store: TestStore, monkeypatch: pytest.MonkeyPatch) -> None:
    append(store, MAILS[:1])
    monkeypatch.setattr(sys, "executable", "/bin/false")
    rows = Rows(store)
    follower = RowFollower(store.path, store.log, rows.structures, rows.texts)
    follower.files.resume(message_numbers(store.store.state))
    with pytest.raises(OSError, match="status 1"):
        await follower.run()

"""Erasing: what, when, in which order, and again after a crash."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import trio
from trio.testing import MockClock

from crockery.actions.accounts import add_account, add_app_password, remove_account, remove_app_password, set_password
from crockery.actions.actor import the_server
from crockery.actions.erase import note_erased, retention_ended
from crockery.actions.incoming import IncomingBody
from crockery.actions.mail import Delivery, copy_messages, deliver, expunge, store_flags
from crockery.actions.server import NewCertificate, install_certificate, stop
from crockery.app.eraser import Eraser
from crockery.events.errors import BodyUnreadable
from crockery.events.file import OSFile
from crockery.events.writer import Writer
from crockery.net.clock import ClockWatch
from crockery.net.passwords import app_password_secret, new_app_password
from crockery.projections.mailboxes import Mailbox
from tests.support.store import TestStore
from tests.support.waiting import until

DAY = 86400 * 1_000_000
TEXT = b"Subject: secret plans\r\n\r\nnobody must know xyzzy-plugh\r\n"


class Erasing:
    """A store with anna and ben, a writer that runs, and an eraser that is asked by hand."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.kept = TestStore(path)
        self.writer = Writer(self.kept.log)
        self.is_proven = True
        self.anna = add_account(self.kept.store, the_server(), "anna", "$old$")
        self.ben = add_account(self.kept.store, the_server(), "ben")

    def inbox(self, account: int) -> Mailbox:
        found = self.kept.store.state.mailboxes.find(account, "INBOX")
        assert found is not None
        return found

    def deliver(self, *accounts: int, body: bytes = TEXT) -> list[int]:
        """Deliver to these; returns the message numbers."""
        boxes = [self.inbox(account) for account in accounts]
        incoming = IncomingBody(self.kept.store)
        incoming.write(body)
        deliver(
            self.kept.store, the_server(), incoming.finish(), [Delivery(box, b"X: 1\r\n") for box in boxes], via="smtp"
        )
        return [int(box.columns.number[-1]) for box in boxes]

    def delete(self, account: int) -> None:
        """Expunge all of the account's INBOX."""
        box = self.inbox(account)
        store_flags(self.kept.store, the_server(), box, box.columns.uid, "+", ["\\Deleted"])
        expunge(self.kept.store, the_server(), box)

    def eraser(self) -> Eraser:
        erasing = self

        class Clock(ClockWatch):
            def __init__(self) -> None: ...

            @property
            def is_proven(self) -> bool:
                return erasing.is_proven

        return Eraser(self.kept.store, self.writer, Clock())

    async def erase(self) -> None:
        await self.eraser().work()

    def later(self, days: float) -> None:
        self.kept.clock.time += int(days * DAY)

    def readable(self, number: int) -> bool:
        try:
            self.kept.log.read_message(number)
        except BodyUnreadable as error:
            assert error.reason == "erased"
            return False
        return True

    def raw(self) -> bytes:
        return self.path.read_bytes()

    def stored(self, number: int) -> bytes:
        """The octets of the body as they are in the file."""
        return self.kept.log.read_record(number)[2]


@asynccontextmanager
async def _erasing(path: Path) -> AsyncIterator[Erasing]:
    erasing = Erasing(path)
    async with trio.open_nursery() as nursery:
        await nursery.start(erasing.writer.run)
        yield erasing
        nursery.cancel_scope.cancel()
    erasing.kept.close()


async def test_deleted_mail_is_erased_when_its_retention_ends(tmp_path: Path) -> None:
    async with _erasing(tmp_path / "test.crk") as it:
        (number,) = it.deliver(it.anna.id)
        await it.writer.wait_durable(it.kept.log.head)
        stored = it.stored(number)
        assert stored in it.raw()
        it.delete(it.anna.id)
        it.later(29.9)
        await it.erase()
        assert it.readable(number)
        it.later(0.2)
        await it.erase()
        assert not it.readable(number)
        assert stored not in it.raw()
        assert number not in it.kept.store.state.retention.orphaned
        head = it.kept.log.head
        await it.erase()
        assert it.kept.log.head == head, "it is not said twice"


async def test_nothing_due_by_time_is_erased_while_the_clock_is_unproven(tmp_path: Path) -> None:
    async with _erasing(tmp_path / "test.crk") as it:
        (number,) = it.deliver(it.anna.id)
        it.delete(it.anna.id)
        it.later(1000)
        it.is_proven = False
        await it.erase()
        assert it.readable(number)
        it.is_proven = True
        await it.erase()
        assert not it.readable(number)


async def test_a_shared_body_goes_with_its_last_sharer(tmp_path: Path) -> None:
    async with _erasing(tmp_path / "test.crk") as it:
        first, second = it.deliver(it.anna.id, it.ben.id)
        await it.writer.wait_durable(it.kept.log.head)
        stored = it.stored(first)
        it.delete(it.anna.id)
        it.later(31)
        await it.erase()
        assert it.kept.log.read_message(second)[1] == TEXT
        it.delete(it.ben.id)
        it.later(20)
        await it.erase()
        assert it.readable(second), "ben may bring his back still"
        it.later(11)
        await it.erase()
        assert not it.readable(first) and not it.readable(second)
        assert stored not in it.raw()
        retention = it.kept.store.state.retention
        assert not retention.orphaned and not retention.body_of and not retention.sharers


async def test_a_copy_keeps_the_body(tmp_path: Path) -> None:
    async with _erasing(tmp_path / "test.crk") as it:
        (number,) = it.deliver(it.anna.id)
        archive = it.kept.store.state.mailboxes.find(it.anna.id, "Archive")
        assert archive is not None
        inbox = it.inbox(it.anna.id)
        copy_messages(it.kept.store, the_server(), inbox, inbox.columns.uid, archive)
        it.delete(it.anna.id)
        it.later(40)
        await it.erase()
        assert it.readable(number)


async def test_copies_in_one_mailbox_go_together(tmp_path: Path) -> None:
    async with _erasing(tmp_path / "test.crk") as it:
        (number,) = it.deliver(it.anna.id)
        inbox = it.inbox(it.anna.id)
        copy_messages(it.kept.store, the_server(), inbox, inbox.columns.uid, inbox)
        it.delete(it.anna.id)
        it.later(31)
        await it.erase()
        assert not it.readable(number)


async def test_large_bodies_go_with_their_parts(tmp_path: Path) -> None:
    async with _erasing(tmp_path / "test.crk") as it:
        body = np.random.default_rng(1).bytes(3_000_000)
        (number,) = it.deliver(it.anna.id, body=body)
        parts = it.kept.store.state.retention.parts[number]
        assert it.kept.log.read_message(number)[1] == body
        it.delete(it.anna.id)
        it.later(31)
        await it.erase()
        assert not it.readable(number)
        for part in parts:
            with pytest.raises(BodyUnreadable, match="erased"):
                it.kept.log.read_body(part)
        assert body[:1000] not in it.raw()


async def test_replaced_secrets_go_at_once(tmp_path: Path) -> None:
    async with _erasing(tmp_path / "test.crk") as it:
        store, server = it.kept.store, the_server()
        numbers = [it.anna.password]
        set_password(store, server, "anna", "$new$")
        numbers.append(add_app_password(store, server, "anna", "phone", app_password_secret(new_app_password())).id)
        remove_app_password(store, server, "anna", "phone")
        certificate = NewCertificate("acme", ["a.example"], 1, "f", b"PEM")
        numbers.append(install_certificate(store, certificate))
        last = install_certificate(store, certificate)
        it.is_proven = False
        await it.erase()
        for number in numbers:
            with pytest.raises(BodyUnreadable, match="erased"):
                it.kept.log.read_body(number)
        assert it.kept.log.read_body(last) == b"PEM"
        assert it.kept.log.read_body(it.anna.password) == b"$new$"
        password = it.anna.password
        remove_account(store, server, "anna")
        await it.erase()
        with pytest.raises(BodyUnreadable, match="erased"):
            it.kept.log.read_body(password)


async def test_a_removed_account_leaves_nothing_behind(tmp_path: Path) -> None:
    async with _erasing(tmp_path / "test.crk") as it:
        first, second = it.deliver(it.anna.id, it.ben.id)
        (own,) = it.deliver(it.anna.id)
        inbox = it.inbox(it.anna.id)
        archive = it.kept.store.state.mailboxes.find(it.anna.id, "Archive")
        assert archive is not None
        copy_messages(it.kept.store, the_server(), inbox, inbox.columns.uid, archive)
        remove_account(it.kept.store, the_server(), "anna")
        it.later(31)
        await it.erase()
        assert not it.readable(own)
        assert it.kept.log.read_message(second)[1] == TEXT
        assert first in it.kept.store.state.retention.orphaned, "it waits for ben's"


async def test_parts_of_messages_that_never_came_are_erased_at_start(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with _erasing(tmp_path / "test.crk") as it:
        incoming = IncomingBody(it.kept.store)
        incoming.write(np.random.default_rng(1).bytes(1_500_000))
        (part,) = it.kept.store.state.retention.unreferenced_parts
        eraser = it.eraser()
        coming = IncomingBody(it.kept.store)  # one that is coming in while the server runs
        coming.write(np.random.default_rng(2).bytes(1_500_000))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(eraser.run)
            await trio.sleep(1)
            nursery.cancel_scope.cancel()
        with pytest.raises(BodyUnreadable, match="erased"):
            it.kept.log.read_body(part)
        assert len(it.kept.store.state.retention.unreferenced_parts) == 1


async def test_an_interrupted_erasure_is_done_again(tmp_path: Path) -> None:
    path = tmp_path / "test.crk"
    async with _erasing(path) as it:
        (number,) = it.deliver(it.anna.id)
        await it.writer.wait_durable(it.kept.log.head)
        stored = it.stored(number)
        it.delete(it.anna.id)
        it.later(31)
        due = retention_ended(it.kept.store, it.kept.clock())
        note_erased(it.kept.store, due, "retention ended")
    assert stored in path.read_bytes()  # said, but a crash came before the zeros
    kept = TestStore(path)
    writer = Writer(kept.log)
    eraser = Eraser(kept.store, writer, ClockWatch(kept.clock, 0))
    async with trio.open_nursery() as nursery:
        await nursery.start(writer.run)
        nursery.start_soon(eraser.run)
        await until(lambda: stored not in path.read_bytes())
        stop(kept.store)
        await writer.wait_durable(kept.log.head)
        nursery.cancel_scope.cancel()
    assert not kept.store.state.retention.unfinished
    kept.reopen()
    assert not kept.store.state.retention.unfinished
    kept.close()


async def test_nothing_is_overwritten_before_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with _erasing(tmp_path / "test.crk") as it:
        it.deliver(it.anna.id)
        it.delete(it.anna.id)
        it.later(31)
        durable_at_erase = []
        erase = OSFile.erase

        def watched(self: OSFile, offset: int, length: int) -> None:
            durable_at_erase.append((it.kept.log.durable, it.kept.store.state.sequence))
            erase(self, offset, length)

        monkeypatch.setattr(OSFile, "erase", watched)
        await it.erase()
        ((durable, head),) = durable_at_erase
        assert durable == head


async def test_many_are_erased_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crockery.actions.erase.ERASE_BATCH", 7)
    async with _erasing(tmp_path / "test.crk") as it:
        numbers = [it.deliver(it.anna.id)[0] for _ in range(20)]
        it.delete(it.anna.id)
        it.later(31)
        await it.erase()
        assert not any(it.readable(number) for number in numbers)

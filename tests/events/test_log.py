"""Appending and reading: atoms, numbers, room on the disk, bodies whole and in part."""

import errno
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crockery.events.body import FRAME_SIZE, BodyWriter
from crockery.events.errors import BodyUnreadable, LogFailed, LogFull
from crockery.events.format import MAX_FACTS
from crockery.events.log import Log
from crockery.events.opening import create_log, open_log
from crockery.events.ranges import pack_numbers
from crockery.events.scan import Reader, resynchronise
from crockery.events.types import Event, EventType
from crockery.events.types.mail import MESSAGE_RECEIVED
from crockery.events.types.server import BODIES_ERASED, BODY_PART, HISTORY_RESUMED
from tests.support.logs import PREFIX, Folded, message, new_file, reopen, setting, stored_message, ticking, write
from tests.support.sim_file import SimFile


def broken_apply(number: int, time: int, kind: EventType, facts: Mapping[str, Any]) -> None:
    """A projection with a defect."""
    raise KeyError(number)


@pytest.fixture
def file() -> SimFile:
    return new_file()


@pytest.fixture
def folded() -> Folded:
    return []


@pytest.fixture
def log(file: SimFile, folded: Folded, tmp_path: Path) -> Log:
    return reopen(file, tmp_path / "d", folded).log


def test_numbers_go_on_and_decoded_facts_are_applied_at_once(log: Log, folded: Folded) -> None:
    assert log.append([setting("a"), setting("b")]) == 1
    assert log.append([setting("c")]) == 3
    assert [(number, facts["value"]) for number, _, facts in folded] == [(1, "a"), (2, "b"), (3, "c")]
    assert (log.head, log.durable) == (3, 0)
    log.commit()
    assert log.durable == 3


def test_what_is_applied_is_what_a_reader_will_see(log: Log, folded: Folded, file: SimFile, tmp_path: Path) -> None:
    write(log, [stored_message(None, flags=("\\Seen",), size=0, parts=(1, 2))])
    assert folded[0][2]["flags"] == ["\\Seen"], "tuples become lists, as after a replay"
    again: Folded = []
    reopen(file, tmp_path / "d", again)
    assert again == folded


def test_numbers_jump_when_history_goes_on(log: Log, file: SimFile, tmp_path: Path) -> None:
    write(log, [setting()])
    resumed = Event(HISTORY_RESUMED, {"reason": "", "jump": 1000, "uid_jump": 1})
    assert log.append([resumed, setting()], jump=1000) == 1002
    assert log.append([setting()]) == 1004
    log.commit()
    opened = reopen(file, tmp_path / "d")
    assert (opened.log.head, opened.recovered.events, opened.log.append([setting()])) == (1004, 4, 1005)


def test_failing_apply_fails_the_log_before_anything_is_queued(file: SimFile, log: Log, folded: Folded) -> None:
    write(log, [setting()])
    woken = []
    log.on_append = lambda: woken.append(True)
    log._apply = broken_apply
    size = file.size()
    with pytest.raises(LogFailed, match="defect"):
        log.append([setting()])
    assert woken, "the writer must be told, to stop the process"
    assert log.take_batch() is None and log.head == 1 and file.size() == size
    with pytest.raises(LogFailed):
        log.append([setting()])


@pytest.mark.parametrize(
    ("event", "error"),
    [
        (setting("\ud800"), UnicodeEncodeError),
        (setting("x" * (MAX_FACTS + 1)), ValueError),
        (Event(MESSAGE_RECEIVED, {"uid": 1 << 70}), OverflowError),
    ],
    ids=["surrogate", "too long", "too large a number"],
)
def test_facts_that_cannot_be_written_leave_nothing(log: Log, folded: Folded, event: Event, error: Any) -> None:
    with pytest.raises(error):
        log.append([setting(), event])
    assert not folded and log.take_batch() is None and log.head == 0
    assert log.append([setting()]) == 1


class Room(SimFile):
    """A disk that has room up to an offset."""

    limit = 10**9

    def reserve(self, end: int) -> bool:
        return end <= self.limit


def test_bodies_are_refused_before_facts_are(tmp_path: Path) -> None:
    file = new_file()
    file.__class__ = Room
    assert isinstance(file, Room)
    log = reopen(file, tmp_path / "d").log
    file.limit = log.end + log._reserve // 2
    with pytest.raises(LogFull, match="the disk is full: new mail is refused"):
        log.append([message()])
    assert log.head == 0
    assert log.append([setting()]) == 1, "deleting still works"
    file.limit = log.end
    with pytest.raises(LogFull):
        log.append([setting()])
    assert log.head == 1
    file.limit = 10**9
    assert log.append([message()]) == 2


def test_full_disk_in_a_write_is_cut_back_held_and_tried_again(file: SimFile, log: Log, folded: Folded) -> None:
    write(log, [setting()])
    end = file.size()
    log.append([message()])
    batch = log.take_batch()
    assert batch is not None
    file.faults = ["no room"]
    assert not log.write_batch(batch)
    log.cut_back(batch)
    assert file.size() == end, "nothing of it stays"
    before = len(folded)
    for event in (setting(), message()):
        with pytest.raises(LogFull, match="the disk is full"):
            log.append([event])
    assert len(folded) == before and log.durable == 1
    assert log.read_message(2)[0] == PREFIX, "what waits can be read"
    assert log.write_batch(batch)
    log.batch_done(batch)
    assert log.durable == 2 and log.append([setting()]) == 3


def test_commit_on_a_full_disk_can_be_repeated(file: SimFile, log: Log) -> None:
    log.append([setting()])
    file.faults = ["no room"]
    with pytest.raises(LogFull, match="make room"):
        log.commit()
    log.commit()
    assert log.durable == 1


@pytest.mark.parametrize("fault", ["write", "sync"])
def test_commit_after_a_failed_write_or_sync_is_final(file: SimFile, log: Log, fault: str) -> None:
    log.append([setting()])
    file.faults = [fault]
    with pytest.raises(LogFailed, match="Input/output error"):
        log.commit()
    assert log.durable == 0
    with pytest.raises(LogFailed):
        log.append([setting()])


# Bodies.


def large(log: Log, data: bytes) -> list[int]:
    """Write `data` ahead as parts; returns their numbers."""
    writer, parts = BodyWriter(), []
    for at in range(0, len(data), 100_000):
        writer.write(data[at : at + 100_000])
        if part := writer.take_part():
            parts.append(log.append([Event(BODY_PART, {"size": part.size, "frames": list(part.frames)}, part)]))
    part = writer.finish()
    if part.size:
        parts.append(log.append([Event(BODY_PART, {"size": part.size, "frames": list(part.frames)}, part)]))
    return parts


RAW = np.random.default_rng(1).bytes(2_500_000)
SMALL = b"Subject: hello\r\n\r\nhello\r\n"
FRAMED = RAW[: FRAME_SIZE * 2 + 10]


def every_kind(log: Log) -> dict[int, bytes]:
    """Messages with every kind of body: number to the whole message."""
    small = log.append([message(SMALL), stored_message(None, prefix=b"", size=len(SMALL), body_of=log.head + 1)])
    framed = log.append([message(FRAMED)])
    parts = large(log, RAW)
    joined = log.append([stored_message(None, size=len(RAW), parts=parts)])
    shared = log.append([stored_message(None, prefix=b"Other: 1\r\n", size=len(RAW), body_of=joined)])
    exact = log.append([message(RAW[:FRAME_SIZE])])
    empty = log.append([message(b"")])
    return {
        small: PREFIX + SMALL, small + 1: SMALL, framed: PREFIX + FRAMED, joined: PREFIX + RAW,
        shared: b"Other: 1\r\n" + RAW, exact: PREFIX + RAW[:FRAME_SIZE], empty: PREFIX,
    }  # fmt: skip


@pytest.mark.parametrize("written", [False, True])
def test_messages_are_read_whole_and_in_part(log: Log, written: bool) -> None:
    messages = every_kind(log)
    if written:
        log.commit()
    frame = FRAME_SIZE + len(PREFIX)
    spans = [(0, 1), (0, 10**9), (5, 40), (33, 5), (34, 0), (frame - 1, 2), (frame, 1), (2 * frame, 10**6), (10**9, 5)]
    for number, whole in messages.items():
        assert b"".join(log.read_message(number)) == whole
        for start, length in spans:
            assert log.read_range(number, start, length) == whole[start : start + length]


def test_a_part_of_a_large_message_reads_little(log: Log, file: SimFile, monkeypatch: pytest.MonkeyPatch) -> None:
    number = next(number for number, whole in every_kind(log).items() if len(whole) > 2_000_000)
    log.commit()
    octets = 0

    def read(offset: int, length: int) -> bytes:
        nonlocal octets
        octets += length
        return SimFile.read(file, offset, length)

    monkeypatch.setattr(file, "read", read)
    assert len(log.read_range(number, 2_000_000, 100)) == 100
    assert octets < 400_000


def test_erased_damaged_and_missing_bodies_are_told_apart(log: Log, file: SimFile) -> None:
    first, second, third, shared = write(
        log, [message(b"one " * 50)], [message(b"two " * 50)], [message(b"three " * 50)],
        [stored_message(None, size=200, body_of=1)],
    )  # fmt: skip
    write(log, [Event(BODIES_ERASED, {"numbers": pack_numbers(np.array([first])), "why": "test"})])
    for number in (first, shared):
        with pytest.raises(BodyUnreadable, match="is erased") as caught:
            log.read_message(number)
        assert caught.value.reason == "erased"
    assert log.read_facts(first)["prefix"] == PREFIX
    assert log.read_range(first, 0, 10) == PREFIX[:10]
    assert log.erase_bodies([first, shared])
    place = log._bodies.place(second)
    assert place is not None
    for at in range(place[0], sum(place)):
        file.flip(at)
        with pytest.raises(BodyUnreadable, match="is damaged"):
            log.read_message(second)
        file.flip(at)
    place = log._bodies.place(third)
    assert place is not None
    file.write([bytes(place[1])], place[0])
    with pytest.raises(BodyUnreadable, match="is missing"):
        log.read_message(third)
    with pytest.raises(BodyUnreadable, match="is missing"):
        log.read_message(99)


def test_a_flipped_bit_in_facts_is_seen_when_they_are_read(log: Log, file: SimFile) -> None:
    (number,) = write(log, [message()])
    offset = log.catalog.find(number)
    assert offset is not None
    for at in (offset + 1, offset + 8, offset + 90, offset + 160):
        file.flip(at)
        with pytest.raises(BodyUnreadable, match="is damaged"):
            log.read_message(number)
        file.flip(at)
    assert log.read_message(number)[0] == PREFIX


def test_a_bad_sector_is_damage(log: Log, file: SimFile, monkeypatch: pytest.MonkeyPatch) -> None:
    (number,) = write(log, [message()])

    def read(offset: int, length: int) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(file, "read", read)
    with pytest.raises(BodyUnreadable, match="is damaged"):
        log.read_message(number)


def test_bodies_waiting_to_be_written_are_read_and_then_dropped(log: Log) -> None:
    log.append([message(SMALL)])
    assert log.read_message(1) == (PREFIX, SMALL)
    log.commit()
    assert not log._unwritten
    assert log.read_message(1) == (PREFIX, SMALL)


# On a real disk.


def test_reserved_space_is_given_back(tmp_path: Path) -> None:
    path = tmp_path / "a.crk"
    create_log(path, ticking())
    log = open_log(path, lambda *event: None, ticking()).log
    write(log, [message()])
    used = os.stat(path).st_blocks * 512
    size = os.stat(path).st_size
    log.close()
    assert os.stat(path).st_size == size < 10_000
    assert os.stat(path).st_blocks * 512 <= min(used, 16384)
    with pytest.raises(LogFailed, match="closed"):
        log.append([setting()])


def test_erased_bodies_give_their_blocks_back(tmp_path: Path) -> None:
    path = tmp_path / "a.crk"
    create_log(path, ticking())
    log = open_log(path, lambda *event: None, ticking()).log
    write(log, [message(RAW)])
    log.give_back()
    before = os.stat(path).st_blocks
    log.erase_bodies([1])
    log.file.sync()
    assert os.stat(path).st_blocks < before / 4 or os.stat(path).st_blocks == before  # where holes can be had
    place = log._bodies.place(1)
    assert place is not None and not any(log.file.read(*place))
    log.close()


# Looking for records after damage.


def test_mail_cannot_slow_down_the_search_for_records(file: SimFile, log: Log) -> None:
    """A mail full of another log's markers and of lengths that ask for hashing costs nothing."""
    foreign = (b"CrkR" + b"\x01\x01" + b"\xff" * 18 + (60 << 20).to_bytes(4, "little") + bytes(52)) * 3000
    write(log, [message(np.random.default_rng(2).bytes(100) + foreign)], [setting()])
    hashed = 0
    real = log._hasher

    class Counting:
        marker = real.marker

        def __call__(self, data: bytes | memoryview) -> bytes:
            nonlocal hashed
            hashed += len(data)
            return real(data)

    record = resynchronise(file, 89, Counting())  # type: ignore[arg-type]
    assert record is not None and hashed < 1000


def test_an_older_copy_of_the_log_in_a_mail_is_no_record(file: SimFile, log: Log) -> None:
    write(log, [setting()], [setting()])
    copy = bytes(file.memory)
    position = log.durable_position
    data = os.urandom(64) + copy
    write(log, [message(data)])
    start = file.memory.find(copy[200:])
    assert start > 0, "zstd keeps what it cannot compress as it is"
    found = resynchronise(file, len(copy) + 1, log._hasher, after=2)
    assert found is not None and found.head.sequence > 2
    reader = Reader(file, position, log._hasher)
    assert [record.head.sequence for record in reader] == [3, 3] and reader.stopped == "end"

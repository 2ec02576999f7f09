"""Opening after anything: torn and garbage ends, damage in every octet, what is no log, who has it open."""

import contextlib
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from crockery.events.codec import BATCH_CODE
from crockery.events.errors import BodyUnreadable, LogDamaged, LogLocked, LogMissing, NotALog, UnknownEvent
from crockery.events.file import OSFile
from crockery.events.format import HEADER_SIZE, Hasher, encode_header
from crockery.events.log import Log
from crockery.events.opening import create_log, open_log
from crockery.events.ranges import pack_numbers
from crockery.events.scan import Position, Reader
from crockery.events.types import Event, EventType
from crockery.events.types.server import BODIES_ERASED
from crockery.events.verify import verify_file
from tests.support.logs import KEY, LOG_ID, Folded, message, new_file, reopen, setting, ticking, write
from tests.support.sim_file import SimFile


def sample(folder: Path) -> tuple[SimFile, Log]:
    """Three batches: one event; an atom of two with bodies; two atoms, of two and of one."""
    file = new_file()
    log = reopen(file, folder).log
    write(log, [setting("a")], [message(b"one\r\n" * 20), message(b"two\r\n")])
    log.append([setting("b"), message(b"three\r\n" * 9)])
    log.append([message(b"four\r\n")])
    log.commit()
    return file, log


def copy_of(file: SimFile, data: bytes | bytearray | None = None) -> SimFile:
    """Another file with this content, all on disk."""
    copy = new_file()
    copy.memory = bytearray(file.memory if data is None else data)
    copy.disk = bytearray(copy.memory)
    return copy


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "a.crk.d"


def atom_ends(file: SimFile) -> dict[int, int]:
    """Offset where an atom or a frame ends -> number of the last event there."""
    header = HEADER_SIZE
    ends, last = {header: 0}, 0
    for record in Reader(file, Position(header, 0, bytes(file.memory[72:88])), Hasher(KEY)):
        if not record.is_batch:
            last = record.head.sequence
        if record.is_batch or record.ends_atom:
            ends[record.end] = last
    return ends


def frames(file: SimFile) -> list[int]:
    """Offsets of the batch frames."""
    start = Position(HEADER_SIZE, 0, bytes(file.memory[72:88]))
    return [record.offset for record in Reader(file, start, Hasher(KEY)) if record.is_batch]


def test_a_file_cut_anywhere_opens_at_the_last_whole_atom(folder: Path) -> None:
    file, _ = sample(folder)
    ends = atom_ends(file)
    assert list(ends.values()) == [0, 0, 1, 1, 3, 3, 5, 6]
    for length in range(HEADER_SIZE, file.size() + 1):
        end = max(end for end in ends if end <= length)
        cut = copy_of(file, file.memory[:length])
        opened = reopen(cut, folder)
        assert (opened.log.head, opened.recovered.tail, cut.size()) == (ends[end], length - end, end)
        if opened.tail is not None:
            assert opened.tail.read_bytes() == bytes(file.memory[end:length])
            assert opened.tail.stat().st_mode & 0o777 == 0o600
            opened.tail.unlink()
        else:
            assert length == end


@pytest.mark.parametrize(
    "garbage",
    [b"\0", bytes(5000), b"\xff" * 300, os.urandom(10_000), b"CrkR" * 100, Hasher(KEY).marker * 100],
    ids=["a zero", "zeros", "ones", "noise", "markers", "this log's markers"],
)
def test_garbage_after_the_end_is_kept_aside_and_cut(folder: Path, garbage: bytes) -> None:
    file, _ = sample(folder)
    size = file.size()
    file.write([garbage], size)
    file.sync()
    opened = reopen(file, folder)
    assert (opened.log.head, file.size()) == (6, size)
    assert opened.tail is not None and opened.tail.read_bytes() == garbage
    write(opened.log, [setting()])
    assert reopen(file, folder).log.head == 7


def test_tails_cut_at_the_same_place_are_all_kept(folder: Path) -> None:
    file, _ = sample(folder)
    kept = []
    for garbage in (b"first", b"second", b"third"):
        file.write([garbage], file.size())
        kept.append(reopen(file, folder).tail)
    assert [path.read_bytes() for path in kept if path] == [b"first", b"second", b"third"]


def test_a_record_that_is_longer_than_the_file_says_so_quietly(folder: Path) -> None:
    """A size that grew before its pages came: the head is there, facts and body are zeros or beyond the end."""
    file, log = sample(folder)
    end = file.size()
    write(log, [message(os.urandom(20_000))])
    for length in (end + 200, end + 5000, file.size()):
        grown = bytes(file.memory[:length])
        zeroed = grown[: end + 150] + bytes(length - end - 150)
        for data in (grown[:-1], zeroed):
            opened = reopen(copy_of(file, data), folder)
            assert opened.log.head == 6 and opened.recovered.tail > 0


def test_every_octet_damaged_is_refused_cut_or_read_as_damage(folder: Path) -> None:
    """Damage in facts is never cut before the last frame, and an unfinished end after it; a body is one message's."""
    file, log = sample(folder)
    last_frame = frames(file)[-1]
    bodies = {number: log._bodies.place(number) for number in (2, 3, 5, 6)}
    whole = {number: log.read_message(number)[1] for number in bodies}
    intact: Folded = []
    reopen(copy_of(file), folder, intact)
    harmless = 0
    for at in range(file.size()):
        damaged = copy_of(file)
        damaged.flip(at, at % 8)
        in_body = [n for n, place in bodies.items() if place and place[0] <= at < sum(place)]
        folded: Folded = []
        if at < HEADER_SIZE:
            with pytest.raises(NotALog):
                reopen(damaged, folder)
        elif in_body and at < last_frame:
            log = reopen(damaged, folder, folded).log
            assert folded == intact
            with contextlib.suppress(BodyUnreadable):  # zstd does not look at every bit of a frame's head
                assert log.read_message(in_body[0])[1] == whole[in_body[0]]
                harmless += 1
        elif at < last_frame:
            with pytest.raises(LogDamaged, match=r"damaged at octet \d+: `crockery repair` shows") as caught:
                reopen(damaged, folder)
            assert caught.value.offset <= at
            assert damaged.memory == bytes(file.memory[:at]) + damaged.memory[at : at + 1] + file.memory[at + 1 :]
        else:
            opened = reopen(damaged, folder, folded)
            assert folded == intact[: len(folded)] and len(folded) in (3, 5) and opened.recovered.tail
    assert harmless <= 2


def test_a_batch_is_confirmed_by_the_next_frame_alone(folder: Path) -> None:
    file, log = sample(folder)
    assert reopen(copy_of(file), folder).recovered.confirmed == frames(file)[-1]
    write(log, [setting()])
    assert reopen(copy_of(file), folder).recovered.confirmed == frames(file)[-1] > 0


# Bodies of the last batch, and their erasure.


def erased(*numbers: int) -> Event:
    return Event(BODIES_ERASED, {"numbers": pack_numbers(np.array(numbers)), "why": "test"})


def test_an_interrupted_erasure_is_no_torn_body(folder: Path) -> None:
    file = new_file()
    log = reopen(file, folder).log
    log.append([message(os.urandom(5000))])
    log.append([setting()])
    log.append([erased(1)])
    log.commit()
    place = log._bodies.place(1)
    assert place is not None
    file.write([bytes(1000)], place[0] + 100)  # the crash came here
    opened = reopen(copy_of(file), folder)
    assert opened.log.head == 3
    with pytest.raises(BodyUnreadable, match="erased"):
        opened.log.read_message(1)


def test_a_torn_body_is_not_excused_by_an_erasure_that_is_cut_too(folder: Path) -> None:
    file = new_file()
    log = reopen(file, folder).log
    write(log, [setting()])
    log.append([message(os.urandom(5000))])
    log.append([message(os.urandom(50))])
    log.append([erased(2)])
    log.commit()
    for number in (2, 3):
        place = log._bodies.place(number)
        assert place is not None
        file.flip(place[0] + 20)
    assert reopen(file, folder).log.head == 1


# Files that are no logs, or not ours.


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(LogMissing, match=r"there is no log at .*a\.crk: `crockery init"):
        open_log(tmp_path / "a.crk", lambda *event: None, ticking())


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not a Crockery log"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "not a Crockery log"),
        (encode_header(LOG_ID, 1, KEY)[:50], "not a Crockery log"),
        (encode_header(LOG_ID, 1, KEY).replace(b"\r\n\x1a\n", b"\n\x1a\n", 1) + bytes(10), "not a Crockery log"),
        (encode_header(LOG_ID, 1, KEY)[:8] + struct.pack("<H", 2) + bytes(200), "format 2.*use a newer Crockery"),
        (encode_header(LOG_ID, 1, KEY)[:40] + bytes(48), "header of this log is damaged: see `crockery repair`"),
    ],
    ids=["empty", "a picture", "cut short", "text-mode copy", "newer format", "damaged header"],
)
def test_not_a_log(tmp_path: Path, data: bytes, says: str) -> None:
    path = tmp_path / "a.crk"
    path.write_bytes(data)
    with pytest.raises(NotALog, match=says):
        open_log(path, lambda *event: None, ticking())
    assert path.read_bytes() == data
    open_again = OSFile(path)  # the lock is given up
    open_again.close()


def test_two_servers_on_one_log(tmp_path: Path) -> None:
    path = tmp_path / "a.crk"
    create_log(path, ticking())
    log = open_log(path, lambda *event: None, ticking()).log
    with pytest.raises(LogLocked, match=r"a\.crk is in use by another Crockery: stop that one first"):
        open_log(path, lambda *event: None, ticking())
    log.close()
    open_log(path, lambda *event: None, ticking()).log.close()


def test_a_new_log_is_private_and_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "a.crk"
    create_log(path, ticking())
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        create_log(path, ticking())


def test_a_log_that_cannot_be_made_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(OSFile, "write", full)
    with pytest.raises(OSError, match="No space"):
        create_log(tmp_path / "a.crk", ticking())
    assert not list(tmp_path.iterdir())


def test_a_full_disk_does_not_keep_the_server_from_starting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, _ = sample(tmp_path / "d")
    file.write([b"garbage"], file.size())

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    opened = reopen(file, tmp_path / "d")
    assert (opened.log.head, opened.tail) == (6, None)


# Events of newer programs.


@pytest.mark.parametrize(("skippable", "version"), [(True, 1), (False, 1), (False, 2), (True, 2)])
def test_unknown_events_are_skipped_only_when_that_is_safe(folder: Path, skippable: bool, version: int) -> None:
    file = new_file()
    log = reopen(file, folder).log
    code = 60_000 if version == 1 else BODIES_ERASED.code
    newer = EventType(code, "Newer", version=version, skippable=skippable)
    write(log, [setting()], [Event(newer, {"what": "is this", "numbers": b""})], [setting()])
    folded: Folded = []
    if skippable:
        assert reopen(file, folder, folded).log.head == 3
        assert [number for number, _, _ in folded] == [1, 3]
        assert verify_file(file).is_sound
    else:
        with pytest.raises(UnknownEvent, match=r"event 2 .* was written by a newer Crockery"):
            reopen(file, folder)
        assert [finding.kind for finding in verify_file(file).findings] == ["unknown"]


def test_a_truncated_file_is_an_unfinished_end(folder: Path) -> None:
    """Nothing after the cut says that more was there; what is before a frame is still refused when it is damaged."""
    file, _ = sample(folder)
    cut = copy_of(file, file.memory[: frames(file)[1] + 10])
    assert reopen(cut, folder).log.head == 1


def test_batch_frames_are_no_events(folder: Path) -> None:
    file, _ = sample(folder)
    folded: Folded = []
    opened = reopen(file, folder, folded)
    assert [number for number, _, _ in folded] == [1, 2, 3, 4, 5, 6]
    assert opened.recovered.events == 6 and BATCH_CODE == 1

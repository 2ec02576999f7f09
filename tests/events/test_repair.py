"""verify, repair and backup: what they say, and that nothing is changed that need not be."""

import os
import threading
from pathlib import Path

import numpy as np
import pytest

from crockery.events.backup import backup
from crockery.events.errors import LogDamaged, LogError, LogLocked, LogMissing, NotALog
from crockery.events.facts import NAME, FactsReader, FactsWriter
from crockery.events.file import OSFile
from crockery.events.log import Log
from crockery.events.opening import create_log, open_log
from crockery.events.ranges import pack_numbers
from crockery.events.recover import beginning, read_header
from crockery.events.repair import repair, repair_plan
from crockery.events.types import Event
from crockery.events.types.server import BODIES_ERASED
from crockery.events.verify import Report, verify_log
from tests.support.logs import Folded, message, setting, stored_message, ticking, write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.crk"
    create_log(path, ticking())
    return path


def opened(path: Path, folded: Folded | None = None) -> Log:
    """Open the log at `path`."""
    keep: Folded = [] if folded is None else folded
    return open_log(path, lambda n, time, kind, facts: keep.append((n, kind.name, facts)), ticking()).log


def filled(path: Path, batches: int = 6) -> dict[int, int]:
    """Write batches of one atom with a message and a setting; returns the offset of each message."""
    log = opened(path)
    for n in range(batches):
        write(log, [message(os.urandom(500)), setting(str(n))])
    offsets = {number: log.catalog.find(number) or 0 for number in range(1, 2 * batches, 2)}
    log.close()
    return offsets


def flip(path: Path, *places: int) -> None:
    """Damage octets of a file."""
    data = bytearray(path.read_bytes())
    for at in places:
        data[at] ^= 0x55
    path.write_bytes(data)


def erasure(*numbers: int) -> Event:
    return Event(BODIES_ERASED, {"numbers": pack_numbers(np.array(numbers)), "why": "test"})


def kinds(report: Report) -> list[str]:
    return [finding.kind for finding in report.findings]


def test_a_sound_log(path: Path) -> None:
    filled(path)
    seen: list[tuple[int, int]] = []
    report = verify_log(path, lambda done, total: seen.append((done, total)))
    assert report.is_sound and (report.events, report.atoms, report.batches, report.bodies) == (12, 6, 6, 6)
    assert report.sentences()[-1] == "nothing is wrong"
    assert seen[-1] == (path.stat().st_size,) * 2 and seen == sorted(seen)


def test_an_empty_log_is_sound(path: Path) -> None:
    assert verify_log(path).is_sound


def test_verify_beside_a_server(path: Path) -> None:
    log = opened(path)
    write(log, [message()])
    assert verify_log(path).is_sound
    with open(path, "ab") as file:
        file.write(b"half a batch")
    report = verify_log(path)
    assert report.is_sound and report.tail == 12
    assert any("unfinished end of 12 octets" in line for line in report.sentences())
    log.file.close()


def test_damaged_facts_and_bodies_are_found_and_placed(path: Path) -> None:
    offsets = filled(path)
    flip(path, offsets[3] + 90, offsets[7] + 500)
    report = verify_log(path)
    assert kinds(report) == ["damage", "body"]
    damage, body = report.findings
    assert damage.start == offsets[3] and "2 events from 3 on" in damage.text and "cannot be read" in damage.text
    assert body.number == 7 and "the body of event 7" in body.text and "is damaged" in body.text
    assert report.sentences()[-1] == "wrong: 2 things"


def test_a_damaged_batch_frame_loses_no_event(path: Path) -> None:
    offsets = filled(path)
    flip(path, offsets[5] - 60)
    report = verify_log(path)
    assert kinds(report) == ["damage"] and "no event is lost" not in report.findings[0].text, (
        "the atom after it is not known to begin there"
    )


def test_erased_bodies_must_be_named_and_all_zeros(path: Path) -> None:
    filled(path)
    log = opened(path)
    write(log, [erasure(1, 3)], [setting()])
    log.erase_bodies([1])
    place = log._bodies.place(5)
    assert place is not None
    log.file.write([bytes(place[1])], place[0])
    log.close()
    report = verify_log(path)
    assert report.erased == 1 and kinds(report) == ["unerased", "missing"]
    assert [finding.number for finding in report.findings] == [3, 5]


def test_parts_that_are_not_there(path: Path) -> None:
    log = opened(path)
    write(log, [stored_message(None, size=5, parts=[77])], [stored_message(None, size=5, body_of=88)])
    log.close()
    report = verify_log(path)
    assert kinds(report) == ["reference", "reference"] and "in event 77, which is not there" in report.findings[0].text


def test_numbers_out_of_order(path: Path) -> None:
    log = opened(path)
    write(log, [setting()])
    log.head = 10
    write(log, [setting()])
    log.close()
    assert kinds(verify_log(path)) == ["sequence"]


@pytest.mark.parametrize("data", [b"", b"no log" * 100])
def test_verify_of_what_is_no_log(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(NotALog):
        verify_log(tmp_path / "x")
    with pytest.raises(NotALog):
        repair_plan(tmp_path / "x")
    with pytest.raises(LogMissing):
        verify_log(tmp_path / "y")


# Repair.


def test_nothing_to_repair(path: Path) -> None:
    offsets = filled(path)
    flip(path, offsets[7] + 500)  # a body
    plan = repair_plan(path)
    assert not plan.is_needed and "nothing to repair" in plan.sentences()[0]
    opened(path).close()


def test_repair_goes_on_without_what_is_lost(path: Path) -> None:
    offsets = filled(path)
    before: Folded = []
    opened(path, before).close()
    flip(path, offsets[3] + 90, offsets[7] + 90, offsets[7] + 20)
    data = path.read_bytes()
    plan = repair_plan(path)
    assert plan.is_needed and [(gap.after, gap.resumes) for gap in plan.gaps] == [(2, 5), (6, 9)]
    text = "\n".join(plan.sentences())
    assert "2 events from 3 on, appended between 2025-10-09" in text and "without 4 events" in text
    with pytest.raises(LogDamaged):
        opened(path)
    number = repair(path, plan)
    assert number is not None
    assert path.read_bytes()[: len(data)] == data, "nothing is cut or rewritten"
    after: Folded = []
    log = opened(path, after)
    assert after[:8] == [event for event in before if event[0] not in (3, 4, 7, 8)]
    assert [(n, name) for n, name, _ in after[8:]] == [
        (number, "HistoryResumed"), (number + 1, "DamageAccepted"), (number + 2, "DamageAccepted"),
    ]  # fmt: skip
    assert number == 12 + 1 + (1 << 40)
    assert log.append([setting()]) == number + 3
    log.commit()
    log.close()
    report = verify_log(path)
    assert report.is_sound and len(report.accepted) == 2
    assert not repair_plan(path).is_needed


def test_an_atom_that_the_damage_cut_through_is_lost_whole(path: Path) -> None:
    log = opened(path)
    write(log, [setting("first")], [setting("a"), setting("b"), setting("c")], [setting("last")])
    log.close()
    marker = path.read_bytes().find(b"\xa1b")  # the value "b" in the facts of the middle one
    flip(path, marker)
    plan = repair_plan(path)
    assert [(gap.after, gap.resumes) for gap in plan.gaps] == [(1, 5)] and "3 events from 2 on" in plan.sentences()[0]
    repair(path, plan)
    after: Folded = []
    opened(path, after).close()
    assert [facts["value"] for _, name, facts in after if name == "SettingChanged"] == ["first", "last"]


def test_acknowledged_events_before_damage_are_kept_though_a_body_is_damaged_too(path: Path) -> None:
    log = opened(path)
    log.append([message(b"x" * 300)])
    log.append([setting("kept")])
    log.append([setting("lost")])
    log.commit()
    write(log, [setting("later")])
    place = log._bodies.place(1)
    assert place is not None
    log.close()
    flip(path, place[0] + 3, path.read_bytes().find(b"\xa4lost"))
    repair(path, repair_plan(path))
    after: Folded = []
    opened(path, after).close()
    assert [n for n, _, _ in after[:3]] == [1, 2, 4]


def test_damage_after_a_repair_is_repaired_again(path: Path) -> None:
    offsets = filled(path)
    flip(path, offsets[5] + 90)
    repair(path, repair_plan(path))
    flip(path, offsets[3] + 90)
    with pytest.raises(LogDamaged):
        opened(path)
    plan = repair_plan(path)
    assert [(gap.after, gap.resumes) for gap in plan.gaps] == [(2, 5)]
    repair(path, plan)
    after: Folded = []
    opened(path, after).close()
    assert [n for n, _, _ in after[:8]] == [1, 2, 7, 8, 9, 10, 11, 12]
    assert len(verify_log(path).accepted) == 2


def test_repair_refuses_a_log_that_has_changed_or_is_in_use(path: Path) -> None:
    offsets = filled(path)
    flip(path, offsets[5] + 90)
    plan = repair_plan(path)
    flip(path, offsets[3] + 90)
    with pytest.raises(LogError, match="has changed since"):
        repair(path, plan)
    file = OSFile(path)
    with pytest.raises(LogLocked):
        repair(path, plan)
    file.close()


def test_damage_with_an_unfinished_end(path: Path) -> None:
    offsets = filled(path)
    flip(path, offsets[5] + 90)
    with open(path, "ab") as file:
        file.write(b"torn")
    repair(path, repair_plan(path))
    opened(path).close()
    assert verify_log(path).is_sound
    assert (path.parent / "a.crk.d").exists()


def with_facts(path: Path) -> None:
    """Make the derived file `facts`, as a server does."""
    file = OSFile(path, writable=False)
    header = read_header(file)
    reader = FactsReader(path.parent / "a.crk.d" / NAME, file, header, beginning(header))
    for _ in reader.runs():
        pass
    writer = FactsWriter(path.parent / "a.crk.d" / NAME, file, header, reader)
    writer.catch_up(path.stat().st_size)
    writer.close()
    file.close()


def test_what_the_facts_file_has_is_written_back(path: Path) -> None:
    offsets = filled(path)
    with_facts(path)
    whole = path.read_bytes()
    flip(path, offsets[3] + 90, offsets[7] + 5, offsets[9] - 30)
    damaged = path.read_bytes()
    plan = repair_plan(path)
    assert not plan.gaps and len(plan.healed) == 2 and "no event is lost" in plan.sentences()[-1]
    assert path.read_bytes() == damaged
    assert repair(path, plan) is None
    assert path.read_bytes() == whole and verify_log(path).is_sound


def test_what_the_facts_file_lacks_is_lost_and_it_is_deleted(path: Path) -> None:
    filled(path, 3)
    with_facts(path)
    folder = path.parent / "a.crk.d"
    (folder / "tail-1-2").write_bytes(b"kept")
    (folder / "search").mkdir()
    log = opened(path)
    write(log, [setting("lost")], [setting("later")])
    log.close()
    flip(path, 88 + 60, path.read_bytes().find(b"\xa4lost"))
    plan = repair_plan(path)
    assert (len(plan.healed), [(gap.after, gap.resumes) for gap in plan.gaps]) == (1, [(6, 8)])
    assert repair(path, plan) is not None
    assert [entry.name for entry in folder.iterdir()] == ["tail-1-2"]
    after: Folded = []
    opened(path, after).close()
    assert [n for n, _, _ in after[:7]] == [1, 2, 3, 4, 5, 6, 8]


def test_the_last_record_of_the_facts_file_is_written_back_though_the_log_cannot_confirm_it(path: Path) -> None:
    filled(path, 3)
    with_facts(path)
    end = path.stat().st_size
    log = opened(path)
    write(log, [setting("later")])
    log.close()
    whole = path.read_bytes()
    flip(path, end - 1)  # the hash of the last record that the facts file has
    assert repair(path, repair_plan(path)) is None
    assert path.read_bytes() == whole


def test_a_facts_file_that_is_damaged_too_writes_nothing_back(path: Path) -> None:
    offsets = filled(path)
    with_facts(path)
    flip(path.parent / "a.crk.d" / NAME, 300)
    flip(path, offsets[3] + 90)
    assert not repair_plan(path).healed


def test_one_bit_of_the_header_is_turned_back(path: Path) -> None:
    filled(path, 2)
    whole = path.read_bytes()
    for at in range(0, 88, 7):
        data = bytearray(whole)
        data[at] ^= 1 << at % 8
        path.write_bytes(data)
        with pytest.raises(NotALog):
            opened(path)
        plan = repair_plan(path)
        assert plan.is_needed and plan.sentences()[0] == "the header is damaged, and can be written back"
        assert repair(path, plan) is None
        assert path.read_bytes() == whole


def test_a_lost_header_comes_back_from_the_facts_file(path: Path) -> None:
    filled(path, 2)
    with_facts(path)
    whole = path.read_bytes()
    path.write_bytes(bytes(88) + whole[88:])
    repair(path, repair_plan(path))
    assert path.read_bytes() == whole
    path.write_bytes(bytes(88) + os.urandom(len(whole)))
    with pytest.raises(NotALog):
        repair_plan(path)


# Backup.


def test_a_copy_opens_and_is_private(path: Path, tmp_path: Path) -> None:
    filled(path)
    seen: list[tuple[int, int]] = []
    report = backup(path, tmp_path / "b.crk", lambda done, total: seen.append((done, total)))
    assert report.is_sound and report.copied == report.size == path.stat().st_size
    assert report.path.read_bytes() == path.read_bytes() and report.path.stat().st_mode & 0o777 == 0o600
    assert seen[-1][0] == seen[-1][1]
    one: Folded = []
    two: Folded = []
    opened(path, one).close()
    opened(report.path, two).close()
    assert one == two


def test_into_a_folder(path: Path, tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    assert backup(path, tmp_path / "backups").path == tmp_path / "backups" / "a.crk"


def test_an_earlier_copy_gets_what_came_since(path: Path, tmp_path: Path) -> None:
    filled(path)
    dest = tmp_path / "b.crk"
    first = backup(path, dest)
    log = opened(path)
    write(log, [message()], [erasure(1)])
    log.erase_bodies([1])
    log.close()
    second = backup(path, dest)
    assert second.is_sound and second.copied == path.stat().st_size - first.size and second.erased == 1
    assert dest.read_bytes() == path.read_bytes(), "erasures reach the copy"
    third = backup(path, dest)
    assert (third.copied, third.is_sound) == (0, True)


def test_a_torn_copy_is_gone_on_with(path: Path, tmp_path: Path) -> None:
    filled(path)
    dest = tmp_path / "b.crk"
    whole = path.read_bytes()
    for length in (0, 10, 88, 89, 500, len(whole) - 1):
        dest.write_bytes(whole[:length])
        assert backup(path, dest).is_sound
        assert dest.read_bytes() == whole


def test_other_files_are_not_touched(path: Path, tmp_path: Path) -> None:
    filled(path, 3)
    other = tmp_path / "other.crk"
    create_log(other, ticking())
    diverged = tmp_path / "diverged.crk"
    backup(path, diverged)
    log = opened(diverged)
    write(log, [setting("elsewhere")])
    log.close()
    log = opened(path)
    write(log, [setting("here, and longer than there"), setting()])
    log.close()
    text = tmp_path / "text"
    text.write_text("my diary " * 30)
    for dest, says in ((other, "copy of another log"), (diverged, "copy of another history"), (path, "the log itself")):
        before = dest.read_bytes()
        with pytest.raises(LogError, match=says):
            backup(path, dest)
        assert dest.read_bytes() == before
    with pytest.raises(NotALog):
        backup(path, text)
    assert text.read_text().startswith("my diary")


def test_an_older_log_does_not_cut_a_newer_copy(path: Path, tmp_path: Path) -> None:
    filled(path, 2)
    old = path.read_bytes()
    log = opened(path)
    write(log, [setting()])
    log.close()
    backup(path, tmp_path / "b.crk")
    path.write_bytes(old)
    with pytest.raises(LogError, match="events that this log does not have"):
        backup(path, tmp_path / "b.crk")


def test_damage_is_told(path: Path, tmp_path: Path) -> None:
    offsets = filled(path)
    flip(path, offsets[7] + 500)
    report = backup(path, tmp_path / "b.crk")
    assert not report.is_sound and "the copy has damage" in report.sentences()[-1]


def test_a_copy_made_while_the_log_is_written(path: Path, tmp_path: Path) -> None:
    """Whatever was durable when the copy began is in it; the copy is whole, again and again."""
    log = opened(path)
    write(log, [message(os.urandom(300_000))])
    stop = threading.Event()

    def load() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            log.append([message(os.urandom(5000)), setting(str(number))])
            log.commit()
            if number % 10 == 0:
                log.append([erasure(log.head - 15)])
                log.commit()
                log.erase_bodies([log.head - 16])

    thread = threading.Thread(target=load)
    thread.start()
    try:
        for n in range(4):
            durable = log.durable
            report = backup(path, tmp_path / ("b.crk" if n % 2 else f"b{n}.crk"))
            assert report.is_sound, report.sentences()
            assert report.check.last >= durable
    finally:
        stop.set()
        thread.join()
        log.close()
    opened(report.path).close()

"""repair: what is lost is told before, nothing is changed that need not be, and what the facts file has comes back."""

import os
from pathlib import Path

import pytest

from crockery.events.errors import LogDamaged, LogError, LogLocked, NotALog
from crockery.events.facts import NAME, FactsReader, FactsWriter
from crockery.events.file import OSFile
from crockery.events.recover import beginning, read_header
from crockery.events.repair import repair, repair_plan
from crockery.events.verify import verify_log
from tests.support.logs import Folded, filled, flip, message, opened, setting, write


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

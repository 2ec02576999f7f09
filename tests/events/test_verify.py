"""verify: every kind of damage is found, placed and told; what is sound is called so."""

from pathlib import Path

import pytest

from crockery.events.errors import LogMissing, NotALog
from crockery.events.repair import repair_plan
from crockery.events.verify import Report, verify_log
from tests.support.logs import erasure, filled, flip, message, opened, setting, stored_message, write


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

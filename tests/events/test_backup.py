"""backup: a whole and private copy at any moment, that grows by what is new and takes no other file's place."""

import os
import threading
from pathlib import Path

import pytest

from crockery.events.backup import backup
from crockery.events.errors import LogError, NotALog
from crockery.events.opening import create_log
from tests.support.logs import Folded, erasure, filled, flip, message, opened, setting, ticking, write


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

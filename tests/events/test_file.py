"""What we ask of the operating system: partial writes, reservations, holes, failing calls."""

import ctypes
import errno
import os
from pathlib import Path

import pytest

from crockery.events.file import OSFile, sync_folder


@pytest.fixture
def file(tmp_path: Path) -> OSFile:
    return OSFile(tmp_path / "f", create=True)


def test_many_buffers_are_one_run_of_octets(file: OSFile) -> None:
    buffers = [bytes((n % 251,)) * (n % 7) for n in range(3000)]
    file.write(buffers, 5)
    assert file.read(5, 10**6) == b"".join(buffers)
    assert file.size() == 5 + sum(map(len, buffers))


def test_partial_writes_are_gone_on_with(file: OSFile, monkeypatch: pytest.MonkeyPatch) -> None:
    pwritev, pwrite = os.pwritev, os.pwrite
    monkeypatch.setattr(os, "pwritev", lambda fd, buffers, at: pwritev(fd, [b"".join(buffers)[:7]], at))
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: pwrite(fd, data[:3], at))
    file.write([b"abcdef", b"ghijkl", b"mnopqrstuvwxyz"], 0)
    assert file.read(0, 100) == b"abcdefghijklmnopqrstuvwxyz"


def test_partial_reads_are_gone_on_with(file: OSFile, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write([b"abcdefghij"], 0)
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda fd, length, at: pread(fd, min(length, 3), at))
    assert file.read(1, 8) == b"bcdefghi" and file.read(8, 10) == b"ij" and file.read(10, 5) == b""


def test_reserving_keeps_the_size_and_truncating_gives_back(file: OSFile) -> None:
    file.write([b"x"], 0)
    assert file.reserve(4 << 20)
    assert file.size() == 1
    file.truncate(1)
    assert os.fstat(file.fd).st_blocks * 512 < 1 << 20
    assert file.reserve(0)


@pytest.mark.parametrize(
    ("code", "answer"), [(errno.ENOSPC, False), (errno.EDQUOT, False), (errno.EFBIG, False), (errno.EOPNOTSUPP, True)]
)
def test_reserving_on_a_full_disk_or_one_that_cannot(
    file: OSFile, monkeypatch: pytest.MonkeyPatch, code: int, answer: bool
) -> None:
    class Library:
        @staticmethod
        def fallocate64(*args: object) -> int:
            return -1

    monkeypatch.setattr(ctypes, "CDLL", lambda *args, **kwargs: Library)
    monkeypatch.setattr(ctypes, "get_errno", lambda: code)
    assert file.reserve(1000) is answer


def test_without_fallocate_free_space_is_asked_for(file: OSFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda *args, **kwargs: object())
    assert file.reserve(1000)
    assert not file.reserve(1 << 60)


def test_erasing_leaves_zeros_and_the_rest(file: OSFile) -> None:
    file.write([b"a" * 10_000, b"b" * 3_000_000, b"c" * 10_000], 0)
    file.erase(10_000, 3_000_000)
    assert file.read(0, 10_000) == b"a" * 10_000 and file.read(3_010_000, 10_001) == b"c" * 10_000
    assert not any(file.read(10_000, 3_000_000)) and file.size() == 3_020_000
    file.erase(5, 0)
    assert file.read(0, 10) == b"a" * 10


def test_reading_alone_takes_no_lock(file: OSFile, tmp_path: Path) -> None:
    file.write([b"x"], 0)
    reader = OSFile(tmp_path / "f", writable=False)
    assert reader.read(0, 1) == b"x"
    with pytest.raises(OSError, match="Bad file descriptor"):
        reader.write([b"y"], 0)
    reader.close()


def test_folder_is_synced(tmp_path: Path) -> None:
    sync_folder(tmp_path)
    with pytest.raises(NotADirectoryError):
        (tmp_path / "f").write_bytes(b"")
        sync_folder(tmp_path / "f")

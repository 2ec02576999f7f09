"""What the log asks of the operating system, behind a seam: `LogFile` is the protocol, `OSFile` the real thing.

The crash simulator of the tests is the other implementation. All calls block; callers choose the thread.
"""

import ctypes
import ctypes.util
import errno
import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from crockery.events.errors import LogLocked, LogMissing

_KEEP_SIZE: Final = 1
_PUNCH_HOLE: Final = 2
_IOV_MAX: Final = 512


class LogFile(Protocol):
    """A file that can be written at its end, synced, and read anywhere."""

    def size(self) -> int:
        """Octets in the file."""

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` octets from `offset`; fewer only at the end of the file."""

    def write(self, buffers: Sequence[bytes], offset: int) -> None:
        """Write all buffers one after another from `offset`; raises OSError."""

    def sync(self) -> None:
        """Return when everything written is on disk (fdatasync); raises OSError."""

    def truncate(self, length: int) -> None:
        """Cut the file to `length` octets; gives reserved space back."""

    def reserve(self, end: int) -> bool:
        """Make sure that the disk has room up to offset `end`, keeping the size; False when it has not."""

    def erase(self, offset: int, length: int) -> None:
        """Overwrite with zeros and give whole blocks back to the file system."""

    def close(self) -> None:
        """Close the file and give up the lock."""


class OSFile:
    """A log file on disk, 0600, locked for this process while it is open for writing."""

    def __init__(self, path: Path, *, writable: bool = True, create: bool = False) -> None:
        """Open `path`; raises LogMissing, LogLocked, FileExistsError (create), PermissionError."""
        flags = (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC
        if create:
            flags |= os.O_CREAT | os.O_EXCL
        try:
            self.fd = os.open(path, flags, 0o600)
        except FileNotFoundError:
            raise LogMissing(f"there is no log at {path}: `crockery init {path} --domain DOMAIN` makes one") from None
        self.path = path
        if writable:
            try:
                fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(self.fd)
                raise LogLocked(f"{path} is in use by another Crockery: stop that one first") from None

    def size(self) -> int:
        return os.fstat(self.fd).st_size

    def read(self, offset: int, length: int) -> bytes:
        data = os.pread(self.fd, length, offset)
        if len(data) == length:
            return data
        pieces = [data]
        while data and (missing := length - sum(map(len, pieces))) > 0:
            data = os.pread(self.fd, missing, offset + length - missing)
            pieces.append(data)
        return b"".join(pieces)

    def write(self, buffers: Sequence[bytes], offset: int) -> None:
        for at in range(0, len(buffers), _IOV_MAX):
            offset = self._write_some(list(buffers[at : at + _IOV_MAX]), offset)

    def _write_some(self, buffers: list[bytes], offset: int) -> int:
        total = sum(map(len, buffers))
        written = os.pwritev(self.fd, buffers, offset)
        if written < total:  # rare: a signal or a nearly full disk
            rest = memoryview(b"".join(buffers))[written:]
            while rest:
                written = os.pwrite(self.fd, rest, offset + total - len(rest))
                rest = rest[written:]
        return offset + total

    def sync(self) -> None:
        os.fdatasync(self.fd)

    def truncate(self, length: int) -> None:
        os.ftruncate(self.fd, length)

    def reserve(self, end: int) -> bool:
        start = self.size()
        if end <= start:
            return True
        return _fallocate(self.fd, _KEEP_SIZE, start, end - start, fallback=self._has_free(end - start))

    def _has_free(self, octets: int) -> bool:
        stat = os.fstatvfs(self.fd)
        return stat.f_bavail * stat.f_frsize >= octets

    def erase(self, offset: int, length: int) -> None:
        zeros = bytes(min(length, 1 << 20))
        for at in range(0, length, len(zeros) or 1):
            self.write([zeros[: length - at]], offset + at)
        _fallocate(self.fd, _PUNCH_HOLE | _KEEP_SIZE, offset, length, fallback=True)

    def close(self) -> None:
        os.close(self.fd)


def _fallocate(fd: int, mode: int, offset: int, length: int, *, fallback: bool) -> bool:
    """fallocate(2); False when the disk is full, `fallback` where the file system cannot do it."""
    libc = ctypes.CDLL(None, use_errno=True)
    call = getattr(libc, "fallocate64", None) or getattr(libc, "fallocate", None)
    if call is None:
        return fallback
    while call(fd, mode, ctypes.c_int64(offset), ctypes.c_int64(length)) != 0:
        code = ctypes.get_errno()
        if code == errno.EINTR:
            continue
        if code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return False
        if code in (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL):
            return fallback
        raise OSError(code, os.strerror(code))
    return True


def sync_folder(path: Path) -> None:
    """fsync the folder, so that a new or renamed name in it survives a crash."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

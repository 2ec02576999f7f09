"""A file below the log that keeps apart what was written and what is on disk, and that can crash and fail.

Between two syncs the system may write back any page at any time, in any of the states it went through, and the file's
size with or without the pages in it. `power_cut` therefore keeps a random choice of all that; `kill` (of the process
alone) keeps everything written. A failed sync leaves pages that read well, are taken for clean, and are not on disk.
"""

import errno
import os
import random
from collections.abc import Sequence

PAGE = 4096


class Crashed(BaseException):
    """The machine stopped in the middle of a call."""


class SimFile:
    """A `LogFile` in memory. `fuse`: calls that change something until it crashes in one; None: never."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.disk = bytearray()
        """What is surely on disk."""
        self.memory = bytearray()
        """What reads give: everything written."""
        self.states: dict[int, list[bytes]] = {}
        """Page number -> contents it had since the last sync; any of them may be on disk, or none."""
        self.sizes: list[int] = []
        """Sizes the file had since the last sync."""
        self.fuse: int | None = None
        self.faults: list[str] = []
        """What goes wrong next, in order: "" (nothing), "no room", "write", "sync"."""
        self.room = True
        """Whether `reserve` finds room."""

    # LogFile.

    def size(self) -> int:
        return len(self.memory)

    def read(self, offset: int, length: int) -> bytes:
        return bytes(self.memory[offset : offset + length])

    def write(self, buffers: Sequence[bytes], offset: int) -> None:
        data = b"".join(buffers)
        assert offset <= len(self.memory), "a write beyond the end would leave a hole"
        fault = self._next_fault("no room", "write")
        if fault or self._burns():
            self._put(data[: self.rng.randrange(len(data) + 1)], offset)
            if fault:
                code = errno.ENOSPC if fault == "no room" else errno.EIO
                raise OSError(code, os.strerror(code))
            raise Crashed
        self._put(data, offset)

    def sync(self) -> None:
        if self._burns():
            raise Crashed
        if self._next_fault("sync"):
            self._write_back_some()
            self.states.clear()  # the system reports the loss once, and takes the pages for clean
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        for page, states in self.states.items():
            self._to_disk(page, states[-1], len(self.memory))
        self._set_disk_size(len(self.memory))
        self.states.clear()
        self.sizes.clear()

    def truncate(self, length: int) -> None:
        if self._burns():
            raise Crashed
        assert length <= len(self.memory), "the log never grows a file by truncating it"
        self.sizes.append(len(self.memory))
        del self.memory[length:]
        self._note(length // PAGE)

    def reserve(self, end: int) -> bool:
        return self.room

    def erase(self, offset: int, length: int) -> None:
        self.write([bytes(length)], offset)

    def close(self) -> None:
        pass

    # What happens to the machine.

    def kill(self) -> None:
        """The process is gone: everything written stays, synced or not."""
        self.fuse = None
        self.faults.clear()

    def power_cut(self) -> None:
        """The machine is gone: what is not synced stays in part."""
        self.kill()
        self._write_back_some()
        sizes = [len(self.disk), *self.sizes, len(self.memory)]
        low, high = min(sizes), max(sizes)
        self._set_disk_size(self.rng.choice((low, high, len(self.memory), self.rng.randint(low, high))))
        self.memory = bytearray(self.disk)
        self.states.clear()
        self.sizes.clear()

    def flip(self, offset: int, bit: int = 0) -> None:
        """Damage one bit, on disk and in memory."""
        self.memory[offset] ^= 1 << bit
        self.disk = bytearray(self.memory)

    def _next_fault(self, *kinds: str) -> str:
        if self.faults and (not self.faults[0] or self.faults[0] in kinds):
            return self.faults.pop(0)
        return ""

    def _burns(self) -> bool:
        if self.fuse is None:
            return False
        self.fuse -= 1
        return self.fuse < 0

    def _put(self, data: bytes, offset: int) -> None:
        if not data:
            return
        self.sizes.append(len(self.memory))
        self.memory[offset : offset + len(data)] = data
        for page in range(offset // PAGE, (offset + len(data) - 1) // PAGE + 1):
            self._note(page)

    def _note(self, page: int) -> None:
        self.states.setdefault(page, []).append(bytes(self.memory[page * PAGE : (page + 1) * PAGE]))

    def _write_back_some(self) -> None:
        share = self.rng.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        for page, states in self.states.items():
            if self.rng.random() < share:
                self._to_disk(page, self.rng.choice(states), max(len(self.disk), len(self.memory)))

    def _to_disk(self, page: int, content: bytes, limit: int) -> None:
        start = page * PAGE
        content = content[: max(limit - start, 0)]
        if len(self.disk) < start + len(content):
            self.disk += bytes(start + len(content) - len(self.disk))
        self.disk[start : start + len(content)] = content

    def _set_disk_size(self, size: int) -> None:
        if size < len(self.disk):
            del self.disk[size:]
        else:
            self.disk += bytes(size - len(self.disk))

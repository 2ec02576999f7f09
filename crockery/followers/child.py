"""The child process that makes rows: `python -m crockery.followers.child LOG`, told over stdin and stdout (`wire`).

It reads the log itself, and writes nothing but its answers. What it has from mail is hostile, so it has limits: of
memory, of seconds for each message, and no file it could write. It gives way to whatever else runs, and ends when its
stdin does, which is when the server ended, however that came.
"""

import os
import resource
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from crockery.children.parent import Parent, run
from crockery.events.catalog import Catalog
from crockery.events.errors import BodyUnreadable
from crockery.events.file import OSFile
from crockery.events.format import make_hasher
from crockery.events.reading import Bodies
from crockery.events.recover import read_header
from crockery.followers.wire import Kind, begun_of
from crockery.limits import ROWS_MEMORY, ROWS_NICE, ROWS_TIME
from crockery.projections.rows import RowMaker, Wanted


class Places(Catalog):
    """Where the records are of which the server told, or tells when asked."""

    def __init__(self, server: Parent) -> None:
        super().__init__()
        self._server = server
        self._known: dict[int, int | None] = {}

    def learn(self, numbers: Iterable[int], offsets: Iterable[int | None]) -> None:
        """Know these and no others."""
        self._known = dict(zip(numbers, offsets, strict=True))

    def find(self, number: int) -> int | None:
        if number not in self._known:
            self._server.send(Kind.WHERE, number)
            (self._known[number],) = self._server.receive().values_of(Kind.THERE)
        return self._known[number]

    def find_kept(self, number: int) -> int | None:
        return self.find(number)

    def is_erased(self, number: int) -> bool:
        return self.find(number) is None


def serve(path: Path, server: Parent) -> None:
    """Make rows until the server wants no more. Raises Ended, BrokenPipeError, BadFrame."""
    file = OSFile(path, writable=False)
    places = Places(server)
    bodies = Bodies(file, places, make_hasher(read_header(file).key), {})

    def read_message(number: int) -> bytes:
        _grant_time()
        (found,) = bodies.messages((number,))
        if isinstance(found, BodyUnreadable):
            raise found
        return found

    maker = RowMaker(begun_of(server.receive().values_of(Kind.BEGIN)), read_message)
    server.send(Kind.READY)
    while True:
        numbers, structure, text, offsets = server.receive().values_of(Kind.MAKE)
        places.learn(numbers, offsets)
        server.send(Kind.MADE, *maker.make(Wanted(numbers, structure, text)))


def _grant_time() -> None:
    """From now on so much time: then the system ends this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + ROWS_TIME, hard))


def main(arguments: Sequence[str]) -> int:
    """Run as a program."""
    (path,) = arguments
    os.nice(ROWS_NICE)
    resource.setrlimit(resource.RLIMIT_AS, (ROWS_MEMORY, ROWS_MEMORY))
    return run(partial(serve, Path(path)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

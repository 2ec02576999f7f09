"""The files `structure` and `text` of a log, and rows made for them in this process."""

from collections.abc import Callable, Sequence

from crockery.followers.rebuilding import message_numbers
from crockery.net.services import Services
from crockery.projections.rows import RowFiles, RowMaker, Wanted
from crockery.projections.structure import Structures
from crockery.projections.text import Texts
from tests.support.store import TestStore


class Rows:
    """Both files of a store; `read` are the messages that were read for them, by what may be given to read them."""

    def __init__(self, store: TestStore, read_message: Callable[[int], tuple[bytes, bytes]] | None = None) -> None:
        self._read_message = read_message or store.log.read_message
        self.read: list[int] = []
        self.structures = Structures(store.folder, store.log.file, self._reading)
        self.texts = Texts(store.folder, store.log.file)
        self.files = RowFiles(self.structures, self.texts)

    def _reading(self, number: int) -> tuple[bytes, bytes]:
        self.read.append(number)
        return self._read_message(number)

    def make(self, numbers: Sequence[int]) -> None:
        """Rows of these messages, which are new, in order."""
        self.files.follow(numbers)
        wanted = Wanted(list(numbers), True, True)
        maker = RowMaker(self.files.begun, lambda number: b"".join(self._reading(number)))
        self.files.add(wanted, maker.make(wanted))

    def erase_all(self) -> None:
        """What is erased is no more in the files."""
        while self.files.backlog:
            self.files.erase_some(1)

    def close(self) -> None:
        self.files.close()


def are_made(services: Services) -> bool:
    """Whether a server's followers have come to the newest message."""
    newest = message_numbers(services.store.state)[-1]
    return min(services.structures.last, services.texts.last) >= int(newest)

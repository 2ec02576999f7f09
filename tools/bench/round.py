"""What the rows of the table are, and one round: one server, a fresh mailbox, every row measured once.

The mailbox of a round is filled when the first row asks for it, and the time of that is the row `append`. What is cold
for the first row that reads it is warm for those that follow: the order of the rows is part of what they say.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tools.bench.client import Imap
from tools.bench.material import Material, WrongAnswer
from tools.bench.servers import Endpoints, Server

LINE = 1024  # octets that a server may say of a message beside its own
SETTLE_POLL = 1.0  # seconds between two looks whether the files still grow


class Unavailable(Exception):
    """This row cannot be measured on this server; the text says why."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured."""

    mailbox: int = 5000  # messages of the mailbox read
    smtp_mails: int = 2000  # mails sent over many SMTP sessions
    smtp_mails_single: int = 500  # and over one
    sent_mails: int = 5000  # mails sent on to another server
    queued: int = 100_000  # recipients of a long queue, ten for each domain
    round_trips: int = 5000  # NOOPs
    load_seconds: float = 5.0  # of NOOPs with SMTP load beside
    idle_samples: int = 10
    logins: int = 50
    connections: int = 200  # held open for the memory of one
    waiting: int = 1000  # connections that wait at once
    big_log: int = 1_000_000  # messages of the log that start and replay read
    rounds: int = 3


QUICK = Scale(
    mailbox=500,
    smtp_mails=300,
    smtp_mails_single=100,
    sent_mails=300,
    round_trips=1000,
    load_seconds=2.0,
    idle_samples=3,
    logins=10,
    connections=50,
    waiting=100,
    big_log=100_000,
    rounds=1,
)

LARGE = Scale(mailbox=100_000, rounds=1)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: `measure` takes one figure, in `unit`, on the server of the round.

    `goal` is the ratio to the peer that design.md asks for, `limit` the figure it asks for; 0 where it asks for none.
    A row that can be measured again at once gives the median of `samples` as the figure of its round.
    """

    name: str
    title: str
    unit: str
    measure: Callable[["Round"], float]
    goal: float = 0
    limit: float = 0
    more_is_better: bool = False
    crockery_only: bool = False
    samples: int = 1

    def times_as_good(self, crockery: float, peer: float) -> float:
        """How many times as fast (or small) Crockery is."""
        return crockery / peer if self.more_is_better else peer / crockery


class Round:
    """One pass over the rows on one running server."""

    def __init__(self, server: Server, endpoints: Endpoints, material: Material, scale: Scale, number: int) -> None:
        self.server = server
        self.endpoints = endpoints
        self.material = material
        self.scale = scale
        self.mailbox = f"round{number}"
        self.copied = f"copied{number}"
        self._shared: dict[str, dict[str, float]] = {}
        self._open = ExitStack()

    def connect(self, account: int = 0) -> Imap:
        """A connection logged in; closed with the round."""
        return self._open.enter_context(Imap(self.endpoints, account=account).login())

    def shared(self, measurement: Callable[["Round"], dict[str, float]]) -> dict[str, float]:
        """The figures of a measurement that gives several rows; it is made when the first of them asks."""
        name = measurement.__qualname__
        if name not in self._shared:
            self._shared[name] = measurement(self)
        return self._shared[name]

    @cached_property
    def mails(self) -> list[bytes]:
        """What is in the mailbox of the round, in order of message sequence number."""
        return self.material.mailbox_mails(self.scale.mailbox)

    @cached_property
    def append_seconds(self) -> float:
        """Makes and fills the mailbox; the time from the first octet of the first APPEND to the last OK."""
        with Imap(self.endpoints).login() as imap:
            imap.command(f"CREATE {self.mailbox}")
            start = time.perf_counter()
            imap.append_all(self.mailbox, self.mails)
            return time.perf_counter() - start

    @cached_property
    def selected(self) -> Imap:
        """A connection with the filled mailbox selected."""
        _ = self.append_seconds
        imap = self.connect()
        imap.make_room(sum(map(len, self.mails)) + LINE * len(self.mails))
        imap.command(f"SELECT {self.mailbox}")
        return imap

    def timed(self, imap: Imap, command: str) -> tuple[float, bytearray]:
        """Seconds the command took, and its untagged responses."""
        return imap.timed(command)

    def settle(self) -> None:
        """Returns when the server's files have stopped growing: what it derives from new mail is there."""
        size = -1
        while size != (size := self.server.disk_usage()):
            time.sleep(SETTLE_POLL)

    def disconnect(self) -> None:
        """Closes the connections, whose state is unknown after a failure; the next row opens new ones."""
        self._open.close()
        self.__dict__.pop("selected", None)

    def close(self) -> None:
        """Removes the mailboxes of the round and closes its connections."""
        self.disconnect()
        with Imap(self.endpoints).login() as imap:
            for mailbox in (self.mailbox, self.copied):
                if b"LIST" in imap.command(f'LIST "" {mailbox}'):
                    imap.command(f"DELETE {mailbox}")


def message_count(imap: Imap, mailbox: str) -> int:
    """MESSAGES of the mailbox, by STATUS."""
    answer = bytes(imap.command(f"STATUS {mailbox} (MESSAGES)"))
    digits = answer.rpartition(b"MESSAGES ")[2].partition(b")")[0]
    if not digits.isdigit():
        raise WrongAnswer(f"STATUS: {answer!r}")
    return int(digits)


def clear(imap: Imap, mailbox: str) -> None:
    """Leaves the mailbox selected and empty."""
    imap.command(f"SELECT {mailbox}")
    if message_count(imap, mailbox):
        imap.command("STORE 1:* +FLAGS.SILENT (\\Deleted)")
        imap.command("EXPUNGE")


def expect(found: object, wanted: object, what: str) -> None:
    """Raises WrongAnswer if the two differ."""
    if found != wanted:
        raise WrongAnswer(f"{what}: {found!r} instead of {wanted!r}")


WORK = Path(__file__).resolve().parents[2] / "bench-work"

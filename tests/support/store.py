"""A store on a log in a temporary folder, without a server: appended atoms are written when the test says so."""

from dataclasses import dataclass, field
from pathlib import Path

from crockery.actions.actor import Actor, the_server
from crockery.actions.incoming import received
from crockery.actions.mail import Delivery, deliver
from crockery.actions.mailboxes import create_mailbox
from crockery.actions.store import Store
from crockery.events.log import Log
from crockery.events.opening import create_log
from crockery.events.types.accounts import ACCOUNT_ADDED
from crockery.projections.mailboxes import Mailbox
from crockery.projections.restore import Restored, restore

START = 1_760_000_000_000_000


@dataclass
class Clock:
    """Microseconds since 1970 that pass one by one."""

    time: int = START

    def __call__(self) -> int:
        self.time += 1
        return self.time


@dataclass
class TestStore:
    """A log at `path`, open and folded."""

    __test__ = False

    path: Path
    clock: Clock = field(default_factory=Clock)
    restored: Restored = field(init=False)
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        if not self.path.exists():
            create_log(self.path, self.clock)
        self.open()

    @property
    def log(self) -> Log:
        return self.store.log

    @property
    def folder(self) -> Path:
        return self.restored.folder

    def open(self) -> None:
        """Open the log (again)."""
        self.restored = restore(self.path, self.clock)
        self.store = Store(self.restored.opened.log, self.restored.state, self.clock)

    def commit(self) -> None:
        """What the writer does: write and sync what was appended."""
        batch = self.log.take_batch()
        if batch is not None:
            self.log.write_batch(batch)
            self.log.batch_done(batch)

    def close(self) -> None:
        """Write what was appended, and close."""
        self.commit()
        self.log.file.close()

    def reopen(self) -> None:
        """As after a stop and a start."""
        self.close()
        self.open()

    def account(self, name: str = "anna") -> Actor:
        """Add an account with an INBOX; returns a session of it."""
        atom = self.store.atom(the_server())
        number = atom.add(ACCOUNT_ADDED, {"by": 0, "name": name, "postmaster": False})
        atom.commit()
        actor = Actor(number, "imap", "192.0.2.1")
        create_mailbox(self.store, actor, number, "INBOX")
        return actor

    def inbox(self, actor: Actor) -> Mailbox:
        """The actor's INBOX."""
        found = self.store.state.mailboxes.find(actor.account, "INBOX")
        assert found is not None
        return found

    def append(self, actor: Actor, message: bytes, prefix: bytes = b"") -> int:
        """Put a message into the actor's INBOX; returns its number."""
        inbox = self.inbox(actor)
        deliver(self.store, actor, received(message), [Delivery(inbox, prefix)], via="append")
        return int(inbox.columns.number[-1])


def inbox(store: Store, name: str) -> Mailbox:
    """An account's INBOX."""
    account = store.state.accounts.find(name)
    assert account is not None
    found = store.state.mailboxes.find(account.id, "INBOX")
    assert found is not None
    return found


def messages(store: Store, name: str) -> list[bytes]:
    """The messages in an account's INBOX, whole."""
    return [b"".join(store.log.read_message(int(number))) for number in inbox(store, name).columns.number]

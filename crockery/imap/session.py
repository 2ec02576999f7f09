"""What is known of one connection: who, in which state, with which mailbox selected. Data; verbs act on it."""

from collections.abc import Awaitable, Callable
from dataclasses import MISSING, dataclass, field, fields
from typing import TYPE_CHECKING, Final, NamedTuple

import trio

from crockery import limits
from crockery.actions.actor import Actor
from crockery.actions.mailboxes import canonical_name
from crockery.actions.store import Store
from crockery.imap.capability import capabilities
from crockery.imap.errors import Refusal, SessionLost
from crockery.imap.features import Features
from crockery.imap.messages import Messages
from crockery.imap.output import Output
from crockery.imap.recent import Recents, add_range
from crockery.imap.selected import Selected
from crockery.imap.sorting import SortKeys
from crockery.imap.uploads import Upload
from crockery.imap.wire.compress import Inflater
from crockery.imap.wire.framer import BEFORE_LOGIN, Framer, FramerLimits
from crockery.imap.wire.parser import Command
from crockery.imap.wire.render import render_status
from crockery.imap.wire.response_codes import render_highest_modseq
from crockery.imap.wire.verbs import State
from crockery.net.connection import Connection
from crockery.net.login import Login
from crockery.net.services import Services
from crockery.projections.mailboxes import Mailbox

if TYPE_CHECKING:
    from crockery.imap.contexts import Contexts
    from crockery.imap.watching import Watch

OF_CONNECTION: Final = frozenset((
    "connection", "services", "shared", "out", "framer", "client", "inflater", "uploads", "unanswered", "bad_commands",
    "failed_logins", "ending", "waiting", "attend",
))  # fmt: skip
"""Fields of a Session that outlive UNAUTHENTICATE."""


class Completed(NamedTuple):
    """A command was done: the text and the response code of its tagged OK. Verbs raise Refusal for a NO."""

    text: str = ""
    """Default: the verb and "completed"."""
    code: bytes | None = None
    tells: bool = True
    """Changes may be told before it."""


DONE = Completed()


class Shared:
    """What all IMAP sessions of one server have in common."""

    def __init__(self, services: Services) -> None:
        started = services.store.state.server.started or {}
        self.recents = Recents(started.get("sequence", services.store.log.head))
        self.messages = Messages(services.store.log, services.structures, services.texts, services.budget)
        self.sort_keys = SortKeys()


@dataclass(slots=True)
class Session:
    """One connection."""

    connection: Connection
    services: Services
    shared: Shared
    out: Output
    framer: Framer = field(default_factory=lambda: Framer(BEFORE_LOGIN))
    actor: Actor = field(default_factory=lambda: Actor(0, "imap"))
    login: Login | None = None
    selected: Selected | None = None
    features: Features = field(default_factory=Features)
    """What the client has switched on."""
    client: str = ""
    """What the program called itself in ID."""
    watch: "Watch | None" = None
    """What it hears of beside its commands, by NOTIFY or ENABLE METADATA."""
    attend: Callable[[], Awaitable[None]] | None = None
    """Tells it, while the session waits for its client."""
    contexts: "Contexts | None" = None
    """Searches that are kept up to date."""
    inflater: Inflater | None = None
    """COMPRESS is active: what comes in goes through it."""
    uploads: list[Upload] = field(default_factory=list)
    """Streamed literals of the command that is coming in."""
    octets_taken: int = 0
    """Octets of the messages that URLs of that command have named so far."""
    uploading: Command | None = None
    """The head of that command."""
    unanswered: int = 0
    """Octets of a pipeline taken in since replies were last sent."""
    bad_commands: int = 0
    failed_logins: int = 0
    ending: bool = False
    """A BYE has been said."""
    waiting: trio.CancelScope | None = None
    """Set while the session waits for its client; cancelled when the server stops."""

    @property
    def rev2(self) -> bool:
        """ENABLE IMAP4rev2 was given."""
        return self.features.rev2

    @property
    def utf8(self) -> bool:
        """Names and structures are UTF-8."""
        return self.features.utf8

    @property
    def store(self) -> Store:
        return self.services.store

    @property
    def peer(self) -> str:
        """The client's IP address."""
        return self.connection.peer

    @property
    def account(self) -> int:
        """The account's id; 0 before login."""
        return self.actor.account

    @property
    def state(self) -> State:
        """The state of RFC 9051 §3."""
        if self.login is None:
            return State.NOT_AUTHENTICATED
        return State.AUTHENTICATED if self.selected is None else State.SELECTED

    @property
    def silence(self) -> float:
        """Seconds of silence that end the session."""
        return limits.IMAP_LOGIN_TIMEOUT if self.login is None else limits.IMAP_AUTOLOGOUT

    def capabilities(self) -> tuple[str, ...]:
        """What is offered now."""
        connection = self.connection
        offered = capabilities(
            logged_in=self.login is not None,
            tls=bool(connection.tls),
            secure=connection.is_secure,
            scram=self.services.logins.offers_scram(self.peer),
            unauthenticate=bool(self.store.state.settings.get("imap-unauthenticate")),
        )
        return offered if self.login is None else (*offered, f"APPENDLIMIT={self.framer.limits.message}")

    def enter(self, login: Login) -> None:
        """The client has proved who it is."""
        connection = self.connection
        self.login = login
        self.actor = Actor(login.account, "imap", connection.peer, self.client, connection.tls, login.app)
        largest = min(limits.IMAP_MESSAGE_MAX, self.store.state.settings.number("max-message-size"))
        self.framer.limits = FramerLimits(message=largest)

    def leave(self) -> None:
        """Back to before login: nothing of the account, or enabled for it, stays (RFC 8437 §4.1).

        Every field goes back to its default but for those of the connection itself, so that none is forgotten.
        """
        self.end_watch()
        for each in fields(self):
            if each.name in OF_CONNECTION:
                continue
            if each.default_factory is not MISSING:
                setattr(self, each.name, each.default_factory())
            else:
                setattr(self, each.name, each.default)
        self.framer.limits = BEFORE_LOGIN

    def enable(self, *names: str) -> None:
        """Switch features on (names as in `features.ENABLEABLE`); what they want told of the selected mailbox is."""
        had = self.features.condstore
        for name in names:
            self.features.enable(name)
        selected = self.selected
        if self.features.condstore and not had and selected is not None:
            code = render_highest_modseq(selected.settled)
            self.out.write(render_status(b"OK", "Highest", code=code), selected.settled)

    def require_selected(self) -> Selected:
        """The view of the selected mailbox; the verb table sees to it that there is one."""
        if self.selected is None:
            raise Refusal("No mailbox is selected", b"CLIENTBUG")
        return self.selected

    def require_writable(self) -> Selected:
        """The view, if the mailbox was not opened read-only."""
        selected = self.require_selected()
        if selected.read_only:
            raise Refusal("The mailbox is selected read-only", b"READ-ONLY")
        return selected

    def find_mailbox(self, name: str, missing: bytes = b"NONEXISTENT") -> Mailbox:
        """The account's mailbox of that name; raises Refusal with the code `missing`."""
        self.out.note(self.list_position)
        mailbox = self.store.state.mailboxes.find(self.account, canonical_name(name))
        if mailbox is None:
            raise Refusal("There is no such mailbox", missing)
        return mailbox

    @property
    def list_position(self) -> int:
        """The last event that changed the account's list of mailboxes or subscriptions."""
        return self.store.state.mailboxes.accounts_position.get(self.account, 0)

    def check_alive(self) -> None:
        """End the session whose account or selected mailbox is gone (RFC 2180 §3.3: a BYE, as Dovecot has it)."""
        if self.login is None:
            return
        account = self.store.state.accounts.by_id.get(self.account)
        if account is None or account.disabled:
            raise SessionLost("The account was closed")
        if self.selected is not None and self.selected.mailbox.id not in self.store.state.mailboxes.by_id:
            raise SessionLost("The selected mailbox was deleted")

    def end_watch(self) -> None:
        """Nothing is watched any more."""
        if self.watch is not None:
            self.watch.stop()
            self.watch = None

    def end_uploads(self) -> None:
        """The command that brought them is done, or will never be."""
        for upload in self.uploads:
            upload.end()
        self.uploads.clear()
        self.octets_taken = 0

    def brought(self, mailbox: Mailbox, first: int, count: int) -> None:
        """The session has put messages, the first with this UID, into a mailbox: perhaps the selected one."""
        if self.contexts is not None and self.contexts.view.mailbox is mailbox:
            add_range(self.contexts.brought, (first, first + count))
        self.changed()

    def changed(self) -> None:
        """The session has just appended an event: its reply waits until that is on disk."""
        self.out.note(self.store.log.head)

    def tell_changes(self, *, expunge: bool, uid: bool = False) -> None:
        """Write what happened to the selected mailbox since the client was last told."""
        selected = self.selected
        if selected is not None:
            told = selected.tell(expunge=expunge, uid=uid)
            if told:
                self.out.write(told, selected.mailbox.position)

"""What things were called when an event happened: a small fold of its own, since the state knows only of what is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from crockery.events.types import accounts as account_events
from crockery.events.types import mail as mail_events
from crockery.events.types.base import EventType
from crockery.projections.state import State


class BoxName(NamedTuple):
    """A mailbox: whose it is and what it is called."""

    account: int
    name: str


@dataclass(frozen=True, slots=True)
class Actor:
    """Who, from where, over what."""

    who: str
    peer: str = ""
    protocol: str = ""

    def __str__(self) -> str:
        place = f" from {self.peer}" if self.peer else ""
        way = f" over {self.protocol}" if self.protocol else ""
        return f"{self.who}{place}{way}"


class Names:
    """Names of accounts, mailboxes, app passwords and sessions by their numbers."""

    def __init__(self) -> None:
        self.accounts: dict[int, str] = {}
        self.mailboxes: dict[int, BoxName] = {}
        self.apps: dict[int, BoxName] = {}
        """Account and label."""
        self.sessions: dict[int, Mapping[str, Any]] = {}

    @classmethod
    def of(cls, state: State) -> "Names":
        """The names of today, for telling the newest events without reading all those before."""
        names = cls()
        for account in state.accounts.by_id.values():
            names.accounts[account.id] = account.name
            for app in account.app_passwords.values():
                names.apps[app.id] = BoxName(account.id, app.label)
        names.mailboxes = {box.id: BoxName(box.account, box.name) for box in state.mailboxes.by_id.values()}
        names.sessions = dict(state.sessions.by_id)
        return names

    def fold(self, number: int, kind: EventType, facts: Mapping[str, Any]) -> None:
        """Learn from one event. What is gone keeps its last name: events before tell of it."""
        learn = _LEARN.get(kind.code)
        if learn is not None:
            learn(self, number, facts)

    # Asking.

    def account(self, account: int) -> str:
        """An account's name."""
        return self.accounts.get(account, f"account {account}")

    def mailbox(self, mailbox: int, seen_from: int = 0) -> str:
        """A mailbox's name; with its owner's unless the owner is the one who acts."""
        box = self.mailboxes.get(mailbox)
        if box is None:
            return f"mailbox {mailbox}"
        return box.name if box.account == seen_from else f"{box.name} of {self.account(box.account)}"

    def actor_account(self, facts: Mapping[str, Any]) -> int:
        """The account that did it; 0: the server, or whoever holds the control socket."""
        session = self.sessions.get(facts.get("by", 0))
        account: int = session["account"] if session is not None else 0
        return account

    def actor(self, facts: Mapping[str, Any]) -> Actor:
        """Who did it, from where, over what."""
        number = facts.get("by", 0)
        session = self.sessions.get(number)
        if session is None:
            return Actor("the server" if not number else f"session {number}")
        return self.describe(session)

    def describe(self, session: Mapping[str, Any]) -> Actor:
        """The actor of a SessionOpened event."""
        protocol, peer = session["protocol"], session["peer"]
        if protocol == "control":
            return Actor(peer or "somebody", "", "the command line")
        who = self.account(session["account"]) if session["account"] else "somebody"
        if session.get("app"):
            label = self.apps.get(session["app"])
            who += f"/{label.name}" if label else ""
        return Actor(who, peer, protocol)


Sentence = Callable[[Names, int, Mapping[str, Any]], str]
"""What is known of names, the event's number, its facts."""


def _account_added(names: Names, number: int, facts: Mapping[str, Any]) -> None:
    names.accounts[number] = facts["name"]


def _mailbox_created(names: Names, number: int, facts: Mapping[str, Any]) -> None:
    names.mailboxes[number] = BoxName(facts["account"], facts["name"])


def _mailboxes_renamed(names: Names, number: int, facts: Mapping[str, Any]) -> None:
    for mailbox, _, new in facts["names"]:
        names.mailboxes[mailbox] = BoxName(facts["account"], new)


def _app_password_added(names: Names, number: int, facts: Mapping[str, Any]) -> None:
    names.apps[number] = BoxName(facts["account"], facts["label"])


def _session_opened(names: Names, number: int, facts: Mapping[str, Any]) -> None:
    names.sessions[number] = facts


_LEARN: Final[dict[int, Callable[[Names, int, Mapping[str, Any]], None]]] = {
    account_events.ACCOUNT_ADDED.code: _account_added,
    account_events.APP_PASSWORD_ADDED.code: _app_password_added,
    account_events.SESSION_OPENED.code: _session_opened,
    mail_events.MAILBOX_CREATED.code: _mailbox_created,
    mail_events.MAILBOXES_RENAMED.code: _mailboxes_renamed,
}

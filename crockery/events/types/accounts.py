"""Events of accounts, addresses, passwords and sessions."""

from typing import Final, NotRequired, TypedDict

from crockery.events.types.base import EventType


class AccountAdded(TypedDict):
    """An account: its id is this event's number, its name the local part of its address (folded to lower case)."""

    by: int
    name: str
    postmaster: bool


class AccountRemoved(TypedDict):
    """The account and its mailboxes are gone from view; its mail is erased after the retention time."""

    by: int
    account: int
    name: str
    orphaned: bytes
    """Packed numbers of the messages that no mailbox refers to any more."""
    secrets: NotRequired[bytes]
    """Packed numbers of the events whose secret bodies are erased by this one."""


class AccountDisabled(TypedDict):
    """The account cannot log in; its mail is still received. `disabled` false: it can again."""

    by: int
    account: int
    disabled: bool


class PasswordSet(TypedDict):
    """The account's password changed. Body (secret): an argon2id verifier in PHC form."""

    by: int
    account: int
    replaces: int
    """Number of the PasswordSet whose body is erased by this one; 0 for none."""


class AliasAdded(TypedDict):
    """Mail to the local part `alias` goes to all `targets` (local parts of ours, whole addresses elsewhere).

    It replaces `old` targets, if any.
    """

    by: int
    alias: str
    targets: list[str]
    old: list[str]


class AliasRemoved(TypedDict):
    """The alias is gone."""

    by: int
    alias: str
    old: list[str]


class WildcardSet(TypedDict):
    """Mail to unknown local parts goes to `account` (an id); None: it is refused."""

    by: int
    account: int | None
    old: int | None


class ForwardSet(TypedDict):
    """Mail for the account goes on to `address` elsewhere; "": it does not. With `keep` it stays here as well."""

    by: int
    account: int
    address: str
    keep: bool
    old: str
    old_keep: bool


class AppPasswordAdded(TypedDict):
    """A password for one device: login name `anna/label`; its id is this event's number.

    Body (secret): msgpack map of `salt`, `iterations`, `stored_key`, `server_key` (RFC 5802).
    """

    by: int
    account: int
    label: str


class AppPasswordRemoved(TypedDict):
    """Revoked; the body of `app` is erased."""

    by: int
    account: int
    app: int
    label: str


class AppPasswordUsed(TypedDict):
    """Used from there; noted at most once an hour."""

    app: int
    peer: str


class QuotaChanged(TypedDict):
    """The account has other limits of its own: [octets, messages], 0 for none; None: those of the settings."""

    by: int
    account: int
    quota: list[int] | None
    old: list[int] | None


class QuotaTold(TypedDict):
    """The account was told that so many per cent of its quota are used (80, 95, 100); a lower step: it is less now.

    100 with `lacking`: it had no room for a mail of so many octets.
    """

    account: int
    step: int
    lacking: NotRequired[int]


class SessionOpened(TypedDict):
    """A session that is about to change something: who, from where, over what. Its number is the actor `by` of events.

    Written in the atom of the session's first effect; sessions that only read leave no event.
    """

    account: int
    protocol: str
    """ "imap", "submission", "control", "web" ..."""
    peer: str
    client: NotRequired[str]
    """What the program said of itself (IMAP ID, EHLO name)."""
    tls: NotRequired[str]
    app: NotRequired[int]


ACCOUNT_ADDED: Final = EventType(20, "AccountAdded")
ACCOUNT_REMOVED: Final = EventType(21, "AccountRemoved")
ACCOUNT_DISABLED: Final = EventType(22, "AccountDisabled")
PASSWORD_SET: Final = EventType(23, "PasswordSet", secret=True)
ALIAS_ADDED: Final = EventType(24, "AliasAdded")
ALIAS_REMOVED: Final = EventType(25, "AliasRemoved")
WILDCARD_SET: Final = EventType(26, "WildcardSet")
APP_PASSWORD_ADDED: Final = EventType(27, "AppPasswordAdded", secret=True)
APP_PASSWORD_REMOVED: Final = EventType(28, "AppPasswordRemoved")
APP_PASSWORD_USED: Final = EventType(29, "AppPasswordUsed", skippable=True)
SESSION_OPENED: Final = EventType(30, "SessionOpened")
FORWARD_SET: Final = EventType(31, "ForwardSet")
QUOTA_CHANGED: Final = EventType(32, "QuotaChanged")
QUOTA_TOLD: Final = EventType(33, "QuotaTold")

TYPES: Final = (
    ACCOUNT_ADDED, ACCOUNT_REMOVED, ACCOUNT_DISABLED, PASSWORD_SET, ALIAS_ADDED, ALIAS_REMOVED, WILDCARD_SET,
    APP_PASSWORD_ADDED, APP_PASSWORD_REMOVED, APP_PASSWORD_USED, SESSION_OPENED, QUOTA_CHANGED,
    QUOTA_TOLD, FORWARD_SET,
)  # fmt: skip
